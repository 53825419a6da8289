"""
Fixtures for the MCP server: connected to the official client in process, over stdio and over HTTP.

A server takes seconds to start, so tests share one process, unless they end it.

No module here imports the SDK when it is imported, because the SDK may not be installed.
"""

import os
import re
import subprocess
import sys

import pytest
from anyio.from_thread import start_blocking_portal
from openrouter_rerank.local.stage import Stage

COMMAND = [sys.executable, "-m", "openrouter_rerank.mcp"]
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture(scope="session")
def session_stage():
    """A scripted service for the servers that all tests of the session share."""
    with Stage() as stage:
        yield stage


@pytest.fixture
def stage(session_stage):
    """The scripted service, without what earlier tests have scripted and recorded."""
    session_stage.reset()
    return session_stage


@pytest.fixture(scope="session")
def environment(session_stage):
    """The environment variables of a server that calls the scripted service."""
    return {
        "OPENROUTER_API_KEY": session_stage.api_key,
        "OPENROUTER_API_BASE": session_stage.base_url,
    }


@pytest.fixture
def connect(stage, environment, monkeypatch):
    """Returns the official client of a server in this process."""
    from mcp import Client
    from openrouter_rerank.mcp.server import create_server

    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def connect(**options):
        return Client(create_server(**options))

    return connect


@pytest.fixture(scope="session")
def start_http(environment):
    """Returns a function that starts a server over HTTP: its process and its URL."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [*COMMAND, "--transport", "http", "--port", "0", *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        started.append(process)
        announced = process.stderr.readline()
        return process, re.search(r"http://\S+/mcp", announced)[0]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def shared_url(start_http):
    """The URL of a server that all tests of the session share."""
    return start_http()[1]


class Connection:
    """The official client of a server, which runs in another thread."""

    def __init__(self, portal, client):
        self._portal, self._client = portal, client

    def tools(self):
        """Return the tools of the server."""
        return self._portal.call(self._client.list_tools).tools

    def start(self, tool, arguments):
        """Start a call; return a future of its result, which can be cancelled."""
        return self._portal.start_task_soon(self._client.call_tool, tool, arguments)

    def call(self, tool, arguments):
        """Call a tool."""
        return self.start(tool, arguments).result(timeout=60)


KINDS = [
    (transport, protocol) for transport in ("stdio", "http") for protocol in ("legacy", "auto")
]


@pytest.fixture(scope="session", params=KINDS, ids="-".join)
def connection(request, environment):
    """
    The official client over each transport and in each protocol.

    `legacy` is the protocol until 2025, and `auto` the newest one.
    """
    from mcp import Client, StdioServerParameters

    transport, protocol = request.param
    if transport == "http":
        server = request.getfixturevalue("shared_url")
    else:
        command, *arguments = COMMAND
        server = StdioServerParameters(command=command, args=arguments, env=environment)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(server, mode=protocol)) as client,
    ):
        yield Connection(portal, client)
