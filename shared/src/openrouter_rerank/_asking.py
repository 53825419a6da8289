"""
One request of a call as a generator: it decides on attempts, and whoever drives it makes them.

It yields each `Attempt` and is sent a `Response` or a `Failure`; the last thing it yields is its
`Answer`. Clock and chance are arguments, so that every decision is a row in a table.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol

from ._failure import Failure, FailureKind
from ._messages import Request, Response
from ._wire import Call, decode, encode
from .budget import Budget
from .errors import DeadlineExceededError, OpenRouterRerankError
from .policy import MAYBE_BILLED_ATTEMPTS, Cost, cost, pause
from .ranking import Ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Please wait `delay` seconds, then send `request` and give up after `timeout` more."""

    request: Request
    timeout: float
    delay: float = 0.0
    is_on_new_connection: bool = False
    """Whether a connection that was kept may not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request of a call has come to, after all its attempts."""

    outcome: Ranking | OpenRouterRerankError
    attempts: int

    @property
    def error(self) -> OpenRouterRerankError | None:
        """Why there is no ranking, if there is none."""
        return None if isinstance(self.outcome, Ranking) else self.outcome


Asking = Generator[Attempt | Answer, Response | Failure, None]


class RetryBudget(Protocol):
    """What keeps retries a small part of all requests."""

    def spend(self) -> bool:
        """Take a token for a retry; `False` if there is none."""
        ...

    def earn(self) -> None:
        """Note a success."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a call may take, and by which clock."""

    timeout: float
    max_retries: int
    clock: Callable[[], float]
    jitter: Callable[[], float]
    retry_budget: RetryBudget
    budget: Budget | None = None
    """Charged with each answered request, also if the call fails for another one."""
    heard: Callable[[Call, Ranking], object] | None = None
    """Told of each answered request, also if the call fails for another one."""
    started: float | None = None
    """When the call began, if that is not now."""


def ask(call: Call, model: str, until: float, limits: Limits) -> Asking:
    """Ask `model` until it answers or is not worth another attempt."""
    request = encode(call, model)
    attempts = retries = maybe_billed = 0
    delay = 0.0
    is_stale = False
    last: OpenRouterRerankError | None = None
    ranking: Ranking | None = None
    while (left := until - limits.clock() - delay) > 0:
        reply = yield Attempt(
            request=request, timeout=left, delay=delay, is_on_new_connection=is_stale
        )
        attempts += not isinstance(reply, Failure) or reply.was_sent
        outcome, price = _judged(reply, request)
        if isinstance(outcome, Ranking):
            limits.retry_budget.earn()
            if limits.budget is not None:
                limits.budget.charge(outcome.usage.cost)
            if limits.heard is not None:
                limits.heard(call, outcome)
            ranking = outcome
            break
        last = more_telling(last, outcome)
        maybe_billed += price is Cost.MAYBE_BILLED
        if price is Cost.FINAL or maybe_billed >= MAYBE_BILLED_ATTEMPTS:
            break
        if isinstance(reply, Failure) and reply.kind is FailureKind.STALE:
            # A server may close a kept connection at any time, and likely has closed the others: no
            # sign of trouble, so no wait, and no retry that counts.
            delay, is_stale = 0.0, True
            continue
        delay = pause(outcome, retries, limits.jitter())
        late = limits.clock() + delay >= until
        if retries >= limits.max_retries or late or not limits.retry_budget.spend():
            break
        retries += 1
    outcome = ranking or last or DeadlineExceededError("no time was left to ask", retryable=True)
    yield Answer(outcome=outcome, attempts=attempts)


def more_telling(
    last: OpenRouterRerankError | None, new: OpenRouterRerankError
) -> OpenRouterRerankError:
    """Return the error to raise for two attempts: that the time was up tells least."""
    return last if last is not None and isinstance(new, DeadlineExceededError) else new


def _judged(
    reply: Response | Failure, request: Request
) -> tuple[Ranking | OpenRouterRerankError, Cost]:
    if isinstance(reply, Failure):
        return reply.error(request.model), reply.cost
    outcome = decode(reply, request)
    return outcome, Cost.FINAL if isinstance(outcome, Ranking) else cost(outcome)
