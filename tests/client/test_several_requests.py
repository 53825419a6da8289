"""A call that needs several requests: it returns one ranking or raises one error."""

import asyncio
import time

import pytest
from openrouter_rerank import AsyncRerankClient, Budget
from openrouter_rerank.errors import (
    BadRequestError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    UnauthorizedError,
)
from openrouter_rerank.local.stage import Fault, error, word_overlap

from tests.clients import OWN_CONNECTIONS
from tests.held_replies import released_in_batches

QUERY = "one two three four five six"
WORDS = QUERY.split()
# Their scores are unsorted, from 0 to 1, and some are equal in different requests.
DOCUMENTS = [f"{' '.join(WORDS[: (7 * number) % 5])} and {number}" for number in range(10)]


def word_overlap_unless(refused, reply):
    """Rank by word overlap, but reply with `reply` to a request with the document `refused`."""
    return lambda request: reply if refused in request.documents else word_overlap(request)


@pytest.mark.parametrize("top_n", [None, 1, 3, 4, 20])
@pytest.mark.parametrize("limit", [1, 3, 9, 10])
def test_a_split_call_has_the_ranking_of_one_request(make_client, stage, top_n, limit):
    """A split call returns the ranking of a single request, with equal scores in input order."""
    client = make_client(max_concurrency=4)
    single = client.rerank(QUERY, DOCUMENTS, top_n=top_n)

    split = client.rerank(QUERY, DOCUMENTS, top_n=top_n, max_documents_per_request=limit)

    sent = stage.requests[1:]
    assert split.results == single.results
    assert sorted(text for request in sent for text in request.texts) == sorted(DOCUMENTS)
    assert len(sent) == len(split.requests) == split.attempts == -(-len(DOCUMENTS) // limit)
    assert len({request.id for request in split.requests}) == len(sent)
    assert split.usage.cost == pytest.approx(0.001 * len(sent))
    for request in sent:
        cuts = top_n is not None and top_n < len(request.documents)
        assert request.top_n == (top_n if cuts else None)


def test_a_known_limit_of_a_model_splits_the_call(make_client, stage):
    """1000 documents are one request; 1001 documents are two requests of 401 and 600."""
    client = make_client()

    for count in (1000, 1001):
        ranking = client.rerank("q", [f"d{number}" for number in range(count)])
        assert len(ranking.results) == count

    assert sorted(len(request.documents) for request in stage.requests) == [401, 600, 1000]


@OWN_CONNECTIONS
def test_a_model_without_a_known_limit_gets_one_request(make_client, stage):
    """A call to an unlisted model is never split by default."""
    make_client().rerank("q", [f"d{number}" for number in range(1001)], model="new/model")

    assert [len(request.documents) for request in stage.requests] == [1001]


@pytest.mark.parametrize(("limit", "turns"), [(1, [1] * 5), (3, [3, 2]), (8, [5])])
def test_requests_of_a_call_are_sent_concurrently(make_client, stage, limit, turns):
    """Up to `max_concurrency` requests of one call are in flight together."""
    with released_in_batches(stage, *turns):
        make_client(max_concurrency=limit).rerank(QUERY, DOCUMENTS, max_documents_per_request=2)

    assert stage.in_flight_peak == turns[0]


def test_one_refused_request_fails_the_call(make_client, stage):
    """If one request is refused, the call raises its error and sends no further requests."""
    stage.always(word_overlap_unless(DOCUMENTS[2], error(400, "no")))
    client = make_client(max_concurrency=1)

    with pytest.raises(BadRequestError) as caught:
        client.rerank(QUERY, DOCUMENTS, max_documents_per_request=1)

    assert [request.texts for request in stage.requests] == [[text] for text in DOCUMENTS[:3]]
    assert caught.value.attempts == 3


def test_only_the_failed_request_is_retried(make_client, stage):
    """A retry repeats only the request that failed."""
    failures = iter([error(503, "down", retry_after=0)])

    def fail_once(request):
        return next(failures, None) or word_overlap(request)

    stage.always(fail_once)

    ranking = make_client().rerank(QUERY, DOCUMENTS, max_documents_per_request=5)

    assert (len(ranking.results), len(ranking.requests), ranking.attempts) == (10, 2, 3)


def test_a_fallback_model_ranks_all_documents(make_client, stage):
    """If the model fails for one request, the fallback model gets the documents of all requests."""

    def first_model_fails(request):
        fails = request.model == "model/one" and DOCUMENTS[9] in request.documents
        return error(404, "gone") if fails else word_overlap(request)

    stage.always(first_model_fails)

    ranking = make_client().rerank(
        QUERY,
        DOCUMENTS,
        model="model/one",
        fallback_models=["model/two"],
        max_documents_per_request=5,
    )

    second = [request for request in stage.requests if request.model == "model/two"]
    assert ranking.model == "model/two"
    assert sorted(text for request in second for text in request.texts) == sorted(DOCUMENTS)
    assert len(ranking.requests) == 2


@OWN_CONNECTIONS
def test_a_permanent_failure_ends_all_requests_of_a_call(make_client, stage):
    """An error that cannot be retried ends the call while other requests wait for their retry."""

    def reply(request):
        if DOCUMENTS[0] in request.documents:
            return error(401, "no")
        return error(503, "busy", retry_after=20)

    stage.always(reply)
    started = time.monotonic()

    with pytest.raises(UnauthorizedError):
        make_client().rerank(QUERY, DOCUMENTS, max_documents_per_request=2)

    # The other requests would wait 20 seconds for their retry.
    assert time.monotonic() - started < 20
    assert len(stage.requests) <= 5


def test_all_requests_share_the_deadline(make_client, stage):
    """If one request hangs, the call ends at its deadline and leaves nothing in flight."""
    stage.always(word_overlap_unless(DOCUMENTS[0], Fault.hang()))

    with pytest.raises(DeadlineExceededError):
        make_client(timeout=0.3).rerank(QUERY, DOCUMENTS, max_documents_per_request=5)

    stage.wait_until(lambda: stage.in_flight == 0)


def test_a_budget_counts_the_cost_of_a_failed_call(make_client, stage):
    """A budget counts the successful requests of a call that fails."""
    stage.always(word_overlap_unless(DOCUMENTS[9], error(404, "gone")))
    budget = Budget(1)
    client = make_client(budget=budget, max_concurrency=1)

    with pytest.raises(NotFoundError):
        client.rerank(QUERY, DOCUMENTS, max_documents_per_request=4)

    assert budget.spent == pytest.approx(0.002)


def test_equal_documents_are_sent_in_one_request(make_client, stage):
    """A document that appears several times is sent once, and each copy is ranked."""
    ranking = make_client().rerank("one", ["two", "one"] * 5, max_documents_per_request=1)

    assert sorted(request.texts for request in stage.requests) == [["one"], ["two"]]
    assert [result.index for result in ranking.results] == [1, 3, 5, 7, 9, 0, 2, 4, 6, 8]


@pytest.mark.parametrize("limit", [0, -1, 1.5, "ten", True])
@OWN_CONNECTIONS
def test_an_invalid_limit_is_refused(make_client, stage, limit):
    """`max_documents_per_request` must be a positive whole number."""
    with pytest.raises(InvalidRequestError, match="max_documents_per_request must be a whole"):
        make_client().rerank(QUERY, DOCUMENTS, max_documents_per_request=limit)

    assert stage.requests == []


async def test_cancelling_a_call_ends_all_its_requests(stage):
    """A cancelled call leaves no task and no request in flight."""
    stage.always(Fault.hang())
    async with AsyncRerankClient(api_key=stage.api_key, base_url=stage.base_url) as client:
        call = asyncio.create_task(client.rerank(QUERY, DOCUMENTS, max_documents_per_request=2))
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 5)

        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 0)
