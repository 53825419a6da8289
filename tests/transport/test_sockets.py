"""The sockets of the client's own connections: addresses, timeouts, cancellation, buffers, TLS."""

import asyncio
import errno
import gc
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
import pytest
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank._transport.async_sockets import AsyncSockets
from openrouter_rerank._transport.bounds import HELD_BYTES
from openrouter_rerank._transport.sockets import Sockets
from openrouter_rerank.local.stage import unaccepting_address

from tests.certificates import authority_and_server_context
from tests.slow_server import slow_server
from tests.starvation import repeat_if_starved

TOLERANCE = 0.3
LONG_TIMEOUT = 10.0
# Addresses of this machine: on the test's port, only the second one accepts connections.
SILENT, ACCEPTING = "127.0.0.1", "127.0.0.2"


def resolving(*addresses):
    """Return a resolver for `AsyncSockets` that resolves every name to `addresses`."""

    async def resolve(_, port):
        return [(socket.AF_INET, (address, port)) for address in addresses]

    return resolve


def connect(mode, addresses, port, *, time_left=LONG_TIMEOUT, connect_timeout=LONG_TIMEOUT):
    """Connect to a host with `addresses`; return the seconds, as a negative number on timeout."""
    started = time.monotonic()
    if mode == "sync":
        sockets = Sockets(connect_timeout=connect_timeout, resolve=lambda *_: addresses)
        sockets.deadline = started + time_left
        with suppress(httpcore.ConnectTimeout):
            sockets.connect_tcp("host.example", port).close()
            return time.monotonic() - started
    else:

        async def call():
            sockets = AsyncSockets(connect_timeout=connect_timeout, resolve=resolving(*addresses))
            stream = await sockets.connect_tcp("host.example", port, time_left)
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
        stream = sockets.connect_tcp("host.example", port)
        started = time.monotonic()
        with pytest.raises(httpcore.ConnectTimeout):
            stream.start_tls(client_tls, "host.example")
    else:

        async def handshake():
            stream = await AsyncSockets(resolve=resolving(ACCEPTING)).connect_tcp(
                "host.example", port
            )
            started = time.monotonic()
            with pytest.raises(httpcore.ConnectTimeout):
                await stream.start_tls(client_tls, "host.example", 0.1)
            return started

        started = asyncio.run(handshake())

    assert 0.1 <= time.monotonic() - started < 0.1 + TOLERANCE


def test_no_handshake_begins_after_the_deadline():
    """If the deadline passes before the handshake, the connection is closed and nothing is sent."""
    with connected_ends("sync") as ends:
        ends.sockets.deadline = time.monotonic()
        with pytest.raises(httpcore.ConnectTimeout):
            ends.stream.start_tls(ssl.create_default_context(), "host.example")

        assert ends.server.recv(99) == b""


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
        sockets.connect_tcp(host, port).close()
        return

    async def call():
        await (await AsyncSockets().connect_tcp(host, port)).aclose()

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
        sockets = AsyncSockets(resolve=resolving(*addresses))
        stream = await sockets.connect_tcp("host.example", port, LONG_TIMEOUT)
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
        await AsyncSockets(resolve=resolve).connect_tcp("host.example", 1, 0.05)


def test_a_request_of_twelve_megabytes_to_a_slow_server(make_client):
    """A large request to a slow server succeeds if the timeout is long enough."""
    with slow_server(0.002) as base_url:
        ranking = make_client(base_url=base_url, timeout=30).rerank("q", ["x" * 12_000_000])

    assert (len(ranking.results), ranking.attempts) == (1, 1)


async def test_idle_connections_close_with_their_event_loop(local_openrouter):
    """Idle connections are closed without a warning when their event loop ends."""

    async def call():
        client = AsyncRerankClient(base_url=local_openrouter.base_url, api_key="k")
        await asyncio.gather(*(client.rerank("q", ["a"]) for _ in range(5)))

    await asyncio.to_thread(asyncio.run, call())
    gc.collect()
    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: local_openrouter.open_connections == 0
    )
    assert len(local_openrouter.requests) == 5


@dataclass
class Ends:
    """The two ends of a connection: a stream with blocking methods, and the server's socket."""

    sockets: Sockets | AsyncSockets
    stream: httpcore.NetworkStream | httpcore.AsyncNetworkStream
    server: socket.socket
    run: Callable[[Any], Any]

    def write(self, data):
        """Write to the stream."""
        self.run(self.stream.write(data))

    def read(self, size):
        """Read up to `size` bytes from the stream."""
        return self.run(self.stream.read(size))

    def start_tls(self):
        """Begin a TLS handshake on the stream."""
        self.run(self.stream.start_tls(ssl.create_default_context(), "host.example", LONG_TIMEOUT))

    def is_readable(self):
        """Return `True` if the stream can be read without waiting."""
        return self.stream.get_extra_info("is_readable")


@contextmanager
def connected_ends(mode):
    """Connect a stream to a loopback server; yield both ends of the connection."""
    with socket.create_server((ACCEPTING, 0)) as listener, asyncio.Runner() as runner:
        port = listener.getsockname()[1]
        if mode == "sync":
            sockets = Sockets(resolve=lambda *_: [ACCEPTING])
            sockets.deadline = time.monotonic() + LONG_TIMEOUT
            stream = sockets.connect_tcp("host.example", port)
            with closing(stream), listener.accept()[0] as server:
                yield Ends(sockets, stream, server, lambda result: result)
            return
        sockets = AsyncSockets(resolve=resolving(ACCEPTING))
        stream = runner.run(sockets.connect_tcp("host.example", port))
        with listener.accept()[0] as server:
            yield Ends(sockets, stream, server, runner.run)
        runner.run(stream.aclose())


@both_modes
def test_a_head_and_a_small_body_are_one_packet(mode):
    """Small writes are held until the first read, so that a small request is one packet."""
    with connected_ends(mode) as ends:
        for message in (b"head", b"body", b""):
            ends.write(message)
        ends.server.setblocking(False)
        with pytest.raises(BlockingIOError):
            ends.server.recv(1)
        ends.server.sendall(b"answer")

        assert ends.read(99) == b"answer"

        ends.server.setblocking(True)
        assert ends.server.recv(99) == b"headbody"


@both_modes
@pytest.mark.parametrize("size", [1, HELD_BYTES - 4, HELD_BYTES - 3, HELD_BYTES, 9 * HELD_BYTES])
def test_messages_of_any_size_arrive_complete_and_in_order(mode, size):
    """A head and the pieces of a body of any size are sent completely and in order."""
    messages = [b"head", b"1" * size, b"2" * size, b"", b"end"]
    arrived = bytearray()

    def respond():
        while len(arrived) < sum(map(len, messages)):
            arrived.extend(ends.server.recv(HELD_BYTES))
        ends.server.sendall(b"answer")

    with connected_ends(mode) as ends:
        reader = threading.Thread(target=respond)
        reader.start()
        for message in messages:
            ends.write(message)
        assert ends.read(99) == b"answer"
        reader.join()

    assert arrived == b"".join(messages)


@both_modes
def test_a_response_before_the_end_of_the_request_is_read(mode):
    """If a server responds and closes before it has read the request, its response is read."""
    with connected_ends(mode) as ends:
        ends.write(b"request")
        ends.server.sendall(b"too large")
        ends.server.shutdown(socket.SHUT_RDWR)
        if mode == "sync":
            # Writing fails from now on. An asynchronous stream refuses to write after the end.
            ends.stream.get_extra_info("socket").shutdown(socket.SHUT_WR)
        else:
            assert ends.read(3) == b"too"
            ends.write(b"more")

        assert ends.read(99) in {b"too large", b" large"}


@both_modes
def test_a_stream_reports_if_it_is_readable(mode):
    """A stream is readable while bytes are waiting, and after the connection has ended."""
    with connected_ends(mode) as ends:
        readable = [ends.is_readable()]
        ends.server.sendall(b"ab")
        for _ in range(2):
            assert len(ends.read(1)) == 1
            readable.append(ends.is_readable())
        ends.server.shutdown(socket.SHUT_RDWR)
        assert ends.read(1) == b""
        readable.append(ends.is_readable())

    assert readable == [False, True, False, True]


@both_modes
def test_a_handshake_on_a_closed_connection_is_a_connect_error(mode):
    """A handshake on a connection that the server has closed is a connect error."""
    with connected_ends(mode) as ends:
        ends.server.shutdown(socket.SHUT_RDWR)
        assert ends.read(1) == b""

        with pytest.raises(httpcore.ConnectError):
            ends.start_tls()


def test_an_async_stream_stops_receiving_when_its_buffer_is_full():
    """An async stream stops receiving when 256 KiB wait to be read, and resumes after a read."""
    sent = bytes(range(256)) * 4096 * 4
    offset, refused = 0, 0
    with connected_ends("async") as ends:
        # With small system buffers, few bytes are between the two ends.
        ends.server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        connected = ends.stream.transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        ends.server.setblocking(False)
        # If the server cannot send for a hundred iterations, all buffers are full.
        while refused < 100 and offset < len(sent):
            try:
                offset += ends.server.send(sent[offset : offset + HELD_BYTES])
                refused = 0
            except BlockingIOError:
                refused += 1
            ends.run(asyncio.sleep(0.0005))
        assert offset < len(sent) / 2
        ends.server.setblocking(True)
        sending = threading.Thread(target=ends.server.sendall, args=(sent[offset:],))
        sending.start()

        received = bytearray()
        while len(received) < len(sent) and (piece := ends.read(HELD_BYTES)):
            received += piece
        sending.join()

    assert received == sent


@repeat_if_starved
def test_large_messages_are_sent_without_delay(make_client):
    """A large body is sent without waiting for the acknowledgement of its head."""
    caller = make_client()
    caller.rerank("q", ["a" * HELD_BYTES])

    seconds = []
    for _ in range(20):
        started = time.monotonic()
        caller.rerank("q", ["a" * HELD_BYTES])
        seconds.append(time.monotonic() - started)

    # Each call would take 40 ms if it waited for a delayed acknowledgement. The fastest call
    # counts, because a busy machine delays some calls.
    assert min(seconds) < 0.03
