"""Promise: a call ends within its `timeout`, even if the server does not respond."""

import itertools
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._call.retry_budget import TokenBucket
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import (
    APIConnectionError,
    DeadlineExceededError,
    OpenRouterRerankError,
    TooManyRequestsError,
)
from openrouter_rerank.local.stage import Fault, error, refusing_address

from tests.clients import OWN_CONNECTIONS
from tests.repetitions import repetitions
from tests.slow_server import slow_server
from tests.starvation import repeat_if_starved

OK = Response(status=200, headers={}, body=b'{"results":[{"index":0,"relevance_score":1}]}')
REPLIES = [
    *(Failure(kind=kind) for kind in FailureKind),
    *(
        Response(status=status, headers=headers, body=body)
        for status in (200, 307, 400, 401, 404, 408, 413, 429, 500, 502, 503, 524, 529)
        for headers in ({}, *({"retry-after": hint} for hint in ("0", "1", "7", "99")))
        for body in (b"", b'{"error":{"code":503}}', b'{"error":{"code":400}}')
    ),
]
MAYBE_BILLED = [
    *(
        Failure(kind=getattr(FailureKind, name))
        for name in ("STALE", "LOST", "TIMEOUT", "DEADLINE", "OVERSIZED")
    ),
    *(Response(status=status, headers={}, body=b"") for status in (200, 408, 500, 502, 524)),
]
UNSENT_KINDS = {
    *(FailureKind.OVER_BUDGET, FailureKind.BUSY),
    *(FailureKind.UNPERMITTED, FailureKind.BROKEN_LIMITER),
}
SHARES_OF_TIMEOUT = st.sampled_from([0.0, 0.001, 0.3, 0.7, 0.999, 1.0])
ANY_REPLY = st.sampled_from(REPLIES[: len(FailureKind)]) | st.sampled_from(REPLIES) | st.just(OK)


CALLS = st.fixed_dictionaries(
    {
        "models": st.sampled_from(["a", "ab", "abc"]),
        "max_retries": st.integers(0, 5),
        "timeout": st.floats(0.01, 100),
        "jitter": st.floats(0, 1),
        "replies": st.lists(st.tuples(ANY_REPLY, SHARES_OF_TIMEOUT), min_size=1, max_size=20),
    }
)
# Several calls per example, because starting an example takes longer than a call.
CALLS_PER_EXAMPLE = 10


@given(st.lists(CALLS, min_size=CALLS_PER_EXAMPLE, max_size=CALLS_PER_EXAMPLE))
@settings(max_examples=repetitions(local=30, ci=150, full=500))
def test_no_sequence_of_replies_exceeds_the_limits_of_a_call(calls):
    """No call exceeds its timeout, its retries, or two attempts per model that may be billed."""
    for call in calls:
        check_call(**call)


def check_call(models, max_retries, timeout, jitter, replies):
    """Require a call to stay within its limits, if each reply takes a part of the timeout."""
    now = 1000.0
    replies_and_shares = itertools.cycle(replies)
    replies_by_model = {model: [] for model in models}
    limits = Limits(
        timeout=timeout,
        max_retries=max_retries,
        clock=lambda: now,
        started=now,
        jitter=lambda: jitter,
        retry_budget=TokenBucket(),
    )

    def exchange(attempt):
        nonlocal now
        assert 0 < attempt.timeout <= timeout + 1e-9
        assert attempt.delay >= 0
        assert now + attempt.delay + attempt.timeout <= 1000.0 + timeout + 1e-9
        reply, share = next(replies_and_shares)
        now += attempt.delay + share * attempt.timeout
        replies_by_model[attempt.request.model].append(reply)
        return reply

    call = Call(query="q", documents=("a",))
    try:
        count = drive(call_flow(call, tuple(models), limits), exchange).attempts
    except OpenRouterRerankError as failure:
        count = failure.attempts

    all_replies = [reply for model_replies in replies_by_model.values() for reply in model_replies]
    unsent_replies = [
        reply for reply in all_replies if isinstance(reply, Failure) and reply.kind in UNSENT_KINDS
    ]
    assert count == len(all_replies) - len(unsent_replies)
    assert now <= 1000.0 + timeout + 1e-9
    for model_replies in replies_by_model.values():
        stale = sum(isinstance(r, Failure) and r.kind is FailureKind.STALE for r in model_replies)
        assert len(model_replies) <= 1 + max_retries + min(stale, 1, max_retries)
        assert sum(reply in MAYBE_BILLED for reply in model_replies) <= 2


TIMEOUT = 0.3
# Seconds by which a busy machine may be late.
TOLERANCE = 0.5


def failure_and_seconds(call):
    """Make a call that fails; return the error and the seconds that it took."""
    started = time.monotonic()
    with pytest.raises(OpenRouterRerankError) as caught:
        call()
    return caught.value, time.monotonic() - started


SLOW_FAULTS = [
    pytest.param(Fault.hang(), id="hang"),
    pytest.param(Fault.drip_head(0.02), id="drip head"),
    pytest.param(Fault.drip_body(0.1), id="drip body"),
]


@OWN_CONNECTIONS
@pytest.mark.parametrize("fault", SLOW_FAULTS)
@repeat_if_starved
def test_a_silent_or_slow_server_takes_the_timeout(make_client, stage, fault):
    """If a server hangs or sends slowly, the call ends at its timeout, including retries."""
    stage.always(fault)

    failure, seconds = failure_and_seconds(lambda: make_client(timeout=TIMEOUT).rerank("q", ["a"]))

    assert isinstance(failure, DeadlineExceededError)
    assert TIMEOUT - 0.05 < seconds < TIMEOUT + TOLERANCE
    assert len(stage.requests) <= 2


@OWN_CONNECTIONS
@pytest.mark.parametrize("fault", SLOW_FAULTS)
@repeat_if_starved
def test_the_timeout_applies_to_a_reused_connection(make_client, stage, fault):
    """The timeout also applies to a request on a connection that was used before."""
    caller = make_client(timeout=TIMEOUT)
    caller.rerank("q", ["a"], timeout=5)
    stage.always(fault)

    failure, seconds = failure_and_seconds(lambda: caller.rerank("q", ["a"]))

    assert isinstance(failure, DeadlineExceededError)
    assert TIMEOUT - 0.05 < seconds < TIMEOUT + TOLERANCE


def test_a_late_response_within_the_timeout(make_client, stage):
    """A response that arrives late, but within the timeout, is used."""
    stage.always(Fault.late_head(0.2))

    assert make_client(timeout=5).rerank("q", ["a"]).attempts == 1


@repeat_if_starved
def test_a_refused_connection_is_reported_quickly(make_client):
    """A refused connection raises its error after quick retries, long before the timeout."""
    with refusing_address() as base_url:
        failure, seconds = failure_and_seconds(
            lambda: make_client(base_url=base_url, timeout=60).rerank("q", ["a"])
        )

    assert isinstance(failure, APIConnectionError)
    assert (failure.attempts, failure.retryable) == (3, True)
    assert seconds < 5


@pytest.mark.parametrize("hint", ["60", "9" * 400, "Fri, 01 Jan 2100 00:00:00 GMT"])
@repeat_if_starved
def test_a_retry_after_beyond_the_deadline_is_not_awaited(make_client, stage, hint):
    """A `Retry-After` beyond the deadline raises immediately, and the error has its seconds."""
    stage.always(error(429, "slow down", retry_after=hint))

    failure, seconds = failure_and_seconds(lambda: make_client(timeout=5).rerank("q", ["a"]))

    assert isinstance(failure, TooManyRequestsError)
    assert failure.retry_after >= 60
    assert len(stage.requests) == 1
    assert seconds < 2


@repeat_if_starved
def test_fallback_models_share_the_timeout(make_client, stage):
    """If the first model hangs, the call leaves time for the second within its timeout."""
    stage.script(Fault.hang())
    started = time.monotonic()

    ranking = make_client(timeout=0.8).rerank("q", ["a"], model="a/a", fallback_models=["b/b"])

    assert ranking.model == "b/b"
    assert 0.4 < time.monotonic() - started < 0.8


@repeat_if_starved
def test_a_large_request_to_a_server_that_does_not_read(make_client):
    """If a server reads nothing of a large request, the call ends at its timeout."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        base_url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        caller = make_client(base_url=base_url, timeout=TIMEOUT)

        failure, seconds = failure_and_seconds(lambda: caller.rerank("q", ["x" * 20_000_000]))

    assert isinstance(failure, DeadlineExceededError)
    assert seconds < TIMEOUT + 2 * TOLERANCE


@repeat_if_starved
def test_a_large_request_to_a_server_that_reads_slowly(make_client):
    """If a server reads a large request slowly, the call ends at its timeout."""
    with slow_server(0.02) as base_url:
        caller = make_client(base_url=base_url, timeout=TIMEOUT)

        failure, seconds = failure_and_seconds(lambda: caller.rerank("q", ["x" * 20_000_000]))

    assert isinstance(failure, DeadlineExceededError)
    assert seconds < TIMEOUT + 2 * TOLERANCE
