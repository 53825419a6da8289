"""The options of a client over several calls: budget, callback, timeout and concurrency."""

import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import Budget, WindowRateLimiter
from openrouter_rerank.errors import (
    BudgetExceededError,
    DeadlineExceededError,
    OpenRouterRerankError,
    ServiceUnavailableError,
)
from openrouter_rerank.local.stage import Reply, error, scores

from tests.held_replies import released_in_batches
from tests.starvation import repeat_if_starved


def test_a_call_is_refused_when_the_budget_is_spent(make_client, stage):
    """When the budget is spent, the next call raises `BudgetExceededError` and sends nothing."""
    stage.always(scores(0.5, cost=0.3))
    caller = make_client(budget=0.5)

    caller.rerank("q", ["a"])
    caller.rerank("q", ["a"])
    with pytest.raises(BudgetExceededError):
        caller.rerank("q", ["a"])

    assert len(stage.requests) == 2


def test_clients_share_a_budget(make_client, stage):
    """Two clients spend from one `Budget`; a failed call without a cost adds nothing."""
    stage.script(error(400, "bad"))
    stage.always(scores(0.5, cost=0.3))
    budget = Budget(0.5)
    first, second = make_client(budget=budget), make_client(budget=budget)

    with pytest.raises(OpenRouterRerankError):
        first.rerank("q", ["a"])
    first.rerank("q", ["a"])
    second.rerank("q", ["a"])

    assert budget.spent == pytest.approx(0.6)
    for caller in (first, second):
        with pytest.raises(BudgetExceededError):
            caller.rerank("q", ["a"])
        assert caller.rerank("q", []).results == ()


def test_on_response_is_called_with_each_ranking(make_client, stage):
    """`on_response` is called with each ranking, and not called for a failed call."""
    rankings = []
    caller = make_client(on_response=rankings.append, max_retries=0)

    first = caller.rerank("q", ["a"])
    stage.script(error(503, "down"))
    with pytest.raises(ServiceUnavailableError):
        caller.rerank("q", ["a"])
    second = caller.rerank("q", ["a"])

    assert rankings == [first, second]


def test_the_timeout_of_an_injected_client_is_ignored(make_client, stage):
    """The call waits until its own deadline, even if the HTTP client has a shorter timeout."""
    stage.script(Reply(body={"results": [{"index": 0, "relevance_score": 1}]}, delay=0.2))

    ranking = make_client(http_options={"timeout": 0.01}, max_retries=0).rerank("q", ["a"])

    assert len(ranking.results) == 1


@pytest.mark.filterwarnings("ignore:timeout=")
@pytest.mark.parametrize("timeout", [1e9, 1e10, 1e300])
def test_a_very_long_timeout(make_client, timeout):
    """A timeout that is longer than the system's functions accept works as no limit."""
    assert make_client(timeout=timeout).rerank("q", ["a"]).attempts == 1


@pytest.mark.parametrize("limit", [1, 3])
def test_max_concurrency_limits_the_requests_in_flight(make_client, stage, limit):
    """Concurrent calls never have more than `max_concurrency` requests in flight."""
    with released_in_batches(stage, *[limit] * (6 // limit)):
        rankings = make_client(max_concurrency=limit).rerank_concurrently(6, "q", ["a"])

    assert [len(ranking.results) for ranking in rankings] == [1] * 6
    assert stage.in_flight_peak == limit


@repeat_if_starved
def test_the_wait_for_a_request_slot_counts_towards_the_timeout(make_client, stage):
    """A call that waits for a slot longer than its timeout raises `DeadlineExceededError`."""
    stage.always(Reply(body={"results": [{"index": 0, "relevance_score": 1}]}, delay=0.2))
    caller = make_client(max_concurrency=1, timeout=0.3, max_retries=0)

    with pytest.raises(DeadlineExceededError):
        caller.rerank_concurrently(3, "q", ["a"])

    assert stage.in_flight_peak == 1


def test_a_client_says_what_it_was_created_with(make_client, stage):
    """Programs that get a client can read its budget, its limiter, its URL, and if it caches."""
    budget, limiter = Budget(1), WindowRateLimiter()
    client = make_client(budget=budget, rate_limiter=limiter).client
    cached = make_client(score_store=InMemoryByteStore()).client

    assert (client.budget, client.rate_limiter, client.has_score_store) == (budget, limiter, False)
    assert (cached.budget, cached.rate_limiter, cached.has_score_store) == (None, None, True)
    assert client.service_url == cached.service_url == f"{stage.base_url}/rerank"
