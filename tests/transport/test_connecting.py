"""How the client's own connections begin: addresses, time limits, TLS handshakes, cancellation."""

import asyncio
import errno
import gc
import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

import httpcore
import pytest
from openrouter_rerank._transport import async_sockets
from openrouter_rerank._transport.sockets import Sockets
from openrouter_rerank.local.stage import unaccepting_address

from tests.certificates import authority_and_server_context
from tests.starvation import repeat_if_starved
from tests.transport.host_addresses import ACCEPTING, SILENT, resolving

TOLERANCE = 0.3
LONG_TIMEOUT = 10.0


def connect(mode, addresses, port, *, time_left=LONG_TIMEOUT, connect_timeout=LONG_TIMEOUT):
    """Connect to a host with `addresses`; return the seconds, as a negative number on timeout."""
    started = time.monotonic()
    if mode == "sync":
        sockets = Sockets(connect_timeout=connect_timeout, resolve=lambda *_: addresses)
        sockets.deadline = started + time_left
        with suppress(httpcore.ConnectTimeout):
            sockets.connect("host.example", port).close()
            return time.monotonic() - started
    else:

        async def call():
            stream = await async_sockets.connect(
                "host.example",
                port,
                min(time_left, connect_timeout),
                resolve=resolving(*addresses),
            )
            await stream.aclose()
            return time.monotonic() - started

        with suppress(httpcore.ConnectTimeout):
            return asyncio.run(call())
    return started - time.monotonic()


@pytest.fixture(scope="module")
def port():
    """A port on which `SILENT` never accepts, and `ACCEPTING` accepts."""
    with unaccepting_address() as base_url:
        port = urlsplit(base_url).port
        with socket.create_server((ACCEPTING, port)):
            yield port


both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@both_modes
@repeat_if_starved
def test_silent_addresses_share_the_connect_time(mode, port):
    """Connecting to four silent addresses takes the connect time once, not four times."""
    seconds = connect(mode, [SILENT] * 4, port, time_left=0.4)

    assert -0.4 - TOLERANCE < seconds <= -0.35


@both_modes
@repeat_if_starved
def test_each_address_gets_an_equal_share_of_the_time(mode, port):
    """If little time is left, each address gets an equal share, so the last one is tried too."""
    seconds = connect(mode, [SILENT, SILENT, ACCEPTING], port, time_left=0.6)

    assert 0.3 < seconds < 0.6


@both_modes
@repeat_if_starved
def test_connecting_has_its_own_time_limit(mode, port):
    """Connecting to an address ends after `connect_timeout`, even if the call has more time."""
    seconds = connect(mode, [SILENT], port, connect_timeout=0.1)

    assert -0.1 - TOLERANCE < seconds <= -0.1


@both_modes
@repeat_if_starved
def test_a_handshake_has_the_same_time_limit(mode, port):
    """A TLS handshake without a response ends after `connect_timeout`."""
    client_tls = ssl.create_default_context()
    if mode == "sync":
        sockets = Sockets(connect_timeout=0.1, resolve=lambda *_: [ACCEPTING])
        sockets.deadline = time.monotonic() + LONG_TIMEOUT
        stream = sockets.connect("host.example", port)
        started = time.monotonic()
        with pytest.raises(httpcore.ConnectTimeout):
            stream.start_tls(client_tls, "host.example")
    else:

        async def handshake():
            stream = await async_sockets.connect(
                "host.example", port, LONG_TIMEOUT, resolve=resolving(ACCEPTING)
            )
            started = time.monotonic()
            with pytest.raises(httpcore.ConnectTimeout):
                await stream.start_tls(client_tls, "host.example", 0.1)
            return started

        started = asyncio.run(handshake())

    assert 0.1 <= time.monotonic() - started < 0.1 + TOLERANCE


def test_no_address_is_tried_after_the_deadline(port):
    """If the deadline passes during the lookup of a name, no address is tried."""
    assert connect("sync", [ACCEPTING], port, time_left=0) <= 0


@both_modes
@repeat_if_starved
def test_the_next_address_replaces_a_silent_one(mode, port):
    """If an address is silent, the next one is tried within the connect time."""
    seconds = connect(mode, [SILENT, ACCEPTING], port, connect_timeout=0.2)

    assert 0.1 <= seconds < 0.2 + TOLERANCE


@both_modes
@repeat_if_starved
def test_the_next_address_replaces_a_refusing_one_immediately(mode, port):
    """If an address refuses, the next one is tried immediately."""
    assert 0 < connect(mode, ["127.0.0.3", ACCEPTING], port) < TOLERANCE


@both_modes
@repeat_if_starved
def test_an_error_is_raised_if_all_addresses_refuse(mode, port):
    """If every address of a host refuses, the error of the last one is raised immediately."""
    started = time.monotonic()

    with pytest.raises(httpcore.ConnectError) as caught:
        connect(mode, ["127.0.0.3", "127.0.0.4"], port)

    assert caught.value.__cause__.errno == errno.ECONNREFUSED
    assert time.monotonic() - started < TOLERANCE


def connect_and_close(mode, host, port):
    """Resolve `host` with the system's resolver, connect to it, and close the connection."""
    if mode == "sync":
        sockets = Sockets()
        sockets.deadline = time.monotonic() + LONG_TIMEOUT
        sockets.connect(host, port).close()
        return

    async def call():
        await (await async_sockets.connect(host, port, LONG_TIMEOUT)).aclose()

    asyncio.run(call())


@both_modes
def test_a_host_name_is_resolved(mode):
    """A host name is resolved by the system, and its addresses are tried."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect_and_close(mode, "localhost", server.getsockname()[1])

        assert server.accept()[0].close() is None


@both_modes
def test_an_unresolvable_name_is_a_connect_error(mode):
    """A name that the system cannot resolve, because its label is too long, raises an error."""
    with pytest.raises(httpcore.ConnectError):
        connect_and_close(mode, "a" * 64 + ".example", 1)


@contextmanager
def tls_server(tls):
    """Run a server that completes TLS handshakes and sends nothing else; yield its port."""

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError):
                connections.append(tls.wrap_socket(connection, server_side=True))

    connections = []
    with socket.create_server((SILENT, 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    for connection in connections:
        connection.close()


@repeat_if_starved
def test_a_handshake_within_the_tls_of_a_proxy_has_the_same_time_limit():
    """A TLS handshake within TLS that gets no response ends after `connect_timeout`."""
    authority, tls = authority_and_server_context()
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)
    sockets = Sockets(connect_timeout=0.3, resolve=lambda *_: [SILENT])
    sockets.deadline = time.monotonic() + LONG_TIMEOUT
    with tls_server(tls) as port:
        outer = sockets.connect("host.example", port).start_tls(client_tls, "127.0.0.1")
        started = time.monotonic()
        with closing(outer), pytest.raises(httpcore.ConnectTimeout):
            outer.start_tls(client_tls, "host.example")

    assert 0.3 <= time.monotonic() - started < 0.3 + TOLERANCE


@pytest.mark.parametrize(
    "addresses", [[SILENT], [ACCEPTING, SILENT]], ids=["one address", "two addresses"]
)
@repeat_if_starved
async def test_connecting_can_be_cancelled_at_any_step(addresses):
    """Cancelling at any step of connecting or the handshake leaves no socket and no task."""
    authority, tls = authority_and_server_context()
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)

    async def connected(port):
        stream = await async_sockets.connect(
            "host.example", port, LONG_TIMEOUT, resolve=resolving(*addresses)
        )
        try:
            await stream.start_tls(client_tls, "127.0.0.1", LONG_TIMEOUT)
        finally:
            await stream.aclose()

    cancelled = 0
    before = asyncio.all_tasks()
    with tls_server(tls) as port:
        for steps in range(40):
            call = asyncio.create_task(connected(port))
            for _ in range(steps):
                await asyncio.sleep(0.0005 if steps > 20 else 0)
            call.cancel()
            await asyncio.wait({call})
            cancelled += call.cancelled()
            assert call.cancelled() or call.exception() is None
        await asyncio.sleep(0.01)

    # A socket that is still open warns when it is collected.
    gc.collect()
    assert asyncio.all_tasks() == before
    assert cancelled > 4


async def test_resolving_a_name_ends_at_the_time_limit():
    """A resolver that never returns is cancelled at the end of the connect time."""

    async def resolve(*_):
        await asyncio.Event().wait()

    with pytest.raises(httpcore.ConnectTimeout):
        await async_sockets.connect("host.example", 1, 0.05, resolve=resolve)
