"""Tunnels that a proxy does not open: the error, and no connection that stays open."""

import asyncio
import signal
import ssl
import threading
import warnings
from contextlib import suppress

import pytest
import trustme
from openrouter_rerank import (
    APIConnectionError,
    AsyncRerankClient,
    DeadlineExceededError,
    RerankClient,
)

from tests.clients import ClientKind
from tests.proxies import ScriptedProxy, trusted_tls
from tests.signal_handlers import LONG, handler_raising, needs_signals
from tests.suspended_coroutine import run_until

URL = "https://gateway.example/api/v1"
TUNNEL = b"HTTP/1.1 200 Connected\r\n\r\n"
NO_LOGIN, CONNECTED = b"\x05\x00", b"\x05\x00\x00\x01" + bytes(6)

_CONNECTIONS = 3


@pytest.fixture
def failure(use_proxy, mode):
    """A function that makes calls through a scripted proxy, and returns the last error."""

    def failure(scheme, proxy, **options):
        with proxy.running() as port, ClientKind(mode, None) as client_kind:
            use_proxy(f"{scheme}://127.0.0.1:{port}")
            options = {"max_retries": 0} | options
            client = client_kind.client(api_key="k", base_url=URL, **options)
            # The errors are kept, so that they are not what closes the connections.
            errors = []
            # On a busy machine, the time of a call may be up before it has connected.
            while proxy.connections < _CONNECTIONS and len(errors) < 10 * _CONNECTIONS:
                with pytest.raises((APIConnectionError, DeadlineExceededError)) as caught:
                    client.rerank("q", ["a"])
                errors.append(caught)
            # A loop closes sockets while it runs.
            if client_kind.is_async:
                client.rerank_concurrently(0)
            proxy.wait_until_closed(port)
            assert proxy.connections >= _CONNECTIONS
        return errors[-1].value

    return failure


@pytest.mark.parametrize(
    ("scheme", "replies", "message"),
    [
        pytest.param("http", [b"HTTP/1.1 403 No\r\n\r\n"], "HTTP 403 No", id="HTTP 403"),
        pytest.param(
            "http",
            [b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nbody"],
            "HTTP 502 Bad Gateway",
            id="HTTP 502",
        ),
        pytest.param("http", [b"SSH-2.0-OpenSSH\r\n\r\n"], "invalid HTTP", id="not HTTP"),
        pytest.param(
            "http", [TUNNEL + b"HTTP/1.1 200 OK"], "could not connect", id="HTTP, too much"
        ),
        pytest.param(
            "http", [b"HTTP/1.1 200 O"], "the proxy closed the connection", id="HTTP, cut"
        ),
        pytest.param("http", [TUNNEL, b"no TLS"], "does not use TLS", id="HTTP, no TLS in it"),
        pytest.param("http", [TUNNEL], "could not connect", id="HTTP, closed before TLS"),
        pytest.param(
            "socks5", [NO_LOGIN, b"\x05\x05\x00\x01" + bytes(6)], "refused its", id="SOCKS, refused"
        ),
        pytest.param(
            "socks5", [NO_LOGIN, b"\x05\x02\x00\x01" + bytes(6)], "not allow", id="SOCKS, forbidden"
        ),
        pytest.param("socks5", [b"\x05\xff"], "asks for a user name", id="SOCKS, no login"),
        pytest.param("socks5", [b"HTTP/1.1 400 B"], "does not speak SOCKS 5", id="not SOCKS"),
        pytest.param("socks5", [b"\x05"], "the proxy closed the connection", id="SOCKS, cut"),
        pytest.param(
            "socks5",
            [NO_LOGIN, CONNECTED + b"x"],
            "could not connect",
            id="SOCKS, too much",
        ),
        pytest.param(
            "socks5", [NO_LOGIN, CONNECTED, b"no TLS"], "does not use TLS", id="SOCKS, no TLS in it"
        ),
        pytest.param("https", [b"no TLS"], "does not use TLS", id="proxy without TLS"),
    ],
)
def test_a_failed_tunnel_is_an_error_and_leaves_no_connection(failure, scheme, replies, message):
    """A proxy that opens no tunnel is a typed error, and the connection to it is closed."""
    error = failure(scheme, ScriptedProxy(*replies, closes=True))

    assert isinstance(error, APIConnectionError)
    assert message in error.message
    assert f"{scheme}://127.0.0.1" in error.message or "certificate" in error.message


@pytest.mark.parametrize(
    ("scheme", "replies"),
    [("http", []), ("http", [TUNNEL]), ("socks5", []), ("socks5", [NO_LOGIN]), ("https", [])],
    ids=["HTTP", "HTTP, TLS in it", "SOCKS", "SOCKS, after the login", "TLS to the proxy"],
)
def test_a_tunnel_that_hangs_leaves_no_connection(failure, scheme, replies):
    """A proxy that sends nothing more ends the call at its deadline, and is disconnected."""
    error = failure(scheme, ScriptedProxy(*replies), timeout=0.3)

    assert isinstance(error, DeadlineExceededError)
    assert "could not connect to gateway.example:443 through the proxy" in error.message


@pytest.fixture
def trusted():
    """The TLS context of a proxy with a certificate that the clients trust."""
    with trusted_tls() as context:
        yield context


@pytest.mark.parametrize(
    ("replies", "message"),
    [
        pytest.param([TUNNEL, b"no TLS"], "does not use TLS", id="no TLS in it"),
        pytest.param([TUNNEL], "could not connect", id="closed before TLS"),
        pytest.param([TUNNEL, b"\x16\x03\x03"], "could not connect", id="closed in TLS"),
    ],
)
def test_a_failed_tunnel_within_tls_is_an_error_and_leaves_no_connection(
    failure, trusted, replies, message
):
    """If the TLS within the TLS of a proxy fails, the error is typed and the connection closed."""
    error = failure("https", ScriptedProxy(*replies, closes=True, tls=trusted))

    assert isinstance(error, APIConnectionError)
    assert message in error.message


def test_a_tunnel_within_tls_that_hangs_leaves_no_connection(failure, trusted):
    """If the host sends no TLS within the TLS of a proxy, the call ends at its deadline."""
    error = failure("https", ScriptedProxy(TUNNEL, tls=trusted), timeout=0.3)

    assert isinstance(error, DeadlineExceededError)
    assert "could not connect to gateway.example:443 through the proxy" in error.message


@needs_signals
# Before Python 3.13, `ssl` does not close a socket whose handshake Ctrl-C ends. It is closed when
# it is freed, with a warning.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", [TimeoutError, ssl.SSLError, KeyboardInterrupt])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_signal_in_a_handshake_leaves_no_connection(use_proxy, trusted, scheme, kind):
    """The error of a signal handler ends a call in a TLS handshake, and closes its connection."""
    # The second reply, which is empty, comes when the handshake within the tunnel has begun.
    proxy = ScriptedProxy(TUNNEL, b"", tls=trusted if scheme == "https" else None)
    main = threading.get_ident()

    def interrupt():
        proxy.wait_until(lambda: proxy.steps == 2)
        signal.pthread_kill(main, signal.SIGALRM)

    with proxy.running() as port, handler_raising(kind) as raised:
        use_proxy(f"{scheme}://127.0.0.1:{port}")
        thread = threading.Thread(target=interrupt)
        thread.start()
        with (
            RerankClient(api_key="k", base_url=URL, max_retries=0, timeout=LONG) as client,
            pytest.raises(kind) as caught,
        ):
            client.rerank("q", ["a"])
        thread.join()
        proxy.wait_until(lambda: proxy.open_connections == 0)

    assert caught.value is raised[0]


def test_an_untrusted_proxy_leaves_no_connection(failure):
    """The TLS of a proxy with an unknown certificate is refused, and the connection closed."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server)

    error = failure("https", ScriptedProxy(TUNNEL, tls=server))

    assert "is not trusted" in error.message


def test_a_failed_tunnel_is_repeated_without_cost(failure):
    """The request was not sent, so the tunnel is tried as often as `max_retries` allows."""
    error = failure("socks5", ScriptedProxy(NO_LOGIN, closes=True), max_retries=2)

    assert error.attempts == 3


async def _cancelled(client, proxy):
    call = asyncio.create_task(client.rerank("q", ["a"]))
    await asyncio.to_thread(proxy.wait_until, lambda: proxy.steps == 1)
    call.cancel()
    with suppress(asyncio.CancelledError):
        await call


async def _closed(client, proxy):
    call = client.rerank("q", ["a"])
    await run_until(call, lambda: proxy.steps == 1)
    call.close()


@pytest.mark.parametrize("end", [_cancelled, _closed], ids=["cancelled", "closed"])
@pytest.mark.parametrize(
    ("scheme", "replies"),
    [
        ("http", [b"HTTP/1.1 200"]),
        ("http", [TUNNEL]),
        ("socks5", [NO_LOGIN]),
        ("socks5", [b"\x05"]),
    ],
)
async def test_a_call_that_ends_in_a_handshake_leaves_no_connection(
    use_proxy, end, scheme, replies
):
    """A call that is cancelled or closed while a tunnel is opened closes its connection."""
    proxy = ScriptedProxy(*replies)
    with proxy.running() as port, warnings.catch_warnings(record=True) as caught:
        use_proxy(f"{scheme}://127.0.0.1:{port}")
        async with AsyncRerankClient(api_key="k", base_url=URL, max_retries=0) as client:
            await end(client, proxy)
            await asyncio.to_thread(proxy.wait_until, lambda: proxy.open_connections == 0)

    assert caught == []
