"""
Promise: cost is bounded.

An attempt that may have been billed is repeated once at most. Equal documents are sent once. During
an outage a retry budget limits the retries.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._call.retry_budget import TokenBucket
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.local.stage import Fault, Reply, error

from tests.repetitions import repetitions

NOT_BILLED = [
    Failure(kind=FailureKind.UNSENT),
    *(Response(status=s, headers={}, body=b"") for s in (429, 503, 529)),
]
MAYBE_BILLED = [
    *(
        Failure(kind=getattr(FailureKind, name))
        for name in ("STALE", "LOST", "TIMEOUT", "DEADLINE", "OVERSIZED")
    ),
    *(Response(status=s, headers={}, body=b"") for s in (200, 408, 500, 502, 504, 524)),
]


def attempts_of(next_reply, *, models=("m",), max_retries=2, bucket=None):
    """Make a call that fails; return the replies to its attempts, by model."""
    limits = Limits(
        timeout=30,
        max_retries=max_retries,
        clock=lambda: 0.0,
        started=0.0,
        jitter=lambda: 0.5,
        retry_budget=bucket or TokenBucket(),
    )
    replies_by_model = {model: [] for model in models}

    def exchange(attempt):
        replies_by_model[attempt.request.model].append(reply := next_reply())
        return reply

    try:
        drive(call_flow(Call(query="q", documents=("a",)), models, limits), exchange)
    except OpenRouterRerankError:
        return replies_by_model
    pytest.fail("the call returned a ranking although every reply was a failure")


@given(st.data(), st.integers(0, 9), st.sampled_from(["a", "ab", "abc"]))
@settings(max_examples=repetitions(local=60, ci=300))
def test_an_attempt_that_may_be_billed_is_repeated_once(data, max_retries, models):
    """In any sequence of failures, at most two attempts per model may have been billed."""
    failures = st.sampled_from(NOT_BILLED + MAYBE_BILLED)

    replies_by_model = attempts_of(
        lambda: data.draw(failures), models=tuple(models), max_retries=max_retries
    )

    for replies in replies_by_model.values():
        assert sum(reply in MAYBE_BILLED for reply in replies) <= 2


@pytest.mark.parametrize("failure", NOT_BILLED + MAYBE_BILLED, ids=repr)
def test_retries_are_limited_during_an_outage(failure):
    """A thousand failing calls of one client make at most 50 retries."""
    bucket = TokenBucket()

    retries = sum(len(attempts_of(lambda: failure, bucket=bucket)["m"]) - 1 for _ in range(1000))
    # A closed idle connection is not an outage, and sending its request again is not a retry.
    if isinstance(failure, Failure) and failure.kind is FailureKind.STALE:
        assert retries == 1000
    else:
        assert 0 < retries <= 50


@pytest.mark.parametrize(
    ("reply", "requests"),
    [
        pytest.param(error(524, "edge"), 2, id="524"),
        pytest.param(error(500, "broken"), 2, id="500"),
        pytest.param(Reply(body={}), 2, id="no ranking"),
        pytest.param(Fault.reset_after(), 2, id="reset"),
        pytest.param(error(503, "down", retry_after=0), 5, id="503"),
        pytest.param(error(400, "bad"), 1, id="400"),
        pytest.param(error(402, "no credits"), 1, id="402"),
        pytest.param(Fault.redirect(), 1, id="redirect"),
    ],
)
def test_the_number_of_requests_of_a_failing_call(make_client, stage, reply, requests):
    """The service gets at most two requests that may be billed, however large `max_retries` is."""
    stage.always(reply)

    with pytest.raises(OpenRouterRerankError):
        make_client(max_retries=4).rerank("q", ["a"])

    assert len(stage.requests) == requests


def test_a_client_stops_retrying_during_an_outage(make_client, stage):
    """Sixty failing calls with one retry each make only fifty retries."""
    stage.always(error(503, "down", retry_after=0))
    caller = make_client(max_retries=1)

    for _ in range(60):
        with pytest.raises(OpenRouterRerankError):
            caller.rerank("q", ["a"])

    assert len(stage.requests) == 60 + 50


def test_equal_documents_are_sent_once(make_client, stage):
    """A document that appears twice in a call is sent, and billed, once."""
    documents = ["a", "b", "a", {"text": "b"}, "a"]

    ranking = make_client().rerank("b", documents)

    assert stage.requests[0].documents == ["a", "b"]
    assert sorted(result.index for result in ranking.results) == [0, 1, 2, 3, 4]
