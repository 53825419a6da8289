"""The rate limiter for `:free` models: never more than it permits, and no longer a wait."""

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


def test_so_many_are_permitted_at_once():
    """The first requests of a window need not wait; the next is refused until it is over."""
    limiter = WindowRateLimiter(3, seconds=60)

    assert [limiter.acquire(blocking=False) for _ in range(5)] == [True] * 3 + [False] * 2


def test_what_is_granted_free_models_is_the_default():
    """OpenRouter grants twenty requests a minute."""
    assert repr(WindowRateLimiter()) == "WindowRateLimiter(20, seconds=60)"


@repeat_if_starved
def test_threads_wait_for_the_next_window():
    """However many threads ask, in each period there are so many permissions and no more."""
    limiter = WindowRateLimiter(4, seconds=0.2)
    started = time.monotonic()

    with ThreadPoolExecutor(6) as pool:
        permitted = list(pool.map(lambda _: limiter.acquire(), range(12)))

    assert permitted == [True] * 12
    assert 0.4 <= time.monotonic() - started < 2


def test_waiting_costs_no_time_of_the_processor():
    """Who waits sleeps."""
    limiter = WindowRateLimiter(1, seconds=0.3)
    limiter.acquire()
    before = time.thread_time()

    limiter.acquire()

    assert time.thread_time() - before < 0.05


def test_loops_and_threads_share_a_limiter():
    """Permissions given in one event loop are missing in another, and in a thread."""
    limiter = WindowRateLimiter(4, seconds=60)

    async def twice():
        return await asyncio.gather(*(limiter.aacquire(blocking=False) for _ in range(2)))

    assert asyncio.run(twice()) == [True, True]
    assert limiter.acquire(blocking=False)
    assert asyncio.run(twice()) == [True, False]


@repeat_if_starved
async def test_tasks_wait_for_the_next_window():
    """Tasks that wait go on when the window is over, and leave the loop alone until then."""
    limiter = WindowRateLimiter(2, seconds=0.1)
    started = time.monotonic()

    assert await asyncio.gather(*(limiter.aacquire() for _ in range(6))) == [True] * 6
    assert 0.2 <= time.monotonic() - started < 2


async def test_a_cancelled_wait_takes_nothing():
    """Who is cancelled while waiting has taken no permission from the others."""
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


def test_a_limiter_is_shared_by_copies_and_new_in_another_process():
    """A copy is the same limiter; a pickle has its numbers and nothing permitted yet."""
    limiter = WindowRateLimiter(1, seconds=30)
    limiter.acquire()

    restored = pickle.loads(pickle.dumps(limiter))  # noqa: S301 - its own

    assert copy.deepcopy(limiter) is copy.copy(limiter) is limiter
    assert repr(restored) == "WindowRateLimiter(1, seconds=30)"
    assert restored.acquire(blocking=False)


@pytest.mark.parametrize("requests", [0, -1, 1.5, True, "20", None])
def test_a_number_that_is_none_is_refused(requests):
    """At least one request must be permitted at some time."""
    with pytest.raises(ConfigurationError, match="requests must be a whole number"):
        WindowRateLimiter(requests)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 10**400, True, "60", None])
def test_a_period_that_is_none_is_refused(seconds):
    """A period is a positive, finite number of seconds."""
    with pytest.raises(ConfigurationError, match="seconds must be a positive number"):
        WindowRateLimiter(seconds=seconds)


@pytest.mark.parametrize(
    ("limiter", "is_one"),
    [
        (WindowRateLimiter(), True),
        (InMemoryRateLimiter(), True),
        (threading.Lock(), False),
        (20, False),
    ],
    ids=["ours", "langchain", "lock", "number"],
)
def test_limiters_are_known_by_their_verbs(limiter, is_one):
    """What has `acquire` and `aacquire` is a limiter."""
    assert isinstance(limiter, RateLimiter) == is_one
