"""The figures about attempts show what the code of a call does."""

from itertools import product

import pytest
from openrouter_rerank._attempt import Attempt, Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, RequestOutcome, call_flow, request_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._call.retry_budget import TokenBucket
from openrouter_rerank._drive import drive

from scripts.attempt_figures import QUESTIONS, RESEND, STOP, TIMEOUT, TO_MODEL_A, TO_MODEL_B, WAIT

CALL = Call(query="q", documents=("a",))
RANKING = b'{"results":[{"index":0,"relevance_score":1}]}'
STATUSES = (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 524, 529)
FREE = {FailureKind.UNSENT, FailureKind.EXHAUSTED, FailureKind.BROKEN_LIMITER, 429, 503, 529}
MAYBE_BILLED = {
    *(FailureKind.STALE, FailureKind.LOST, FailureKind.TIMEOUT, FailureKind.DEADLINE),
    *(FailureKind.OVERSIZED, 408, 500, 502, 504, 524),
}


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        """Return the time in seconds."""
        return self.now


class NoTokens:
    """A retry budget that is spent."""

    def spend(self):
        """Refuse the retry."""
        return False

    def earn(self):
        """Do nothing."""


def response(status, body=b"", **headers):
    """Return a response."""
    return Response(status=status, headers=headers, body=body)


def limits(clock, *, max_retries=2, retry_budget=None):
    """Return the limits of a call that starts now, whose waits are as long as they can be."""
    return Limits(
        timeout=TIMEOUT,
        max_retries=max_retries,
        clock=clock,
        started=clock.now,
        jitter=lambda: 1.0,
        retry_budget=retry_budget or TokenBucket(),
    )


def test_the_time_bar_shows_a_call_of_the_code():
    """The code makes the attempts of the figure at their times, when they fail as it says."""
    clock = Clock()
    spans = [each for each in (*TO_MODEL_A, *TO_MODEL_B) if each.kind == "attempt"]
    replies = iter(
        [
            response(503, **{"retry-after": "2"}),
            Failure(kind=FailureKind.DEADLINE),
            response(200, RANKING),
        ]
    )
    seen = []

    def exchange(attempt):
        clock.now += attempt.delay or (2.0 if not seen else 0.0)
        until = clock.now + attempt.timeout - (0.0 if seen else 2.0)
        start, end = clock.now, spans[len(seen)].end
        seen.append((start, end, attempt.request.model))
        clock.now = end
        reply = next(replies)
        assert isinstance(reply, Response) or end == until
        return reply

    ranking = drive(call_flow(CALL, ("A", "B"), limits(clock)), exchange)

    assert seen == [(each.start, each.end, "A" if each in TO_MODEL_A else "B") for each in spans]
    assert (ranking.model, ranking.attempts, clock.now) == ("B", 3, TO_MODEL_B[-1].end)


def decision(outcome, *, earlier, max_retries=2, left=TIMEOUT, retry_budget=None):
    """Return what the code does after `outcome`, when the outcomes `earlier` came before it."""
    bounds = limits(Clock(), max_retries=max_retries, retry_budget=retry_budget)
    flow = request_flow(CALL, "m", left, bounds)
    step = next(flow)
    for each in earlier:
        step = flow.send(each)
    assert isinstance(step, Attempt)
    step = flow.send(outcome)
    if isinstance(step, RequestOutcome):
        return STOP
    return WAIT if step.delay else RESEND


def first_yes(*answers):
    """Return what the figure says if these are the answers to its questions."""
    assert len(answers) == len(QUESTIONS)
    return next((each.if_yes for each, yes in zip(QUESTIONS, answers, strict=True) if yes), WAIT)


def made(kind):
    """Return a failed attempt: a failure of this kind, or a response with this status."""
    return Failure(kind=kind) if isinstance(kind, FailureKind) else response(kind)


@pytest.mark.parametrize("kind", [*FailureKind, *STATUSES], ids=str)
def test_the_decision_tree_is_that_of_the_code(kind):
    """After each kind of failure, and whatever came before, the code does what the figure says."""
    for max_retries, was_billed, left, is_spent in product(
        (0, 1, 2), (False, True), (0.05, TIMEOUT), (False, True)
    ):
        # The earlier attempt is one that is repeated without taking a retry or a wait.
        earlier = [Failure(kind=FailureKind.STALE)] if was_billed and max_retries else []
        found = decision(
            made(kind),
            earlier=earlier,
            max_retries=max_retries,
            left=left,
            retry_budget=NoTokens() if is_spent else None,
        )
        assert found == first_yes(
            kind not in FREE | MAYBE_BILLED,
            bool(earlier) and kind in MAYBE_BILLED,
            kind is FailureKind.STALE and max_retries > 0,
            max_retries == 0,
            left < 0.1,
            is_spent,
        )


def test_a_third_retry_is_not_made():
    """After `max_retries` retries of free failures, the figure and the code stop."""
    earlier = [response(503), response(503)]

    assert decision(response(503), earlier=earlier[:1]) == WAIT
    assert decision(response(503), earlier=earlier) == STOP
