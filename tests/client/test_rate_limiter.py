"""The `rate_limiter` option: each request waits for permission, but not beyond the deadline."""

import asyncio
import time

import pytest
from langchain_core.rate_limiters import InMemoryRateLimiter
from openrouter_rerank import AsyncRerankClient, RerankClient, WindowRateLimiter
from openrouter_rerank.errors import (
    APIConnectionError,
    ConfigurationError,
    DeadlineExceededError,
)
from openrouter_rerank.local.stage import error

from tests.clients import CLIENT_KIND_IDS, CLIENT_KINDS
from tests.starvation import repeat_if_starved

QUERY = "capital of France"
DOCUMENTS = ["Berlin is the capital of Germany.", "Paris is the capital of France.", "Bread"]

ALL_CLIENT_KINDS = pytest.mark.parametrize(
    "client_kind", CLIENT_KINDS, ids=CLIENT_KIND_IDS, indirect=True
)


class Limiter:
    """Returns or raises each outcome in turn, and then returns `True`; counts the permissions."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.permitted = 0

    def acquire(self, *, blocking=True):
        """Return or raise the next outcome."""
        outcome = self.outcomes.pop(0) if self.outcomes else True
        if isinstance(outcome, Exception):
            raise outcome
        self.permitted += outcome
        return outcome

    async def aacquire(self, *, blocking=True):
        """Return or raise the next outcome; if `blocking`, skip refusals."""
        return self.acquire() or (blocking and await self.aacquire())


@ALL_CLIENT_KINDS
def test_each_request_needs_one_permission(make_client, stage):
    """Each attempt, of each model and part, takes one permission; an empty call takes none."""
    limiter = Limiter(False, True)
    # One at a time, because a failure could cancel a concurrent request after its permission.
    client = make_client(rate_limiter=limiter, max_retries=1, max_concurrency=1)
    stage.script(error(503, "down", retry_after=0), error(503, "down"), error(503, "down"))

    client.rerank(
        QUERY, DOCUMENTS, model="a/b", fallback_models=["c/d"], max_documents_per_request=2
    )
    client.rerank(QUERY, [])

    assert limiter.permitted == len(stage.requests) >= 4


@ALL_CLIENT_KINDS
@repeat_if_starved
def test_nothing_is_sent_without_permission(make_client, stage):
    """Without permission by the deadline, the error names the rate limiter; nothing is sent."""
    limiter = WindowRateLimiter(1, seconds=60)
    limiter.acquire()
    started = time.monotonic()

    with pytest.raises(
        DeadlineExceededError, match=r"waited 0\.\d s for permission of rate_limiter"
    ) as caught:
        make_client(rate_limiter=limiter, timeout=0.3).rerank(QUERY, DOCUMENTS)

    assert 0.29 < time.monotonic() - started < 2
    assert (caught.value.attempts, caught.value.retryable) == (0, True)
    assert stage.requests == []


@ALL_CLIENT_KINDS
def test_clients_share_a_limiter(make_client, stage):
    """The requests of all clients count towards the limiter that they share."""
    limiter = WindowRateLimiter(2, seconds=0.3)
    started = time.monotonic()

    for _ in range(3):
        make_client(rate_limiter=limiter).rerank(QUERY, DOCUMENTS)

    assert time.monotonic() - started > 0.3
    assert len(stage.requests) == 3


@ALL_CLIENT_KINDS
def test_langchain_rate_limiters_are_accepted(make_client, stage):
    """LangChain's `InMemoryRateLimiter` limits the rate of the requests."""
    limiter = InMemoryRateLimiter(requests_per_second=20, check_every_n_seconds=0.01)
    client = make_client(rate_limiter=limiter)
    started = time.monotonic()

    client.rerank_concurrently(4, QUERY, DOCUMENTS)

    assert time.monotonic() - started > 0.19
    assert len(stage.requests) == 4


@ALL_CLIENT_KINDS
def test_a_limiter_that_raises_once_is_retried(make_client, stage):
    """An exception of the limiter is retried like a failure to connect."""
    limiter = Limiter(OSError("redis://user:password@host"), True)

    ranking = make_client(rate_limiter=limiter).rerank(QUERY, DOCUMENTS)

    assert (ranking.attempts, len(stage.requests)) == (1, 1)


@ALL_CLIENT_KINDS
def test_a_limiter_that_always_raises_is_a_typed_error(make_client, stage):
    """The error names the exception's class but not its message, which may contain a password."""
    limiter = Limiter(*[TimeoutError("redis://user:password@host")] * 3)

    with pytest.raises(APIConnectionError) as caught:
        make_client(rate_limiter=limiter).rerank(QUERY, DOCUMENTS)

    assert caught.value.message == (
        "rate_limiter failed, and nothing was sent: TimeoutError. Correct rate_limiter."
    )
    assert (caught.value.attempts, caught.value.retryable) == (0, True)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert stage.requests == []


async def test_a_cancelled_wait_releases_its_request_slot(stage):
    """A call that is cancelled while it waits for permission leaves no slot taken and no task."""

    class WaitingLimiter(Limiter):
        def __init__(self):
            super().__init__()
            self.called = asyncio.Event()

        async def aacquire(self, *, blocking=True):
            if not self.called.is_set():
                self.called.set()
                await asyncio.Event().wait()
            return True

    limiter = WaitingLimiter()
    options = {"base_url": stage.base_url, "api_key": stage.api_key, "max_concurrency": 1}
    async with AsyncRerankClient(rate_limiter=limiter, **options) as client:
        waiting = asyncio.create_task(client.rerank(QUERY, DOCUMENTS))
        await asyncio.wait_for(limiter.called.wait(), 5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        ranking = await client.rerank(QUERY, DOCUMENTS)

    assert (ranking.attempts, len(stage.requests)) == (1, 1)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_limiter_that_refuses_is_not_asked_again(stage):
    """If a limiter returns `False` without waiting, the call fails and does not ask it again."""

    class RefusingLimiter(Limiter):
        async def aacquire(self, *, blocking=True):
            return False

    options = {"base_url": stage.base_url, "api_key": stage.api_key}
    async with AsyncRerankClient(rate_limiter=RefusingLimiter(), **options) as client:
        with pytest.raises(DeadlineExceededError, match="permission of rate_limiter"):
            await client.rerank(QUERY, DOCUMENTS)


@pytest.mark.parametrize("client", [RerankClient, AsyncRerankClient])
@pytest.mark.parametrize(
    "limiter", [20, "20/minute", asyncio.Semaphore(20)], ids=lambda limiter: type(limiter).__name__
)
def test_an_object_that_is_no_limiter_is_refused(client, limiter):
    """The error names the type of the object and the methods that a limiter needs."""
    with pytest.raises(ConfigurationError, match=f"is of type {type(limiter).__name__}, which"):
        client(rate_limiter=limiter)


class AsyncOnly:
    """A limiter that is written for async code alone."""

    async def acquire(self, *, blocking=True):
        """Permit nothing."""
        return False

    async def aacquire(self, *, blocking=True):
        """Permit nothing."""
        return False


@pytest.mark.parametrize("client", [RerankClient, AsyncRerankClient])
def test_a_limiter_with_an_async_acquire_is_refused(client):
    """A coroutine would count as a permission; the error says what `acquire` must be."""
    with pytest.raises(ConfigurationError, match=r"acquire of AsyncOnly is async.+plain function"):
        client(rate_limiter=AsyncOnly())


class Wrapped:
    """A limiter whose methods do not show that they return awaitables, or none."""

    def __init__(self, acquire, aacquire):
        self._acquire, self._aacquire = acquire, aacquire

    def acquire(self, *, blocking=True):
        """Return what the function of the test returns."""
        return self._acquire()

    def aacquire(self, *, blocking=True):
        """Return what the function of the test returns."""
        return self._aacquire()


class Awaitable:
    """An object that can be awaited and is not a coroutine."""

    def __await__(self):
        """Return a refusal."""
        yield from ()
        return False


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("acquire", "aacquire"),
    [(AsyncOnly().acquire, bool), (Awaitable, bool), (Awaitable, lambda: True)],
    ids=["a coroutine", "another awaitable", "a permission that is not awaited"],
)
@ALL_CLIENT_KINDS
def test_a_limiter_that_is_async_in_the_wrong_method_permits_nothing(
    make_client, stage, acquire, aacquire
):
    """An awaitable of `acquire`, or none of `aacquire`, is a typed error, and nothing is sent."""
    client = make_client(rate_limiter=Wrapped(acquire, aacquire))

    message = "acquire of Wrapped (is async, so|returns (True|False), which cannot be awaited)"
    with pytest.raises(ConfigurationError, match=message):
        client.rerank(QUERY, DOCUMENTS)

    assert stage.requests == []
