"""The connection pool: which connections it keeps, for how long, and which ones it reuses."""

import asyncio
import gc
import time
import weakref

import pytest
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank._attempt import Attempt
from openrouter_rerank._transport.bounds import Bounds, ResponseBuilder
from openrouter_rerank._transport.pool import AsyncPool, Pool
from openrouter_rerank._wire.endpoint import EncodedHeaders
from openrouter_rerank._wire.request import encode


class PoolUser:
    """A sync or async pool with blocking methods, and the clock that it reads."""

    def __init__(self, mode, stage):
        self.now = 1000.0
        self._stage = stage
        self._runner = asyncio.Runner()
        kind = Pool if mode == "sync" else AsyncPool
        self.pool = kind(clock=lambda: self.now)

    def run(self, result):
        """Run `result` if it is a coroutine, and return its value."""
        return self._runner.run(_awaited(result)) if asyncio.iscoroutine(result) else result

    def take(self, **options):
        """Take a connection; return it, and `True` if it was used before."""
        return self.run(self.pool.take(self._stage.base_url, self, **options))

    def use(self, connection):
        """Make an exchange over `connection`, and put it back."""
        request = encode("m", "q", ("a",))
        attempt, bounds = (
            Attempt(request=request, timeout=9.0),
            Bounds(time.monotonic(), 9.0, "", str),
        )
        headers = EncodedHeaders(
            [
                (b"Host", b"a"),
                (b"Authorization", b"k"),
                (b"Content-Length", b"%d" % request.body.size),
            ]
        )
        url, response = f"{self._stage.base_url}/rerank", ResponseBuilder(attempt, bounds)
        self.run(connection.exchange(url, headers, request.body, response))
        self.run(self.pool.put(self._stage.base_url, connection, self))

    def close(self):
        """Close the idle connections and the event loop."""
        self.run(self.pool.close())
        self._runner.close()


async def _awaited(coroutine):
    return await coroutine


@pytest.fixture(params=["sync", "async"])
def user(request, local_openrouter):
    """A user of a pool with connections to the stage."""
    user = PoolUser(request.param, local_openrouter)
    yield user
    user.close()


@pytest.mark.parametrize(("seconds", "kept"), [(0.0, True), (59.0, True), (61.0, False)])
def test_a_connection_is_kept_for_a_minute(user, local_openrouter, seconds, kept):
    """An idle connection is reused within a minute, and closed later."""
    connection, _ = user.take()
    user.use(connection)
    user.now += seconds

    taken, reused = user.take()

    assert (taken is connection, reused) == (kept, kept)
    if not kept:
        local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)
    user.use(taken)


def test_idle_connections_that_are_not_needed_are_closed(user, local_openrouter):
    """Idle connections that were not needed for a minute are closed when another is put back."""
    first, second = user.take()[0], user.take()[0]
    user.use(first)
    user.use(second)
    user.now += 61.0

    third, _ = user.take(new=True)
    user.use(third)

    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 1)
    assert user.take() == (third, True)
    user.use(third)


def test_a_request_for_a_new_connection_closes_the_idle_ones(user, local_openrouter):
    """With `new=True` the pool opens a connection and closes the idle ones."""
    first, second = user.take()[0], user.take()[0]
    user.use(first)
    user.use(second)

    third, reused = user.take(new=True)
    user.use(third)

    assert not reused
    assert third not in {first, second}
    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 1)


def test_a_connection_closed_by_the_server_is_not_used(user, local_openrouter):
    """A connection that the server has closed is detected before a request is sent on it."""
    connection, _ = user.take()
    user.use(connection)
    local_openrouter.reset()

    taken, reused = user.take()

    assert (taken is connection, reused) == (False, False)
    user.use(taken)


def test_a_connection_of_a_closed_client_is_closed(user, local_openrouter):
    """A connection that is put back after its client was closed is closed too."""
    connection, _ = user.take()
    user.run(user.pool.release(user))

    user.use(connection)

    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)


# The test closes loops without closing their transports, so Python warns.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_pools_of_closed_event_loops_are_dropped(local_openrouter):
    """The next event loop drops the pools of loops that ended without closing their generators."""
    client = AsyncRerankClient(base_url=local_openrouter.base_url, api_key="k")
    loops = []
    for _ in range(3):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(client.rerank("q", ["a"]))
        loop.close()
        loops.append(weakref.ref(loop))
    del loop

    asyncio.run(client.rerank("q", ["a"]))
    gc.collect()

    assert [loop() for loop in loops] == [None] * 3
    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)
    assert len(local_openrouter.requests) == 4
