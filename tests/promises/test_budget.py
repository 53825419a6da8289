"""Promise: a budget is exceeded by the requests in flight when it is reached, and by no others."""

import asyncio
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import (
    APIConnectionError,
    AsyncRerankClient,
    Budget,
    BudgetExceededError,
    DeadlineExceededError,
    RerankClient,
)
from openrouter_rerank.local.stage import Fault, Reply, error

COST = 0.001
LIMIT = 0.01
AFFORDABLE = 10
SLOTS = 4
NOT_A_RANKING = {"usage": {"cost": COST}, "results": "none"}


def ranked(request):
    """Return a ranking of the documents that costs `COST`."""
    rows = [{"index": at, "relevance_score": 0.5} for at in range(len(request.documents))]
    return Reply(body={"usage": {"cost": COST}, "results": rows})


def failed(status):
    """Return an error that costs `COST` and may be repeated immediately."""
    body = {"error": {"code": status, "message": "down"}, "usage": {"cost": COST}}
    return Reply(status=status, body=body, headers={"retry-after": "0"})


REPLIES = {
    "rankings": ranked,
    "not rankings": Reply(body=NOT_A_RANKING),
    "cut documents": Reply(body=b'{"echo": "\\ud83d", "usage": {"cost": %f}}' % COST),
    "refused": failed(503),
    "failed": failed(500),
}


class SlowBudget(Budget):
    """A budget that gives other threads the time to send a request before it is charged."""

    def charge(self, cost):
        """Charge `cost` after a pause."""
        time.sleep(0.002)
        super().charge(cost)


def options(stage, budget, **others):
    """Return the options of a client."""
    connection = {"base_url": stage.base_url, "api_key": stage.api_key}
    return {**connection, "max_concurrency": SLOTS, "budget": budget, "timeout": 60, **others}


def require_bounded(stage, budget, slots=SLOTS):
    """Require that no request was sent after the one that spent the budget, but those in flight."""
    sent = len(stage.requests)
    assert AFFORDABLE <= sent < AFFORDABLE + slots
    # Every response was charged.
    assert math.isclose(budget.spent, sent * COST)


@pytest.mark.parametrize("replies", REPLIES)
def test_gathered_calls(stage, replies):
    """200 gathered calls send no request after the budget is spent, for responses of any kind."""
    stage.always(REPLIES[replies])
    budget = Budget(LIMIT - COST / 2)

    async def calls():
        async with AsyncRerankClient(**options(stage, budget)) as client:
            gathered = (client.rerank("q", ["a"]) for _ in range(200))
            return await asyncio.gather(*gathered, return_exceptions=True)

    outcomes = asyncio.run(calls())

    require_bounded(stage, budget)
    assert sum(isinstance(each, BudgetExceededError) for each in outcomes) >= 200 - len(
        stage.requests
    )


@pytest.mark.parametrize("replies", REPLIES)
def test_threads(stage, replies):
    """100 threads send no request after the budget is spent, for responses of any kind."""
    stage.always(REPLIES[replies])
    budget = SlowBudget(LIMIT - COST / 2)
    client = RerankClient(**options(stage, budget))

    with ThreadPoolExecutor(100) as threads:
        calls = [threads.submit(client.rerank, "q", ["a"]) for _ in range(100)]
    refused = [isinstance(call.exception(), BudgetExceededError) for call in calls]

    require_bounded(stage, budget)
    assert sum(refused) >= 100 - len(stage.requests)


def test_the_next_request_waits_until_the_last_one_is_charged(stage):
    """With one request slot, exactly the affordable requests are sent."""
    stage.always(ranked)
    budget = SlowBudget(LIMIT - COST / 2)
    client = RerankClient(**options(stage, budget, max_concurrency=1))

    with ThreadPoolExecutor(20) as threads:
        for _ in range(20):
            threads.submit(client.rerank, "q", ["a"])

    require_bounded(stage, budget, slots=1)
    assert len(stage.requests) == math.ceil(budget.limit / COST)


def test_one_call_of_many_requests(make_client, stage):
    """A call of 100 requests ends when the budget is spent, and says how many were sent."""
    stage.always(ranked)
    budget = Budget(LIMIT - COST / 2)
    store = InMemoryByteStore()
    client = make_client(budget=budget, max_concurrency=SLOTS, score_store=store, timeout=60)
    documents = [f"document {number}" for number in range(100)]

    with pytest.raises(BudgetExceededError) as caught:
        client.rerank("q", documents, max_documents_per_request=1)

    require_bounded(stage, budget)
    sent = len(stage.requests)
    assert f"so the call ended after {sent} attempts" in caught.value.message
    # What was paid for is stored.
    assert len([*store.yield_keys()]) == sent


def test_a_wait_for_permission_is_not_made_for_a_request_that_is_not_sent(stage):
    """A call that waited for its slot until the budget was spent takes no permission."""
    stage.always(ranked)
    asked = []

    class Limiter:
        def acquire(self, *, blocking=True):
            asked.append(blocking)
            return True

        async def aacquire(self, *, blocking=True):
            return self.acquire(blocking=blocking)

    budget = SlowBudget(COST)
    client = RerankClient(**options(stage, budget, max_concurrency=1, rate_limiter=Limiter()))

    with ThreadPoolExecutor(5) as threads:
        for _ in range(5):
            threads.submit(client.rerank, "q", ["a"])

    assert len(asked) == len(stage.requests) == 1


def test_an_error_without_a_cost_is_free(make_client, stage):
    """A response that reports no cost is not charged."""
    stage.always(error(400, "bad"))
    budget = Budget(LIMIT)

    with pytest.raises(Exception, match="bad"):
        make_client(budget=budget).rerank("q", ["a"])

    assert budget.spent == 0


class Unclosable(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a response over an injected client, which cannot be closed."""

    def __init__(self):
        self.is_read = asyncio.Event()

    def __iter__(self):
        """Yield the whole body."""
        yield json.dumps(NOT_A_RANKING).encode()

    def close(self):
        """Fail."""
        raise httpx.ReadError("lost")

    async def __aiter__(self):
        """Yield the whole body."""
        for piece in self:
            yield piece

    async def aclose(self):
        """Wait until the call ends."""
        self.is_read.set()
        await asyncio.Event().wait()


def over_injected(client_class, http_client_class, body, budget):
    """Return a client that gets a response with `body`."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=body))
    http_client = http_client_class(transport=transport)
    return client_class(api_key="none", http_client=http_client, budget=budget, max_retries=0)


def test_a_response_that_cannot_be_closed_is_charged():
    """The cost of a whole response is charged if closing the response then fails."""
    budget = Budget(1)
    client = over_injected(RerankClient, httpx.Client, Unclosable(), budget)

    with pytest.raises(APIConnectionError):
        client.rerank("q", ["a"])

    assert budget.spent == COST


async def test_a_response_is_charged_if_the_deadline_comes_while_it_is_closed():
    """The cost of a whole response is charged if the deadline comes while it is closed."""
    budget = Budget(1)
    client = over_injected(AsyncRerankClient, httpx.AsyncClient, Unclosable(), budget)

    with pytest.raises(DeadlineExceededError):
        await client.rerank("q", ["a"], timeout=0.5)

    assert budget.spent == COST


async def test_a_response_is_charged_if_the_call_is_cancelled_while_it_is_closed():
    """The cost of a whole response is charged if the call is cancelled while it is closed."""
    budget, body = Budget(1), Unclosable()
    client = over_injected(AsyncRerankClient, httpx.AsyncClient, body, budget)
    call = asyncio.create_task(client.rerank("q", ["a"]))
    await body.is_read.wait()
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call

    assert budget.spent == COST


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1], ids=["longest", "too long"])
def test_a_body_whose_end_is_not_marked_is_charged(make_client, stage, size):
    """If the connection is lost at the end of a body, its cost is charged, up to 1 MiB."""
    budget = Budget(1)
    client = make_client(budget=budget, max_retries=0)
    start = json.dumps(NOT_A_RANKING).encode()[:-1]
    body = start + b" " * (size - len(start) - 1) + b"}"
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (len(body) + 1)
    stage.script(Fault.garbage(head + body))

    with pytest.raises(APIConnectionError):
        client.rerank("q", ["a" * 10_000])

    assert budget.spent == (COST if size == 1 << 20 else 0)
