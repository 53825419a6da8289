"""`WindowRateLimiter` never permits more requests than allowed, and waits no longer than needed."""

import asyncio
import copy
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.rate_limiters import InMemoryRateLimiter
from openrouter_rerank import RateLimiter, WindowRateLimiter
from openrouter_rerank.errors import ConfigurationError

from tests.starvation import repeat_if_starved


def test_only_requests_beyond_the_limit_wait():
    """The first `requests` requests are permitted immediately, and further ones are not."""
    limiter = WindowRateLimiter(3, seconds=60)

    assert [limiter.acquire(blocking=False) for _ in range(5)] == [True] * 3 + [False] * 2


def test_the_defaults_are_those_of_free_models():
    """The defaults are OpenRouter's limits for `:free` models: 20 requests in a minute."""
    assert repr(WindowRateLimiter()) == "WindowRateLimiter(20, seconds=60)"


@repeat_if_starved
def test_threads_wait_for_the_next_period():
    """Six threads together get four permissions in each period."""
    limiter = WindowRateLimiter(4, seconds=0.2)
    started = time.monotonic()

    with ThreadPoolExecutor(6) as pool:
        permitted = list(pool.map(lambda _: limiter.acquire(), range(12)))

    assert permitted == [True] * 12
    assert 0.4 <= time.monotonic() - started < 2


def test_waiting_uses_no_cpu_time():
    """A thread that waits uses no CPU time."""
    limiter = WindowRateLimiter(1, seconds=0.3)
    limiter.acquire()
    before = time.thread_time()

    limiter.acquire()

    assert time.thread_time() - before < 0.05


def test_loops_and_threads_share_a_limiter():
    """Two event loops and a thread share the permissions of one limiter."""
    limiter = WindowRateLimiter(4, seconds=60)

    async def twice():
        return await asyncio.gather(*(limiter.aacquire(blocking=False) for _ in range(2)))

    assert asyncio.run(twice()) == [True, True]
    assert limiter.acquire(blocking=False)
    assert asyncio.run(twice()) == [True, False]


@repeat_if_starved
async def test_tasks_wait_for_the_next_period():
    """Tasks wait without blocking the event loop, and continue in the next period."""
    limiter = WindowRateLimiter(2, seconds=0.1)
    started = time.monotonic()

    assert await asyncio.gather(*(limiter.aacquire() for _ in range(6))) == [True] * 6
    assert 0.2 <= time.monotonic() - started < 2


async def test_a_cancelled_wait_uses_no_permission():
    """A task that is cancelled while it waits uses no permission."""
    limiter = WindowRateLimiter(1, seconds=0.2)
    await limiter.aacquire()
    waiting = [asyncio.create_task(limiter.aacquire()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()

    assert all(
        isinstance(outcome, asyncio.CancelledError)
        for outcome in await asyncio.gather(*waiting, return_exceptions=True)
    )
    async with asyncio.timeout(2):
        assert await limiter.aacquire()


def test_copies_share_a_limiter_and_pickles_do_not():
    """A copy is the original object; an unpickled limiter has its limits, and nothing used."""
    limiter = WindowRateLimiter(1, seconds=30)
    limiter.acquire()

    restored = pickle.loads(pickle.dumps(limiter))  # noqa: S301 - pickled here

    assert copy.deepcopy(limiter) is copy.copy(limiter) is limiter
    assert repr(restored) == "WindowRateLimiter(1, seconds=30)"
    assert restored.acquire(blocking=False)


@pytest.mark.parametrize("requests", [0, -1, 1.5, True, "20", None])
def test_an_invalid_number_of_requests_is_refused(requests):
    """`requests` must be a whole number, 1 or more."""
    with pytest.raises(ConfigurationError, match="requests must be a whole number"):
        WindowRateLimiter(requests)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 10**400, True, "60", None])
def test_an_invalid_period_is_refused(seconds):
    """`seconds` must be a positive, finite number."""
    with pytest.raises(ConfigurationError, match="seconds must be a positive number"):
        WindowRateLimiter(seconds=seconds)


@pytest.mark.parametrize(
    ("limiter", "is_limiter"),
    [
        (WindowRateLimiter(), True),
        (InMemoryRateLimiter(), True),
        (threading.Lock(), False),
        (20, False),
    ],
    ids=["ours", "langchain", "lock", "number"],
)
def test_limiters_are_recognized_by_their_methods(limiter, is_limiter):
    """An object is a rate limiter if it has the methods `acquire` and `aacquire`."""
    assert isinstance(limiter, RateLimiter) == is_limiter
