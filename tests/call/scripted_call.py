"""Calls that run with scripted replies, and the replies: responses and failures."""

import json

from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import OpenRouterRerankError

OK = Response(
    status=200, headers={}, body=b'{"results":[{"index":0,"relevance_score":1}],"provider":"P"}'
)
NO_RANKING = Response(status=200, headers={}, body=b"{}")
UNSENT, UNTRUSTED, UNSENDABLE, STALE, LOST, BUSY, TIMEOUT, DEADLINE, OVERSIZED = (
    Failure(kind=FailureKind[name], reason="ItsError")
    for name in (
        *("UNSENT", "UNTRUSTED", "UNSENDABLE", "STALE"),
        *("LOST", "BUSY", "TIMEOUT", "DEADLINE", "OVERSIZED"),
    )
)
EXHAUSTED = Failure(kind=FailureKind.EXHAUSTED, reason="ItsError")
UNPERMITTED = Failure(kind=FailureKind.UNPERMITTED)
BROKEN_LIMITER = Failure(kind=FailureKind.BROKEN_LIMITER, reason="ItsError")


def status(code, retry_after=None):
    """Return a response with status `code`."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return Response(status=code, headers=headers, body=b"")


def error_in_200(code):
    """Return a response with status 200 and `code` in its `error` object."""
    return Response(status=200, headers={}, body=json.dumps({"error": {"code": code}}).encode())


class Tokens:
    """A retry budget of `tokens` tokens that records the calls of its methods."""

    def __init__(self, tokens=100):
        self.tokens = tokens
        self.calls = []

    def spend(self):
        """Take a token; return `False` if there was none."""
        self.calls.append("spend")
        self.tokens -= 1
        return self.tokens >= 0

    def earn(self):
        """Record a success."""
        self.calls.append("earn")


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        """Return the current time."""
        return self.now


class ScriptedCall:
    """One call, run with scripted replies: its attempts, and the ranking or the error."""

    def __init__(
        self, *replies, models=("m",), timeout=10.0, max_retries=2, jitter=1.0, tokens=100
    ):
        self.clock = Clock()
        self.budget = Tokens(tokens)
        self.attempts = []
        limits = Limits(
            timeout=timeout,
            max_retries=max_retries,
            clock=self.clock,
            started=self.clock.now,
            jitter=lambda: jitter,
            retry_budget=self.budget,
        )
        remaining = [reply if isinstance(reply, tuple) else (0.0, reply) for reply in replies]

        def exchange(attempt):
            self.attempts.append(attempt)
            seconds, reply = remaining.pop(0)
            self.clock.now += attempt.delay + seconds
            return reply

        try:
            call = Call(query="q", documents=("a",))
            self.outcome = drive(call_flow(call, models, limits), exchange)
        except OpenRouterRerankError as error:
            self.outcome = error
        assert remaining == []

    @property
    def delays(self):
        """The delay of each attempt."""
        return [round(attempt.delay, 6) for attempt in self.attempts]

    @property
    def timeouts(self):
        """The timeout of each attempt."""
        return [round(attempt.timeout, 6) for attempt in self.attempts]

    @property
    def models(self):
        """The model of each attempt."""
        return [attempt.request.model for attempt in self.attempts]
