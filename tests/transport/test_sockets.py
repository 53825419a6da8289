"""The sockets of our own connections: silent addresses, cancellations, buffers, TLS."""

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

from tests.certificates import identified
from tests.slow_server import slow_line
from tests.starvation import repeat_if_starved

SLACK = 0.3
ENOUGH = 10.0
SILENT, ALIVE = "127.0.0.1", "127.0.0.2"


def resolving(*addresses):
    """A resolver for asynchronous sockets that finds these addresses, whatever the name."""

    async def resolve(_, port):
        return [(socket.AF_INET, (address, port)) for address in addresses]

    return resolve


def connect(mode, addresses, port, *, time_left=ENOUGH, connect_timeout=ENOUGH):
    """Connect to a host with these addresses; return the seconds, negative if that timed out."""
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
    """A port where one address of this machine never accepts, and another one accepts."""
    with unaccepting_address() as base_url:
        port = urlsplit(base_url).port
        with socket.create_server((ALIVE, port)):
            yield port


both = pytest.mark.parametrize("mode", ["sync", "async"])


@both
@repeat_if_starved
def test_silent_addresses_share_the_time(mode, port):
    """A host with four silent addresses takes the connect time once, not four times."""
    taken = connect(mode, [SILENT] * 4, port, time_left=0.4)

    assert -0.4 - SLACK < taken <= -0.35


@both
@repeat_if_starved
def test_a_silent_address_costs_no_more_than_its_share(mode, port):
    """If little time is left, each address gets an equal share, and the last one is still tried."""
    taken = connect(mode, [SILENT, SILENT, ALIVE], port, time_left=0.6)

    assert 0.3 < taken < 0.6


@both
@repeat_if_starved
def test_connecting_has_a_bound_of_its_own(mode, port):
    """Connecting to one address has its own limit, even if the call has more time."""
    taken = connect(mode, [SILENT], port, connect_timeout=0.1)

    assert -0.1 - SLACK < taken <= -0.1


@both
@repeat_if_starved
def test_a_handshake_has_the_same_bound(mode, port):
    """A TLS handshake that the server does not answer ends, even if the call has more time."""
    trusting = ssl.create_default_context()
    if mode == "sync":
        sockets = Sockets(connect_timeout=0.1, resolve=lambda *_: [ALIVE])
        sockets.deadline = time.monotonic() + ENOUGH
        stream = sockets.connect_tcp("host.example", port)
        started = time.monotonic()
        with pytest.raises(httpcore.ConnectTimeout):
            stream.start_tls(trusting, "host.example")
    else:

        async def handshake():
            stream = await AsyncSockets(resolve=resolving(ALIVE)).connect_tcp("host.example", port)
            started = time.monotonic()
            with pytest.raises(httpcore.ConnectTimeout):
                await stream.start_tls(trusting, "host.example", 0.1)
            return started

        started = asyncio.run(handshake())

    assert 0.1 <= time.monotonic() - started < 0.1 + SLACK


def test_a_handshake_is_not_begun_when_the_time_is_up():
    """If the deadline passes before the handshake, the connection is closed and nothing is sent."""
    with talk("sync") as ends:
        ends.sockets.deadline = time.monotonic()
        with pytest.raises(httpcore.ConnectTimeout):
            ends.stream.start_tls(ssl.create_default_context(), "host.example")

        assert ends.other.recv(99) == b""


def test_no_address_is_tried_when_the_time_is_up(port):
    """If the deadline passes during the lookup of a name, no address is tried."""
    assert connect("sync", [ALIVE], port, time_left=0) <= 0


@both
@repeat_if_starved
def test_one_address_answers_behind_a_silent_one(mode, port):
    """The next address of a host is tried long before the time is up."""
    assert 0.1 <= connect(mode, [SILENT, ALIVE], port, connect_timeout=0.2) < 0.2 + SLACK


@both
@repeat_if_starved
def test_an_address_that_refuses_costs_nothing(mode, port):
    """If an address refuses, the next one is tried immediately."""
    assert 0 < connect(mode, ["127.0.0.3", ALIVE], port) < SLACK


@both
def test_addresses_that_all_refuse_are_an_error(mode, port):
    """If every address of a host refuses, the error of the last one is raised immediately."""
    started = time.monotonic()

    with pytest.raises(httpcore.ConnectError) as caught:
        connect(mode, ["127.0.0.3", "127.0.0.4"], port)

    assert caught.value.__cause__.errno == errno.ECONNREFUSED
    assert time.monotonic() - started < SLACK


def look_up(mode, host, port):
    """Look `host` up in the system, connect to it, and close."""
    if mode == "sync":
        sockets = Sockets()
        sockets.deadline = time.monotonic() + ENOUGH
        sockets.connect_tcp(host, port).close()
        return

    async def call():
        await (await AsyncSockets().connect_tcp(host, port)).aclose()

    asyncio.run(call())


@both
def test_a_name_is_looked_up(mode):
    """The name of a host is looked up, and its addresses are tried."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        look_up(mode, "localhost", server.getsockname()[1])

        assert server.accept()[0].close() is None


@both
def test_a_name_that_cannot_be_looked_up_is_an_error(mode):
    """A host name that the system refuses, here one with too long a label, is a connect error."""
    with pytest.raises(httpcore.ConnectError):
        look_up(mode, "a" * 64 + ".example", 1)


@contextmanager
def server(tls):
    """The port of a server that completes TLS handshakes, and sends nothing else."""

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


@pytest.mark.parametrize("addresses", [[SILENT], [ALIVE, SILENT]], ids=["one", "two"])
@repeat_if_starved
async def test_connecting_can_be_cancelled_at_any_step(addresses):
    """No socket and no task is left, at whatever step connecting or the handshake is cancelled."""
    authority, tls = identified()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def connected(port):
        sockets = AsyncSockets(resolve=resolving(*addresses))
        stream = await sockets.connect_tcp("host.example", port, ENOUGH)
        try:
            await stream.start_tls(trusting, "127.0.0.1", ENOUGH)
        finally:
            await stream.aclose()

    cancelled = 0
    before = asyncio.all_tasks()
    with server(tls) as port:
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


async def test_a_name_is_looked_up_within_the_time():
    """A resolver that does not answer takes only the connect time, because it is cancelled."""

    async def resolve(*_):
        await asyncio.Event().wait()

    with pytest.raises(httpcore.ConnectTimeout):
        await AsyncSockets(resolve=resolve).connect_tcp("host.example", 1, 0.05)


def test_twelve_megabytes_over_a_slow_line(make):
    """A large request to a slow server gets its response if the timeout allows it."""
    with slow_line(0.002) as base_url:
        ranking = make(base_url=base_url, timeout=30).rerank("q", ["x" * 12_000_000])

    assert (len(ranking.results), ranking.attempts) == (1, 1)


async def test_a_loop_that_ends_leaves_no_warning(local_openrouter):
    """Idle connections are closed when their loop ends, without a warning."""

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
    other: socket.socket
    run: Callable[[Any], Any]

    def write(self, data):
        """Write to the stream."""
        self.run(self.stream.write(data))

    def read(self, most):
        """Read from the stream."""
        return self.run(self.stream.read(most))

    def start_tls(self):
        """Begin a TLS handshake on the stream."""
        self.run(self.stream.start_tls(ssl.create_default_context(), "host.example", ENOUGH))

    def is_readable(self):
        """Return whether the stream says that it can be read without waiting."""
        return self.stream.get_extra_info("is_readable")


@contextmanager
def talk(mode):
    """Connect a stream to a server on this machine; the value is both ends."""
    with socket.create_server((ALIVE, 0)) as listener, asyncio.Runner() as runner:
        port = listener.getsockname()[1]
        if mode == "sync":
            sockets = Sockets(resolve=lambda *_: [ALIVE])
            sockets.deadline = time.monotonic() + ENOUGH
            stream = sockets.connect_tcp("host.example", port)
            with closing(stream), listener.accept()[0] as other:
                yield Ends(sockets, stream, other, lambda result: result)
            return
        sockets = AsyncSockets(resolve=resolving(ALIVE))
        stream = runner.run(sockets.connect_tcp("host.example", port))
        with listener.accept()[0] as other:
            yield Ends(sockets, stream, other, runner.run)
        runner.run(stream.aclose())


@both
def test_a_head_goes_out_with_its_body(mode):
    """Small writes wait until something is read, so that a request is one packet."""
    with talk(mode) as ends:
        for message in (b"head", b"body", b""):
            ends.write(message)
        ends.other.setblocking(False)
        with pytest.raises(BlockingIOError):
            ends.other.recv(1)
        ends.other.sendall(b"answer")

        assert ends.read(99) == b"answer"

        ends.other.setblocking(True)
        assert ends.other.recv(99) == b"headbody"


@both
@pytest.mark.parametrize("size", [1, HELD_BYTES - 4, HELD_BYTES - 3, HELD_BYTES, 9 * HELD_BYTES])
def test_messages_arrive_as_they_were_written(mode, size):
    """A head and the pieces of a body of any size are sent completely and in order."""
    messages = [b"head", b"1" * size, b"2" * size, b"", b"end"]
    arrived = bytearray()

    def answer():
        while len(arrived) < sum(map(len, messages)):
            arrived.extend(ends.other.recv(HELD_BYTES))
        ends.other.sendall(b"answer")

    with talk(mode) as ends:
        reader = threading.Thread(target=answer)
        reader.start()
        for message in messages:
            ends.write(message)
        assert ends.read(99) == b"answer"
        reader.join()

    assert arrived == b"".join(messages)


@both
def test_a_response_that_came_first_is_read(mode):
    """If a server responds before it has read anything, and closes, its response is read."""
    with talk(mode) as ends:
        ends.write(b"request")
        ends.other.sendall(b"too large")
        ends.other.shutdown(socket.SHUT_RDWR)
        if mode == "sync":
            # Writing fails from now on. An asynchronous stream refuses to write after the end.
            ends.stream.get_extra_info("socket").shutdown(socket.SHUT_WR)
        else:
            assert ends.read(3) == b"too"
            ends.write(b"more")

        assert ends.read(99) in {b"too large", b" large"}


@both
def test_a_stream_says_whether_it_can_be_read(mode):
    """A stream is readable while bytes are left, and when the connection has ended."""
    with talk(mode) as ends:
        readable = [ends.is_readable()]
        ends.other.sendall(b"ab")
        for _ in range(2):
            assert len(ends.read(1)) == 1
            readable.append(ends.is_readable())
        ends.other.shutdown(socket.SHUT_RDWR)
        assert ends.read(1) == b""
        readable.append(ends.is_readable())

    assert readable == [False, True, False, True]


@both
def test_tls_over_a_connection_that_has_ended_is_an_error(mode):
    """A handshake on a connection that the server has closed is a connect error."""
    with talk(mode) as ends:
        ends.other.shutdown(socket.SHUT_RDWR)
        assert ends.read(1) == b""

        with pytest.raises(httpcore.ConnectError):
            ends.start_tls()


def test_bytes_that_nobody_reads_stay_with_the_server():
    """An asynchronous stream stops receiving when 256 KiB wait for their reader, and resumes."""
    sent = bytes(range(256)) * 4096 * 4
    at, refused = 0, 0
    with talk("async") as ends:
        # Small buffers of the system, so that few bytes are on their way.
        ends.other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        connected = ends.stream.transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        ends.other.setblocking(False)
        # If the server cannot send for a hundred turns of the loop, all buffers are full.
        while refused < 100 and at < len(sent):
            try:
                at += ends.other.send(sent[at : at + HELD_BYTES])
                refused = 0
            except BlockingIOError:
                refused += 1
            ends.run(asyncio.sleep(0.0005))
        assert at < len(sent) / 2
        ends.other.setblocking(True)
        rest = threading.Thread(target=ends.other.sendall, args=(sent[at:],))
        rest.start()

        received = bytearray()
        while len(received) < len(sent) and (piece := ends.read(HELD_BYTES)):
            received += piece
        rest.join()

    assert received == sent


@repeat_if_starved
def test_large_messages_are_sent_at_once(make):
    """A head and a large body are two packets, and the second one does not wait for the first."""
    caller = make()
    caller.rerank("q", ["a" * HELD_BYTES])

    seconds = []
    for _ in range(20):
        started = time.monotonic()
        caller.rerank("q", ["a" * HELD_BYTES])
        seconds.append(time.monotonic() - started)

    # Each call takes 40 ms if one system waits for the other's acknowledgement. A busy machine
    # delays some calls.
    assert min(seconds) < 0.03
