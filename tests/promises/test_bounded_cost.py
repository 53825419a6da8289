"""
Promise: cost is bounded.

At most one retry of what may have been billed; copies are sent once; an outage brings no storm.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._drive import drive
from openrouter_rerank._retry_budget import TokenBucket
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.local.stage import Fault, Reply, error

FREE = [
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


def attempts_of(replies, *, models=("m",), max_retries=2, bucket=None):
    """How each attempt of a call was answered, by its model, when `replies` gives the answers."""
    limits = Limits(
        timeout=30,
        max_retries=max_retries,
        clock=lambda: 0.0,
        started=0.0,
        jitter=lambda: 0.5,
        retry_budget=bucket or TokenBucket(),
    )
    made = {model: [] for model in models}

    def exchange(attempt):
        made[attempt.request.model].append(reply := replies())
        return reply

    try:
        drive(call_flow(Call(query="q", documents=("a",)), models, limits), exchange)
    except OpenRouterRerankError:
        return made
    pytest.fail("the script of failures ended in a ranking")


@given(st.data(), st.integers(0, 9), st.sampled_from(["a", "ab", "abc"]))
@settings(max_examples=300)
def test_what_may_be_billed_is_repeated_once(data, max_retries, models):
    """However failures mix, one model is asked twice at most by attempts that may be billed."""
    failures = st.sampled_from(FREE + MAYBE_BILLED)

    made = attempts_of(lambda: data.draw(failures), models=tuple(models), max_retries=max_retries)

    for replies in made.values():
        assert sum(reply in MAYBE_BILLED for reply in replies) <= 2


@pytest.mark.parametrize("failure", FREE + MAYBE_BILLED, ids=repr)
def test_an_outage_brings_no_storm(failure):
    """Of a thousand calls in an outage, less than a tenth as many requests are retries."""
    bucket = TokenBucket()

    retries = sum(len(attempts_of(lambda: failure, bucket=bucket)["m"]) - 1 for _ in range(1000))
    # A kept connection that was closed is no outage: there, what is sent again is no retry.
    if isinstance(failure, Failure) and failure.kind is FailureKind.STALE:
        assert retries == 1000
    else:
        assert 0 < retries <= 50


@pytest.mark.parametrize(
    ("line", "most"),
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
def test_what_the_service_sees_of_a_failing_call(make, stage, line, most):
    """On the wire, too, what may be billed comes twice at most, whatever `max_retries` says."""
    stage.always(line)

    with pytest.raises(OpenRouterRerankError):
        make(max_retries=4).rerank("q", ["a"])

    assert len(stage.requests) == most


def test_an_outage_on_the_wire(make, stage):
    """A client in an outage stops retrying, and starts again when the service is back."""
    stage.always(error(503, "down", retry_after=0))
    caller = make(max_retries=1)

    for _ in range(60):
        with pytest.raises(OpenRouterRerankError):
            caller.rerank("q", ["a"])

    assert len(stage.requests) == 60 + 50


def test_copies_are_sent_once(make, stage):
    """What stands in a call twice is sent, and billed, once."""
    documents = ["a", "b", "a", {"text": "b"}, "a"]

    ranking = make().rerank("b", documents)

    assert stage.requests[0].documents == ["a", "b"]
    assert sorted(result.index for result in ranking.results) == [0, 1, 2, 3, 4]
