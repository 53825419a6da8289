"""Which connections are kept, for how long, and when they are used again."""

import asyncio
import time

import pytest
from openrouter_rerank._attempt import Attempt
from openrouter_rerank._transport.bounds import Body, Watch
from openrouter_rerank._transport.pool import AsyncConnections, Connections
from openrouter_rerank._wire.headers import EncodedHeaders
from openrouter_rerank._wire.request import encode


class Keeper:
    """Connections of either kind, whose methods block, and the time by which they are kept."""

    def __init__(self, colour, stage):
        self.now = 1000.0
        self._stage = stage
        self._runner = asyncio.Runner()
        kind = Connections if colour == "sync" else AsyncConnections
        self.kept = kind(clock=lambda: self.now)

    def done(self, result):
        """Wait for what is to be awaited."""
        return self._runner.run(_awaited(result)) if asyncio.iscoroutine(result) else result

    def take(self, **options):
        """Take a connection; tell whether it was used before."""
        return self.done(self.kept.take(self._stage.base_url, self, **options))

    def use(self, channel):
        """Make a call on it."""
        request = encode("m", "q", ("a",))
        answer = Body(Attempt(request=request, timeout=9.0), Watch(time.monotonic() + 9.0))
        headers = EncodedHeaders(
            [
                (b"Host", b"a"),
                (b"Authorization", b"k"),
                (b"Content-Length", b"%d" % request.body.size),
            ]
        )
        url = f"{self._stage.base_url}/rerank"
        self.done(channel.exchange(url, headers, request.body, answer))
        self.done(self.kept.put(self._stage.base_url, channel, self))

    def close(self):
        """Close what is kept."""
        self.done(self.kept.close())
        self._runner.close()


async def _awaited(coroutine):
    return await coroutine


@pytest.fixture(params=["sync", "async"])
def keeper(request, local_openrouter):
    """Keeps connections to the stage."""
    keeper = Keeper(request.param, local_openrouter)
    yield keeper
    keeper.close()


@pytest.mark.parametrize(("seconds", "again"), [(0.0, True), (59.0, True), (61.0, False)])
def test_a_connection_is_kept_for_a_minute(keeper, local_openrouter, seconds, again):
    """A connection is used again within a minute, and closed after it."""
    channel, _ = keeper.take()
    keeper.use(channel)
    keeper.now += seconds

    found, reused = keeper.take()

    assert (found is channel, reused) == (again, again)
    if not again:
        local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)
    keeper.use(found)


def test_those_that_are_not_needed_are_closed(keeper, local_openrouter):
    """Connections at the bottom of the stack are closed when a minute has passed without them."""
    first, second = keeper.take()[0], keeper.take()[0]
    keeper.use(first)
    keeper.use(second)
    keeper.now += 61.0

    third, _ = keeper.take(new=True)
    keeper.use(third)

    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 1)
    assert keeper.take() == (third, True)
    keeper.use(third)


def test_where_one_is_stale_none_is_used(keeper, local_openrouter):
    """Whoever asks for a new connection gets one, and those that were kept are closed."""
    first, second = keeper.take()[0], keeper.take()[0]
    keeper.use(first)
    keeper.use(second)

    third, reused = keeper.take(new=True)
    keeper.use(third)

    assert not reused
    assert third not in {first, second}
    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 1)


def test_what_the_server_has_closed_is_not_used(keeper, local_openrouter):
    """A connection that the server has closed meanwhile is seen before anything is sent on it."""
    channel, _ = keeper.take()
    keeper.use(channel)
    local_openrouter.reset()

    found, reused = keeper.take()

    assert (found is channel, reused) == (False, False)
    keeper.use(found)


def test_the_connection_of_a_client_that_was_closed_is_closed(keeper, local_openrouter):
    """A connection that comes back when its client is closed already is not kept."""
    channel, _ = keeper.take()
    keeper.done(keeper.kept.release(keeper))

    keeper.use(channel)

    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)
