"""
Fixtures for the MCP server: connected to the official client in process, over stdio and over HTTP.

No module here imports the SDK when it is imported, because the SDK may not be installed.
"""

import os
import re
import subprocess
import sys

import pytest
from openrouter_rerank.local.stage import Stage

COMMAND = [sys.executable, "-m", "openrouter_rerank.mcp"]


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
def stdio_server(environment):
    """Returns the parameters with which the official client starts a server."""
    from mcp import StdioServerParameters

    def parameters(*arguments, **variables):
        command, *first = COMMAND
        env = {name: value for name, value in (environment | variables).items() if value}
        return StdioServerParameters(command=command, args=[*first, *arguments], env=env)

    return parameters


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


@pytest.fixture(params=["stdio", "http"])
def server(request, stage):
    """What the official client connects to, over each transport."""
    if request.param == "stdio":
        return request.getfixturevalue("stdio_server")()
    return request.getfixturevalue("shared_url")


@pytest.fixture(params=["legacy", "auto"])
def protocol(request):
    """`"legacy"`: the protocol until 2025. `"auto"`: the newest protocol."""
    return request.param
