"""A call that one request cannot hold: several requests, one order, or one error."""

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

from tests.clients import OWN
from tests.gates import answered_in_turns

QUERY = "one two three four five six"
WORDS = QUERY.split()
# Scores from 0 to 1, unsorted, with ties across the parts.
DOCUMENTS = [f"{' '.join(WORDS[: (7 * number) % 5])} and {number}" for number in range(10)]


def refusing(refused, reply):
    """Answer by word overlap, but a request that holds the document `refused` with `reply`."""
    return lambda request: reply if refused in request.documents else word_overlap(request)


@pytest.mark.parametrize("top_n", [None, 1, 3, 4, 20])
@pytest.mark.parametrize("most", [1, 3, 9, 10])
def test_the_order_is_that_of_one_request(make, stage, top_n, most):
    """However a call is split, its ranking is the same, ties by their position included."""
    client = make(max_concurrency=4)
    whole = client.rerank(QUERY, DOCUMENTS, top_n=top_n)

    split = client.rerank(QUERY, DOCUMENTS, top_n=top_n, max_documents_per_request=most)

    sent = stage.requests[1:]
    assert split.results == whole.results
    assert sorted(text for request in sent for text in request.texts) == sorted(DOCUMENTS)
    assert len(sent) == len(split.requests) == split.attempts == -(-len(DOCUMENTS) // most)
    assert len({request.id for request in split.requests}) == len(sent)
    assert split.usage.cost == pytest.approx(0.001 * len(sent))
    for request in sent:
        cuts = top_n is not None and top_n < len(request.documents)
        assert request.top_n == (top_n if cuts else None)


def test_a_model_of_which_a_limit_is_known_is_not_asked_for_more(make, stage):
    """A thousand documents are one request; one more makes two, of whole search units."""
    client = make()

    for count in (1000, 1001):
        ranking = client.rerank("q", [f"d{number}" for number in range(count)])
        assert len(ranking.results) == count

    assert sorted(len(request.documents) for request in stage.requests) == [401, 600, 1000]


@OWN
def test_a_model_of_which_no_limit_is_known_is_asked_once(make, stage):
    """Nothing is guessed about a model that is not listed."""
    make().rerank("q", [f"d{number}" for number in range(1001)], model="new/model")

    assert [len(request.documents) for request in stage.requests] == [1001]


@pytest.mark.parametrize(("most", "turns"), [(1, [1] * 5), (3, [3, 2]), (8, [5])])
def test_requests_are_in_flight_together(make, stage, most, turns):
    """The requests of one call do not wait for each other, as far as `max_concurrency` lets."""
    with answered_in_turns(stage, *turns):
        make(max_concurrency=most).rerank(QUERY, DOCUMENTS, max_documents_per_request=2)

    assert stage.in_flight_peak == turns[0]


def test_one_refused_request_fails_the_call(make, stage):
    """There is no order of a part of the documents, and what was not sent stays unsent."""
    stage.always(refusing(DOCUMENTS[2], error(400, "no")))
    client = make(max_concurrency=1)

    with pytest.raises(BadRequestError) as caught:
        client.rerank(QUERY, DOCUMENTS, max_documents_per_request=1)

    assert [request.texts for request in stage.requests] == [[text] for text in DOCUMENTS[:3]]
    assert caught.value.attempts == 3


def test_one_request_is_tried_again(make, stage):
    """A retry repeats the request that failed, and no other."""
    failing = iter([error(503, "down", retry_after=0)])

    def once(request):
        return next(failing, None) or word_overlap(request)

    stage.always(once)

    ranking = make().rerank(QUERY, DOCUMENTS, max_documents_per_request=5)

    assert (len(ranking.results), len(ranking.requests), ranking.attempts) == (10, 2, 3)


def test_a_fallback_model_ranks_all(make, stage):
    """Scores of two models never meet: if one request fails, the next model gets all of them."""

    def only_the_second(request):
        first = request.model == "model/one" and DOCUMENTS[9] in request.documents
        return error(404, "gone") if first else word_overlap(request)

    stage.always(only_the_second)

    ranking = make().rerank(
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


@OWN
def test_what_no_repetition_cures_ends_all_requests_of_a_call(make, stage):
    """A wrong key is told, at once, although other requests could be made again and again."""

    def reply(request):
        if DOCUMENTS[0] in request.documents:
            return error(401, "no")
        return error(503, "busy", retry_after=20)

    stage.always(reply)
    started = time.monotonic()

    with pytest.raises(UnauthorizedError):
        make().rerank(QUERY, DOCUMENTS, max_documents_per_request=2)

    # The others would have been repeated after twenty seconds.
    assert time.monotonic() - started < 10
    assert len(stage.requests) <= 5


def test_all_requests_share_the_deadline(make, stage):
    """One request that hangs ends the call at its deadline, and leaves nothing in flight."""
    stage.always(refusing(DOCUMENTS[0], Fault.hang()))

    with pytest.raises(DeadlineExceededError):
        make(timeout=0.3).rerank(QUERY, DOCUMENTS, max_documents_per_request=5)

    stage.wait_until(lambda: stage.in_flight == 0)


def test_what_was_answered_is_charged_though_the_call_fails(make, stage):
    """A budget counts the answered requests of a call that has come to nothing."""
    stage.always(refusing(DOCUMENTS[9], error(404, "gone")))
    budget = Budget(1)
    client = make(budget=budget, max_concurrency=1)

    with pytest.raises(NotFoundError):
        client.rerank(QUERY, DOCUMENTS, max_documents_per_request=4)

    assert budget.spent == pytest.approx(0.002)


def test_copies_are_sent_in_one_request_only(make, stage):
    """A document that was passed in many times is in one request, and each copy is ranked."""
    ranking = make().rerank("one", ["two", "one"] * 5, max_documents_per_request=1)

    assert sorted(request.texts for request in stage.requests) == [["one"], ["two"]]
    assert [result.index for result in ranking.results] == [1, 3, 5, 7, 9, 0, 2, 4, 6, 8]


@pytest.mark.parametrize("most", [0, -1, 1.5, "10", True])
@OWN
def test_a_limit_that_is_none_is_refused(make, stage, most):
    """The limit is a positive whole number."""
    with pytest.raises(InvalidRequestError, match="max_documents_per_request must be a positive"):
        make().rerank(QUERY, DOCUMENTS, max_documents_per_request=most)

    assert stage.requests == []


async def test_a_cancelled_call_leaves_nothing_in_flight(stage):
    """Cancelling a call ends all of its requests."""
    stage.always(Fault.hang())
    async with AsyncRerankClient(api_key=stage.api_key, base_url=stage.base_url) as client:
        call = asyncio.create_task(client.rerank(QUERY, DOCUMENTS, max_documents_per_request=2))
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 5)

        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 0)
