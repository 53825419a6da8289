"""Promise: a call ends within its `timeout`, whatever the server does."""

import itertools
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._drive import drive
from openrouter_rerank._retry_budget import TokenBucket
from openrouter_rerank.errors import (
    APIConnectionError,
    DeadlineExceededError,
    OpenRouterRerankError,
    TooManyRequestsError,
)
from openrouter_rerank.local.stage import Fault, error, refusing_address

from tests.clients import OWN
from tests.sizes import figure
from tests.slow_server import slow_line
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
SHARES = st.sampled_from([0.0, 0.001, 0.3, 0.7, 0.999, 1.0])
ANY_REPLY = st.sampled_from(REPLIES[: len(FailureKind)]) | st.sampled_from(REPLIES) | st.just(OK)


SCRIPTS = st.fixed_dictionaries(
    {
        "models": st.sampled_from(["a", "ab", "abc"]),
        "max_retries": st.integers(0, 5),
        "timeout": st.floats(0.01, 100),
        "jitter": st.floats(0, 1),
        "replies": st.lists(st.tuples(ANY_REPLY, SHARES), min_size=1, max_size=20),
    }
)
# Hypothesis takes longer to begin an example than to make one of these: each has several.
AT_ONCE = 10


@given(st.lists(SCRIPTS, min_size=AT_ONCE, max_size=AT_ONCE))
@settings(max_examples=figure(desk=30, ci=500))
def test_no_script_of_replies_passes_the_deadline(scripts):
    """However long attempts take, no call passes its time, its retries or the one billed repeat."""
    for script in scripts:
        check(**script)


def check(models, max_retries, timeout, jitter, replies):
    """Require a call to stay within its bounds, when these replies come after these times."""
    now = 1000.0
    script = itertools.cycle(replies)
    attempts = {model: [] for model in models}
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
        reply, share = next(script)
        now += attempt.delay + share * attempt.timeout
        attempts[attempt.request.model].append(reply)
        return reply

    call = Call(query="q", documents=("a",))
    try:
        count = drive(call_flow(call, tuple(models), limits), exchange).attempts
    except OpenRouterRerankError as failure:
        count = failure.attempts

    made = [reply for replied in attempts.values() for reply in replied]
    unsent = {FailureKind.BUSY, FailureKind.UNPERMITTED, FailureKind.BROKEN_LIMITER}
    kept = [reply for reply in made if isinstance(reply, Failure) and reply.kind in unsent]
    assert count == len(made) - len(kept)
    assert now <= 1000.0 + timeout + 1e-9
    for replied in attempts.values():
        stale = sum(isinstance(r, Failure) and r.kind is FailureKind.STALE for r in replied)
        assert len(replied) <= 1 + max_retries + min(stale, 1)
        assert sum(reply in MAYBE_BILLED for reply in replied) <= 2


TIMEOUT = 0.3
# A machine that is busy with other things may be this late.
SLACK = 0.5


def timed(call):
    """Make a call that fails; return the error and the seconds it took."""
    started = time.monotonic()
    with pytest.raises(OpenRouterRerankError) as caught:
        call()
    return caught.value, time.monotonic() - started


SILENT = [
    pytest.param(Fault.hang(), id="hang"),
    pytest.param(Fault.drip_head(0.02), id="drip head"),
    pytest.param(Fault.drip_body(0.1), id="drip body"),
]


@OWN
@pytest.mark.parametrize("line", SILENT)
@repeat_if_starved
def test_a_silent_or_slow_server(make, stage, line):
    """A server that hangs, drips or comes late costs the timeout, retries included."""
    stage.always(line)

    failure, taken = timed(lambda: make(timeout=TIMEOUT).rerank("q", ["a"]))

    assert isinstance(failure, DeadlineExceededError)
    assert TIMEOUT - 0.05 < taken < TIMEOUT + SLACK
    assert len(stage.requests) <= 2


@OWN
@pytest.mark.parametrize("line", SILENT)
@repeat_if_starved
def test_a_silent_or_slow_server_on_a_kept_connection(make, stage, line):
    """The timeout holds on a connection that has served before."""
    caller = make(timeout=TIMEOUT)
    caller.rerank("q", ["a"], timeout=5)
    stage.always(line)

    failure, taken = timed(lambda: caller.rerank("q", ["a"]))

    assert isinstance(failure, DeadlineExceededError)
    assert TIMEOUT - 0.05 < taken < TIMEOUT + SLACK


def test_a_late_answer_that_is_in_time(make, stage):
    """An answer that comes late but within the timeout is an answer."""
    stage.always(Fault.late_head(0.2))

    assert make(timeout=5).rerank("q", ["a"]).attempts == 1


@repeat_if_starved
def test_a_server_that_is_not_there(make):
    """A refused connection is told at once, after quick retries."""
    with refusing_address() as base_url:
        failure, taken = timed(lambda: make(base_url=base_url, timeout=60).rerank("q", ["a"]))

    assert isinstance(failure, APIConnectionError)
    assert (failure.attempts, failure.retryable) == (3, True)
    assert taken < 5


@pytest.mark.parametrize("hint", ["60", "9" * 400, "Fri, 01 Jan 2100 00:00:00 GMT"])
@repeat_if_starved
def test_a_long_retry_after(make, stage, hint):
    """A wait beyond the deadline is not begun: the error comes now and tells how long."""
    stage.always(error(429, "slow down", retry_after=hint))

    failure, taken = timed(lambda: make(timeout=5).rerank("q", ["a"]))

    assert isinstance(failure, TooManyRequestsError)
    assert failure.retry_after >= 60
    assert len(stage.requests) == 1
    assert taken < 2


@repeat_if_starved
def test_fallbacks_share_the_time(make, stage):
    """A first model that hangs leaves time for the second, within the one timeout."""
    stage.script(Fault.hang())
    started = time.monotonic()

    ranking = make(timeout=0.8).rerank("q", ["a"], model="a/a", fallback_models=["b/b"])

    assert ranking.model == "b/b"
    assert 0.4 < time.monotonic() - started < 0.8


@repeat_if_starved
def test_a_large_request_to_a_server_that_does_not_read(make):
    """Sending is part of the call: a body that nobody takes costs the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        base_url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        caller = make(base_url=base_url, timeout=TIMEOUT)

        failure, taken = timed(lambda: caller.rerank("q", ["x" * 20_000_000]))

    assert isinstance(failure, DeadlineExceededError)
    assert taken < TIMEOUT + 2 * SLACK


@repeat_if_starved
def test_a_large_request_to_a_server_that_reads_drop_by_drop(make):
    """That some of the body is taken now and then does not make the call any longer."""
    with slow_line(0.02) as base_url:
        caller = make(base_url=base_url, timeout=TIMEOUT)

        failure, taken = timed(lambda: caller.rerank("q", ["x" * 20_000_000]))

    assert isinstance(failure, DeadlineExceededError)
    assert taken < TIMEOUT + 2 * SLACK
