"""
Rules for all tests: no network but loopback, no configuration of the machine, fixed randomness.

The fixtures here are those that several folders use. Others are in the folder that uses them.
"""

import ipaddress
import os
import sys

import pytest
from hypothesis import settings

from tests.clients import KINDS, NAMES, ClientKind

# A loaded machine must not fail a law, so no example has a deadline; CI draws the same examples
# every time, so that a change fails for its own reasons.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
# Whether a branch is reached is not left to chance: tables do that, and few examples are quick.
settings.register_profile("coverage", deadline=None, derandomize=True, max_examples=5)
settings.load_profile("ci" if "CI" in os.environ else "dev")


def pytest_configure() -> None:
    """Forget what the shell says of OpenRouter and of tracing, and keep proxies off loopback."""
    for name in list(os.environ):
        if name.startswith(("OPENROUTER_", "LANGCHAIN_", "LANGSMITH_")):
            del os.environ[name]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1,::1"


def _loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if host in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _refuse_network(event: str, args: tuple[object, ...]) -> None:
    if event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        host = args[0]
    elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = args[1]
        if not isinstance(address, tuple):  # A Unix socket, or one that is connected already
            return
        host = address[0]
    else:
        return
    if not _loopback(host):
        # Not an `Exception`: no code under test may take it for an ordinary network error.
        pytest.fail(f"A test reached for {host!r} ({event}); tests may only use loopback.")


# An audit hook sees every thread and every library, whichever way they call the socket module.
sys.addaudithook(_refuse_network)


@pytest.fixture(params=KINDS, ids=NAMES)
def client_kind(request):
    """Each kind of client in turn: sync and async, over its own and over injected connections."""
    with ClientKind(*request.param) as client_kind:
        yield client_kind


@pytest.fixture
def stage(local_openrouter):
    """The scripted service, by its short name."""
    return local_openrouter


@pytest.fixture
def make(client_kind, stage):
    """A function that makes a client of the scripted service."""

    def client(**options):
        return client_kind.client(
            **{"base_url": stage.base_url, "api_key": stage.api_key} | options
        )

    return client


@pytest.fixture(params=["sync", "async"])
def mode(request):
    """Synchronous and asynchronous code in turn."""
    return request.param


@pytest.fixture
def key_in_environment(local_openrouter, monkeypatch):
    """The key and the URL in the environment, as `export` sets them before a program starts."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
