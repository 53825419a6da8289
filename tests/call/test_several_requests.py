"""Calls that are split into several requests have the ranking of one request."""

import json
import threading
import time
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.arguments import checked_arguments
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.retry_budget import TokenBucket
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import (
    NotFoundError,
    OpenRouterRerankError,
    UnauthorizedError,
)

from tests.starvation import repeat_if_starved

TEXTS = st.lists(st.text("abc\u00e9\ud83d", min_size=1, max_size=3), min_size=1, max_size=30)


def score(text):
    """Return the score of one text, as a pointwise model does. Equal scores are frequent."""
    return blake2b(text.encode(), digest_size=1).digest()[0] % 5 / 4


def response_to(attempt):
    """Return the response of the service to an attempt."""
    request = json.loads(b"".join(attempt.request.body))
    rows = [
        {"index": index, "relevance_score": score(text)}
        for index, text in enumerate(request["documents"])
    ]
    rows.sort(key=lambda row: -row["relevance_score"])
    body = {"results": rows[: request.get("top_n")], "usage": {"cost": 1}}
    return Response(status=200, headers={}, body=json.dumps(body).encode())


def limits(max_retries=2):
    """Return the limits of a call, with a clock that stands still."""
    return Limits(
        timeout=30,
        max_retries=max_retries,
        clock=lambda: 0.0,
        started=0.0,
        jitter=lambda: 0.0,
        retry_budget=TokenBucket(),
    )


def arguments(texts, top_n, limit):
    """Return the checked arguments of a call with at most `limit` documents in one request."""
    return checked_arguments("q", texts, model="m", top_n=top_n, max_documents_per_request=limit)


def ranking_of(texts, top_n, limit, exchange=response_to, max_in_flight=1):
    """Return the ranking of a call whose attempts `exchange` makes."""
    call = arguments(texts, top_n, limit).call
    return drive(call_flow(call, ("m",), limits()), exchange, max_in_flight=max_in_flight)


@given(TEXTS, st.none() | st.integers(1, 31), st.integers(1, 31))
def test_a_split_call_has_the_ranking_of_one_request(texts, top_n, limit):
    """With any documents, copies, `top_n` and limit, the results equal those of one request."""
    texts = [text + "." for text in texts]

    single = ranking_of(texts, top_n, None)
    split = ranking_of(texts, top_n, limit)

    assert split.results == single.results
    assert len(single.requests) == single.usage.cost == 1
    assert len(split.requests) == split.usage.cost == -(-len({*texts}) // limit)


FAILURES = [
    Failure(kind=FailureKind.UNSENT),
    Failure(kind=FailureKind.LOST),
    Response(status=503, headers={}, body=b""),
    Response(status=400, headers={}, body=b""),
    Response(status=200, headers={}, body=b"{}"),
]


@given(TEXTS, st.integers(1, 8), st.integers(1, 4), st.data())
def test_a_split_call_has_a_complete_ranking_or_an_error(texts, limit, max_in_flight, data):
    """If requests fail, the outcome is a complete ranking or an error, and counts all attempts."""
    texts = [text + "." for text in texts]
    failing = data.draw(st.lists(st.none() | st.sampled_from(FAILURES), max_size=40))
    attempts_made = []

    def exchange(attempt):
        attempts_made.append(attempt)
        return (failing.pop() if failing else None) or response_to(attempt)

    try:
        ranking = ranking_of(texts, None, limit, exchange, max_in_flight)
        attempts = ranking.attempts
        assert ranking.results == ranking_of(texts, None, None).results
    except OpenRouterRerankError as error:
        attempts = error.attempts

    assert attempts == len(attempts_made)


class Interrupt(BaseException):
    """An exception such as `KeyboardInterrupt`."""


@repeat_if_starved
def test_an_interrupt_ends_the_other_requests_of_a_call():
    """After an interrupt, no request of the call is sent again."""
    sent = []
    waiting = threading.Event()

    def exchange(attempt):
        (document,) = json.loads(b"".join(attempt.request.body))["documents"]
        sent.append(document)
        if document == "a":
            assert waiting.wait(5)
            raise Interrupt
        if document == "c":
            waiting.set()
        return Response(status=503, headers={"retry-after": "3"}, body=b"")

    started = time.monotonic()
    with pytest.raises(Interrupt):
        ranking_of(["a", "b", "c"], None, 1, exchange, max_in_flight=3)

    assert sorted(sent) == ["a", "b", "c"]
    assert time.monotonic() - started < 2.5


@pytest.mark.parametrize("statuses", [(401, 404, 503), (404, 503, 401), (503, 401, 404)])
def test_an_error_that_only_the_user_can_fix_is_raised_first(statuses):
    """Of several errors, the one that neither a retry nor another model can fix is raised."""
    call = arguments(["a", "b", "c"], None, 1).call
    flow = call_flow(call, ("m", "n"), limits(max_retries=0))
    outcomes = []
    for request, status in zip(next(flow), statuses, strict=True):
        next(request)
        outcomes.append(request.send(Response(status=status, headers={}, body=b"")))

    with pytest.raises(UnauthorizedError):
        flow.send(outcomes)


@pytest.mark.parametrize("statuses", [(404, 503, 503), (503, 404, 503), (503, 503, 404)])
def test_a_permanent_error_is_raised_before_a_temporary_one(statuses):
    """If only another model could serve one request of a call, its 404 is the call's error."""
    replies = iter([Response(status=status, headers={}, body=b"") for status in statuses])
    call = arguments(["a", "b", "c"], None, 1).call
    flow = call_flow(call, ("m",), limits(max_retries=0))
    outcomes = []
    for request in next(flow):
        next(request)
        outcomes.append(request.send(next(replies)))

    with pytest.raises(NotFoundError):
        flow.send(outcomes)


@pytest.mark.parametrize(("model", "count"), [("cohere/rerank-v3.5", 2), ("any/model", 1)])
def test_a_known_model_has_a_limit_of_documents(model, count):
    """A call with 1,001 documents needs two requests to a model that takes 1,000."""
    call = arguments([str(number) for number in range(1001)], None, None).call

    assert len(next(call_flow(call, (model,), limits()))) == count


@pytest.mark.parametrize(
    ("model", "count"),
    [
        ("mongodb/rerank-2.5", 3),
        ("voyageai/rerank-2.5", 3),
        ("voyageai/rerank-2.5-20261028:nitro", 3),
        ("~mongodb/rerank-latest", 3),
        ("mongodb/rerank-9", 3),
        ("any/model", 1),
    ],
)
def test_a_model_has_the_same_limits_under_all_its_names(model, count):
    """A call with 4.5 MB needs as many requests under an old or a derived name as under the new."""
    call = arguments([f"{number:3000}" for number in range(1_500)], None, None).call

    assert len(next(call_flow(call, (model,), limits()))) == count


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_the_requests_of_a_call_go_to_one_provider(parts):
    """Several requests ask for the same provider, because scores of different ones differ."""
    requests = []

    def exchange(attempt):
        requests.append(json.loads(b"".join(attempt.request.body)))
        return response_to(attempt)

    ranking_of(["a", "b", "c"][:parts], None, 1, exchange)

    expected = None if parts == 1 else {"sort": "price"}
    assert [request.get("provider") for request in requests] == [expected] * parts
