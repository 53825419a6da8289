"""Promise: if an exception ends a call at any line, no secret is in its traceback."""

import linecache
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from openrouter_rerank.local.stage import Stage

from tests.clients import CLIENT_KIND_IDS, CLIENT_KINDS, ClientKind
from tests.proxies import HOST, http_tunnel, proxy, socks_tunnel_with_password, trusted_tls
from tests.repetitions import repetitions
from tests.secret_walker import HEADER, KEY, PASSWORD, secrets_in_frames

# Every line takes minutes. With `full`, it is each line of a call without a proxy or an injected
# client, and every second or third line of the others.
LINES = repetitions(local=20, ci=100, full=2_000)
PACKAGES = ("openrouter_rerank", "httpcore", "httpcore2", "h11", "httpx", "httpx2", "ssl")
pytestmark = [
    pytest.mark.usefixtures("sockets_left_open"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
]
SECRETS = {"api_key": KEY, "default_headers": {"X-Secret": HEADER}, "max_retries": 0}


class Interrupted(BaseException):
    """Raised by a signal handler, such as that of a worker whose time is up."""


class Interruption:
    """Counts the lines that run in `PACKAGES`, and raises `Interrupted` at one of them."""

    def __init__(self, line=None):
        self.lines = 0
        self._line = line

    def __enter__(self):
        """Begin to count."""
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_):
        """Stop."""
        sys.settrace(self._before)

    def _trace(self, frame, event, _):
        name = frame.f_globals.get("__name__", "")
        # If an exception interrupts httpcore while it takes a lock, the lock is never released.
        if name.partition(".")[0] not in PACKAGES or name.endswith("_synchronization"):
            return None
        if event == "line" and not is_context(frame):
            self.lines += 1
            if self.lines == self._line:
                raise Interrupted
        return self._trace


def is_context(frame):
    """Return `True` at a `with`: Python runs no signal handler between its body and its exit."""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip()
    return line.startswith(("with ", "async with "))


def interrupted_call(mode, library, base_url, line=None):
    """Interrupt a call at a line; return its exception, if any, and the number of lines."""
    # In a new thread: an exception that is raised at the first line of an `except` block leaves the
    # exception of that block as the one that its thread handles.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_interrupted_call, mode, library, base_url, line).result()


def _interrupted_call(mode, library, base_url, line):
    failure = None
    with ClientKind(mode, library) as client_kind:
        client = client_kind.client(base_url=base_url, **SECRETS)
        with Interruption(line) as interruption:
            try:
                client.rerank("q", ["a", "b"], extra_headers={"X-Secret-Of-Call": HEADER})
            except BaseException as error:  # noqa: BLE001 - any exception may contain a secret
                failure = error
    return failure, interruption.lines


def found_secrets(mode, library, base_url):
    """Interrupt calls at many lines; return the secrets found, and the number of exceptions."""
    found, failed = [], 0
    # The first call imports modules.
    interrupted_call(mode, library, base_url)
    _, lines = interrupted_call(mode, library, base_url)
    # At the first line, the arguments are as the caller has passed them.
    for line in range(2, lines + 1, max(1, lines // LINES)):
        failure, _ = interrupted_call(mode, library, base_url, line)
        if failure is not None:
            failed += 1
            found += [(line, place) for place in secrets_in_frames(failure)]
    return found, failed


@pytest.mark.parametrize(("mode", "library"), CLIENT_KINDS, ids=CLIENT_KIND_IDS)
def test_no_line_of_a_call_leaves_a_secret(mode, library, stage):
    """An exception raised at any line of a call has no secret in its frames."""
    found, failed = found_secrets(mode, library, stage.base_url)

    assert found == []
    assert failed > 15


@pytest.fixture(scope="module")
def server_tls():
    """The TLS context of the host, with a certificate that the clients trust."""
    with trusted_tls() as server:
        yield server


@pytest.mark.parametrize(
    ("scheme", "handshake"),
    [("http", http_tunnel), ("socks5", socks_tunnel_with_password)],
    ids=["HTTP proxy", "SOCKS proxy"],
)
def test_no_line_of_a_call_through_a_proxy_leaves_a_secret(
    monkeypatch, server_tls, mode, scheme, handshake
):
    """An exception raised at any line of a call through a proxy has no secret in its frames."""
    with (
        Stage(tls=server_tls) as stage,
        proxy(handshake, urlsplit(stage.base_url).port, None) as (port, _),
    ):
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("https_proxy", f"{scheme}://user:{PASSWORD}@127.0.0.1:{port}")

        found, failed = found_secrets(mode, None, f"https://{HOST}/api/v1")

    assert found == []
    assert failed > 15
