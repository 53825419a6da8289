"""
Rules for all tests: loopback only, no configuration from the environment, fixed random examples.

Fixtures that several folders use are here. Other fixtures are in the folder that uses them.
"""

import gc
import ipaddress
import os
import sys

import pytest
from hypothesis import settings

from tests.clients import CLIENT_KIND_IDS, CLIENT_KINDS, ClientKind
from tests.real_collections import TEST_DATA
from tests.repetitions import repetitions

# Examples have no deadline, because a busy machine must not fail a test. Each run has the same
# examples, so that a test fails only because of a change. `make promises` has new ones each time.
settings.register_profile(
    "same",
    deadline=None,
    derandomize=True,
    print_blob=True,
    max_examples=repetitions(local=30, ci=100),
)
settings.register_profile("new", deadline=None, print_blob=True)
# Coverage must not depend on random examples: tables of cases reach each branch. Few examples
# keep the run fast.
settings.register_profile("coverage", deadline=None, derandomize=True, max_examples=5)
settings.load_profile("new" if "FULL" in os.environ else "same")


def pytest_configure() -> None:
    """Remove OpenRouter and tracing variables, set a key, and use no proxy for loopback."""
    for name in list(os.environ):
        is_setting = name.startswith(("OPENROUTER_", "LANGCHAIN_", "LANGSMITH_"))
        if is_setting and name != TEST_DATA:
            del os.environ[name]
    # Objects without a key cannot be created. Tests of a missing key delete it.
    os.environ["OPENROUTER_API_KEY"] = "sk-or-v1-of-the-environment"
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1,::1"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Use a process more than there are processors, because many tests wait. Each needs 1 GB."""
    return min((os.cpu_count() or 1) + 1, 5)


def pytest_collection_finish() -> None:
    """Let the garbage collector skip what the imports have made: it took a tenth of the time."""
    gc.collect()
    gc.freeze()


def _is_loopback(host: object) -> bool:
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
        if not isinstance(address, tuple):  # A Unix socket, or a socket that is already connected
            return
        host = address[0]
    else:
        return
    if not _is_loopback(host):
        # Code under test cannot catch this as a network error, because it is not an `Exception`.
        pytest.fail(f"A test tried to reach {host!r} ({event}); tests may only use loopback.")


# An audit hook sees the sockets of all threads and libraries, however they call the module.
sys.addaudithook(_refuse_network)


@pytest.fixture(params=CLIENT_KINDS, ids=CLIENT_KIND_IDS)
def client_kind(request):
    """Each kind of client: sync and async, over its own and over injected connections."""
    with ClientKind(*request.param) as client_kind:
        yield client_kind


@pytest.fixture
def stage(local_openrouter):
    """The scripted service `local_openrouter`, under a shorter name."""
    return local_openrouter


@pytest.fixture
def make_client(client_kind, stage):
    """A function that makes a client of the current kind for the scripted service."""

    def client(**options):
        return client_kind.client(
            **{"base_url": stage.base_url, "api_key": stage.api_key} | options
        )

    return client


@pytest.fixture(params=["sync", "async"])
def mode(request):
    """`"sync"` and `"async"`: the test runs once for each."""
    return request.param


@pytest.fixture
def key_in_environment(local_openrouter, monkeypatch):
    """Set the scripted service's key and URL as environment variables."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
