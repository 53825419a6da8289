"""The sockets of our own connections: addresses that are silent, cancellations, slow lines."""

import asyncio
import gc
import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

import httpcore
import pytest
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank._transport.async_sockets import AsyncSockets
from openrouter_rerank._transport.bounds import MOST_HELD
from openrouter_rerank._transport.sockets import Sockets
from openrouter_rerank.local.stage import unaccepting_address

from tests.client.slow_line import slow_line
from tests.promises.certificates import identified
from tests.starvation import repeat_if_starved

SLACK = 0.3
ENOUGH = 10.0
SILENT, ALIVE = "127.0.0.1", "127.0.0.2"


def connect(colour, addresses, port, *, time_left=ENOUGH, longest_connect=ENOUGH):
    """Connect to a host with these addresses, and hang up; return the seconds until then."""
    started = time.monotonic()
    if colour == "sync":
        sockets = Sockets(longest_connect=longest_connect, resolve=lambda *_: addresses)
        sockets.deadline = started + time_left
        with suppress(httpcore.ConnectTimeout):
            sockets.connect_tcp("host.example", port).close()
            return time.monotonic() - started
    else:

        async def resolve(*_):
            return [(socket.AF_INET, (address, port)) for address in addresses]

        async def call():
            sockets = AsyncSockets(longest_connect=longest_connect, resolve=resolve)
            stream = await sockets.connect_tcp("host.example", port, time_left)
            await stream.aclose()
            return time.monotonic() - started

        with suppress(httpcore.ConnectTimeout):
            return asyncio.run(call())
    return started - time.monotonic()


@pytest.fixture(scope="module")
def port():
    """A port where one address of this machine is silent, and another one answers."""
    with unaccepting_address() as base_url:
        port = urlsplit(base_url).port
        with socket.create_server((ALIVE, port)):
            yield port


both = pytest.mark.parametrize("colour", ["sync", "async"])


@both
@repeat_if_starved
def test_silent_addresses_share_the_time(colour, port):
    """A host of four addresses, none of which answers, costs the time once and not four times."""
    taken = connect(colour, [SILENT] * 4, port, time_left=0.4)

    assert -0.4 - SLACK < taken <= -0.35


@both
@repeat_if_starved
def test_a_silent_address_costs_no_more_than_its_share(colour, port):
    """When time is scarce, each address has its share of it, and the last one is still tried."""
    taken = connect(colour, [SILENT, SILENT, ALIVE], port, time_left=0.6)

    assert 0.3 < taken < 0.6


@both
@repeat_if_starved
def test_connecting_has_a_bound_of_its_own(colour, port):
    """However much time there is, connecting to one address takes no longer than a bound."""
    taken = connect(colour, [SILENT], port, longest_connect=0.1)

    assert -0.1 - SLACK < taken <= -0.1


@repeat_if_starved
def test_a_handshake_has_the_same_bound(port):
    """However much time there is, a handshake that nobody answers ends."""
    sockets = Sockets(longest_connect=0.1, resolve=lambda *_: [ALIVE])
    sockets.deadline = time.monotonic() + ENOUGH
    stream = sockets.connect_tcp("host.example", port)
    started = time.monotonic()

    with pytest.raises(httpcore.ConnectTimeout):
        stream.start_tls(ssl.create_default_context(), "host.example")

    assert 0.1 <= time.monotonic() - started < 0.1 + SLACK


@both
@repeat_if_starved
def test_one_address_answers_behind_a_silent_one(colour, port):
    """The next address of a host is tried while there is plenty of time left."""
    assert 0.1 <= connect(colour, [SILENT, ALIVE], port, longest_connect=0.2) < 0.2 + SLACK


@both
@repeat_if_starved
def test_an_address_that_refuses_costs_nothing(colour, port):
    """The next address is tried at once when one refuses."""
    assert 0 < connect(colour, ["127.0.0.3", ALIVE], port) < SLACK


@contextmanager
def server(tls):
    """The port of a server that completes handshakes, and says nothing."""

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
    """Wherever connecting and the handshake are cancelled, no socket and no task is left."""
    authority, tls = identified()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def resolve(_, port):
        return [(socket.AF_INET, (address, port)) for address in addresses]

    async def connected(port):
        stream = await AsyncSockets(resolve=resolve).connect_tcp("host.example", port, ENOUGH)
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

    # What is still open warns when it is collected.
    gc.collect()
    assert asyncio.all_tasks() == before
    assert cancelled > 4


async def test_a_name_is_looked_up_within_the_time():
    """A resolver that does not answer costs the time for connecting, and can be cancelled."""

    async def resolve(*_):
        await asyncio.Event().wait()

    with pytest.raises(httpcore.ConnectTimeout):
        await AsyncSockets(resolve=resolve).connect_tcp("host.example", 1, 0.05)


def test_twelve_megabytes_over_a_slow_line(make):
    """A large request that takes its time, but not all of it, is answered."""
    with slow_line(0.002) as base_url:
        ranking = make(base_url=base_url, timeout=30).rerank("q", ["x" * 12_000_000])

    assert (len(ranking.results), ranking.attempts) == (1, 1)


async def test_a_loop_that_ends_leaves_no_warning(local_openrouter):
    """Connections that are kept when their loop ends are closed with it, without a warning."""

    async def call():
        client = AsyncRerankClient(base_url=local_openrouter.base_url, api_key="k")
        await asyncio.gather(*(client.rerank("q", ["a"]) for _ in range(5)))

    await asyncio.to_thread(asyncio.run, call())
    gc.collect()
    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: local_openrouter.open_connections == 0
    )
    assert len(local_openrouter.requests) == 5


@contextmanager
def talk(colour):
    """Two functions that write and read on one end of a connection, and the other end of it."""

    async def resolve(*_):
        return [(socket.AF_INET, (ALIVE, port))]

    with socket.create_server((ALIVE, 0)) as listener, asyncio.Runner() as runner:
        port = listener.getsockname()[1]
        if colour == "sync":
            sockets = Sockets(resolve=lambda *_: [ALIVE])
            sockets.deadline = time.monotonic() + ENOUGH
            stream = sockets.connect_tcp("host.example", port)
            with closing(stream), listener.accept()[0] as other:
                yield stream.write, stream.read, other
            return
        stream = runner.run(AsyncSockets(resolve=resolve).connect_tcp("host.example", port))
        with listener.accept()[0] as other:
            yield (
                lambda data: runner.run(stream.write(data)),
                lambda most: runner.run(stream.read(most)),
                other,
            )
        runner.run(stream.aclose())


@both
def test_a_head_goes_out_with_its_body(colour):
    """What is small waits until something is read, so that a request is one packet."""
    with talk(colour) as (write, read, other):
        for message in (b"head", b"body", b""):
            write(message)
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(1)
        other.sendall(b"answer")

        assert read(99) == b"answer"

        other.setblocking(True)
        assert other.recv(99) == b"headbody"


@both
@pytest.mark.parametrize("size", [1, MOST_HELD - 4, MOST_HELD - 3, MOST_HELD, 9 * MOST_HELD])
def test_messages_arrive_as_they_were_written(colour, size):
    """Whatever the sizes of a head and the pieces of its body, they are sent whole, in order."""
    messages = [b"head", b"1" * size, b"2" * size, b"", b"end"]
    arrived = bytearray()

    def answer():
        while len(arrived) < sum(map(len, messages)):
            arrived.extend(other.recv(MOST_HELD))
        other.sendall(b"answer")

    with talk(colour) as (write, read, other):
        reader = threading.Thread(target=answer)
        reader.start()
        for message in messages:
            write(message)
        assert read(99) == b"answer"
        reader.join()

    assert arrived == b"".join(messages)


@both
def test_an_answer_that_came_first_is_read(colour):
    """A server that answers before it has read anything, and hangs up, has its answer read."""
    with talk(colour) as (write, read, other):
        write(b"request")
        other.sendall(b"too large")
        other.shutdown(socket.SHUT_RDWR)
        if colour == "sync":
            # Nothing can be written any more; for asynchronous calls that is so from the end on.
            write.__self__.get_extra_info("socket").shutdown(socket.SHUT_WR)
        else:
            assert read(3) == b"too"
            write(b"more")

        assert read(99) in {b"too large", b" large"}


@repeat_if_starved
def test_large_messages_are_sent_at_once(make):
    """A head and a large body are two messages, and the second does not wait for the first."""
    caller = make()
    caller.rerank("q", ["a" * MOST_HELD])

    seconds = []
    for _ in range(20):
        started = time.monotonic()
        caller.rerank("q", ["a" * MOST_HELD])
        seconds.append(time.monotonic() - started)

    # 40 ms is what each takes when the one system waits for the other; a busy machine delays some.
    assert min(seconds) < 0.03
