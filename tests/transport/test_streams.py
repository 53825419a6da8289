"""The streams of the client's own connections: what they write and read, and their buffers."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpcore
import pytest
from openrouter_rerank._transport.async_sockets import connect
from openrouter_rerank._transport.async_stream import AsyncStream
from openrouter_rerank._transport.bounds import HELD_BYTES
from openrouter_rerank._transport.sockets import Sockets, Stream

from tests.slow_server import slow_server
from tests.starvation import repeat_if_starved
from tests.transport.host_addresses import ACCEPTING, resolving

LONG_TIMEOUT = 10.0
both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@dataclass
class Ends:
    """The two ends of a connection: a stream with blocking methods, and the server's socket."""

    sockets: Sockets | None
    """`None` if the stream is asynchronous."""
    stream: Stream | AsyncStream
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
        timeout = () if self.sockets else (LONG_TIMEOUT,)
        self.run(self.stream.start_tls(ssl.create_default_context(), "host.example", *timeout))

    def is_readable(self):
        """Return `True` if the stream can be read without waiting."""
        return self.stream.is_readable()


@contextmanager
def connected_ends(mode):
    """Connect a stream to a loopback server; yield both ends of the connection."""
    with socket.create_server((ACCEPTING, 0)) as listener, asyncio.Runner() as runner:
        port = listener.getsockname()[1]
        if mode == "sync":
            sockets = Sockets(resolve=lambda *_: [ACCEPTING])
            sockets.deadline = time.monotonic() + LONG_TIMEOUT
            stream = sockets.connect("host.example", port)
            with closing(stream), listener.accept()[0] as server:
                yield Ends(sockets, stream, server, lambda result: result)
            return
        connecting = connect("host.example", port, LONG_TIMEOUT, resolve=resolving(ACCEPTING))
        stream = runner.run(connecting)
        with listener.accept()[0] as server:
            yield Ends(None, stream, server, runner.run)
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
            ends.stream._socket.shutdown(socket.SHUT_WR)  # noqa: SLF001 - no public one
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


def test_no_handshake_begins_after_the_deadline():
    """If the deadline passes before the handshake, the connection is closed and nothing is sent."""
    with connected_ends("sync") as ends:
        ends.sockets.deadline = time.monotonic()
        with pytest.raises(httpcore.ConnectTimeout):
            ends.stream.start_tls(ssl.create_default_context(), "host.example")

        assert ends.server.recv(99) == b""


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


def test_a_request_of_twelve_megabytes_to_a_slow_server(make_client):
    """A large request to a slow server succeeds if the timeout is long enough."""
    with slow_server(0.002) as base_url:
        ranking = make_client(base_url=base_url, timeout=30).rerank("q", ["x" * 12_000_000])

    assert (len(ranking.results), ranking.attempts) == (1, 1)


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
