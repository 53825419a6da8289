"""The rate limiter: asked before each request, and never waited for beyond the deadline."""

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

from tests.clients import KINDS, NAMES
from tests.starvation import repeat_if_starved

QUERY = "capital of France"
DOCUMENTS = ["Berlin is the capital of Germany.", "Paris is the capital of France.", "Bread"]

EVERY_EXCHANGE = pytest.mark.parametrize("client_kind", KINDS, ids=NAMES, indirect=True)


class Limiter:
    """Gives the answers of a list, then `True`; counts the permissions."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.permitted = 0

    def acquire(self, *, blocking=True):
        """Give the next answer."""
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        self.permitted += answer
        return answer

    async def aacquire(self, *, blocking=True):
        """Give the next answer; waiting for `True` if need be."""
        return self.acquire() or (blocking and await self.aacquire())


@EVERY_EXCHANGE
def test_each_request_needs_a_permission(make, stage):
    """Retries, fallbacks and parts are requests, and a call that sends nothing needs none."""
    limiter = Limiter(False, True)
    # One at a time: what a failure cancels may be permitted and not yet sent.
    client = make(rate_limiter=limiter, max_retries=1, max_concurrency=1)
    stage.script(error(503, "down", retry_after=0), error(503, "down"), error(503, "down"))

    client.rerank(
        QUERY, DOCUMENTS, model="a/b", fallback_models=["c/d"], max_documents_per_request=2
    )
    client.rerank(QUERY, [])

    assert limiter.permitted == len(stage.requests) >= 4


@EVERY_EXCHANGE
@repeat_if_starved
def test_nothing_is_sent_without_permission(make, stage):
    """A wait for permission ends by the deadline, with an error that says what was waited for."""
    limiter = WindowRateLimiter(1, seconds=60)
    limiter.acquire()
    started = time.monotonic()

    with pytest.raises(DeadlineExceededError, match="rate limiter gave no permission") as caught:
        make(rate_limiter=limiter, timeout=0.3).rerank(QUERY, DOCUMENTS)

    assert 0.29 < time.monotonic() - started < 2
    assert (caught.value.attempts, caught.value.retryable) == (0, True)
    assert stage.requests == []


@EVERY_EXCHANGE
def test_clients_share_a_limiter(make, stage):
    """What one client has sent counts for the others."""
    limiter = WindowRateLimiter(2, seconds=0.3)
    started = time.monotonic()

    for _ in range(3):
        make(rate_limiter=limiter).rerank(QUERY, DOCUMENTS)

    assert time.monotonic() - started > 0.3
    assert len(stage.requests) == 3


@EVERY_EXCHANGE
def test_limiters_of_langchain_plug_in(make, stage):
    """LangChain's own limiter gives its permissions at its pace."""
    limiter = InMemoryRateLimiter(requests_per_second=20, check_every_n_seconds=0.01)
    client = make(rate_limiter=limiter)
    started = time.monotonic()

    client.together(4, QUERY, DOCUMENTS)

    assert time.monotonic() - started > 0.19
    assert len(stage.requests) == 4


@EVERY_EXCHANGE
def test_a_limiter_that_fails_is_asked_again(make, stage):
    """What a limiter raises is a failure that may pass, as when no connection could be had."""
    limiter = Limiter(OSError("redis://user:password@host"), True)

    ranking = make(rate_limiter=limiter).rerank(QUERY, DOCUMENTS)

    assert (ranking.attempts, len(stage.requests)) == (1, 1)


@EVERY_EXCHANGE
def test_a_limiter_that_keeps_failing_is_a_typed_error(make, stage):
    """The error names the class of what was raised; its message may hold a password."""
    limiter = Limiter(*[TimeoutError("redis://user:password@host")] * 3)

    with pytest.raises(APIConnectionError) as caught:
        make(rate_limiter=limiter).rerank(QUERY, DOCUMENTS)

    assert caught.value.message == "the rate limiter failed (TimeoutError)"
    assert (caught.value.attempts, caught.value.retryable) == (0, True)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert stage.requests == []


async def test_a_cancelled_wait_leaves_no_slot_taken(stage):
    """A call that is cancelled while it waits for permission leaves nothing behind."""

    class Slow(Limiter):
        def __init__(self):
            super().__init__()
            self.asked = asyncio.Event()

        async def aacquire(self, *, blocking=True):
            if not self.asked.is_set():
                self.asked.set()
                await asyncio.Event().wait()
            return True

    limiter = Slow()
    options = {"base_url": stage.base_url, "api_key": stage.api_key, "max_concurrency": 1}
    async with AsyncRerankClient(rate_limiter=limiter, **options) as client:
        waiting = asyncio.create_task(client.rerank(QUERY, DOCUMENTS))
        await asyncio.wait_for(limiter.asked.wait(), 5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        ranking = await client.rerank(QUERY, DOCUMENTS)

    assert (ranking.attempts, len(stage.requests)) == (1, 1)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_refusal_is_a_refusal(stage):
    """A limiter that does not wait although it may is not asked over and over."""

    class Never(Limiter):
        async def aacquire(self, *, blocking=True):
            return False

    options = {"base_url": stage.base_url, "api_key": stage.api_key}
    async with AsyncRerankClient(rate_limiter=Never(), **options) as client:
        with pytest.raises(DeadlineExceededError, match="rate limiter"):
            await client.rerank(QUERY, DOCUMENTS)


@pytest.mark.parametrize("client", [RerankClient, AsyncRerankClient])
@pytest.mark.parametrize(
    "limiter", [20, "20/minute", asyncio.Semaphore(20)], ids=lambda limiter: type(limiter).__name__
)
def test_what_is_no_limiter_is_refused(client, limiter):
    """The error names the type that was passed, and what is needed."""
    with pytest.raises(ConfigurationError, match=f"is of type {type(limiter).__name__}, which"):
        client(rate_limiter=limiter)
