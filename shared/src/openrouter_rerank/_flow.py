"""
One rerank call as a generator: it decides, and whoever drives it acts.

It yields an `Attempt` to make and is sent a `Response` or a `Failure`; the last thing it yields is
the `Ranking`. Clock and chance are arguments, so that every decision is a row in a table.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from ._messages import Request, Response
from ._wire import Call, decode, encode
from .errors import (
    APIConnectionError,
    DeadlineExceededError,
    InvalidResponseError,
    OpenRouterRerankError,
)
from .policy import (
    MAYBE_BILLED_ATTEMPTS,
    SHARE,
    Cost,
    another_model_may_answer,
    cost,
    pause,
)
from .ranking import Ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Please wait `delay` seconds, then send `request` and give up after `timeout` more."""

    request: Request
    timeout: float
    delay: float = 0.0


class FailureKind(StrEnum):
    """In which way no answer came."""

    UNSENT = "could not connect"
    UNTRUSTED = "the server's certificate is not trusted"
    UNSENDABLE = "the request cannot be sent"
    STALE = "the kept connection was closed"
    LOST = "the connection was lost"
    BUSY = "as many requests as max_concurrency allows were in flight all the time"
    TIMEOUT = "no answer in time"
    DEADLINE = "no answer by the deadline"
    OVERSIZED = "the answer is larger than any honest one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No answer came."""

    kind: FailureKind
    detail: str = ""
    """The name of the error of the HTTP library; never its message, which may quote a header."""


class RetryBudget(Protocol):
    """What keeps retries a small part of all requests."""

    def spend(self) -> bool:
        """Take a token for a retry; `False` if there is none."""
        ...

    def earn(self) -> None:
        """Note a success."""
        ...


Flow = Generator[Attempt | Ranking, Response | Failure, None]
_Outcome = Ranking | OpenRouterRerankError
_COSTS = {
    FailureKind.UNSENT: Cost.FREE,
    FailureKind.UNTRUSTED: Cost.FINAL,
    FailureKind.UNSENDABLE: Cost.FINAL,
    FailureKind.STALE: Cost.MAYBE_BILLED,
    FailureKind.LOST: Cost.MAYBE_BILLED,
    FailureKind.BUSY: Cost.FINAL,
    FailureKind.TIMEOUT: Cost.MAYBE_BILLED,
    FailureKind.DEADLINE: Cost.MAYBE_BILLED,
    FailureKind.OVERSIZED: Cost.MAYBE_BILLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a call may take, and by which clock."""

    timeout: float
    max_retries: int
    clock: Callable[[], float]
    jitter: Callable[[], float]
    retry_budget: RetryBudget


def rerank_flow(call: Call, models: tuple[str, ...], limits: Limits) -> Flow:
    """
    Rank the documents of `call` with the first of `models` that answers.

    Raises:
        OpenRouterRerankError: The last error that tells something, when time, retries or models
            are used up.
    """
    started = limits.clock()
    deadline = started + limits.timeout
    attempts = 0
    last: OpenRouterRerankError | None = None
    for waiting, model in zip(reversed(range(len(models))), models, strict=True):
        now = limits.clock()
        until = now + (deadline - now) * SHARE if waiting else deadline
        outcome, made = yield from _ask(encode(call, model), until, limits)
        attempts += made
        if isinstance(outcome, Ranking):
            whole = call.positions.restored(outcome, call.top_n)
            yield replace(whole, attempts=attempts)
            return
        last = _more_telling(last, outcome)
        if not another_model_may_answer(outcome):
            break
    error = last or DeadlineExceededError("no time was left to ask")
    error.attempts = attempts
    error.add_note(
        f"{attempts} attempts in {limits.clock() - started:.1f} s, timeout {limits.timeout:g} s"
    )
    raise error


def _ask(
    request: Request, until: float, limits: Limits
) -> Generator[Attempt | Ranking, Response | Failure, tuple[_Outcome, int]]:
    """Ask one model until it answers or is not worth another attempt; also count the attempts."""
    attempts = retries = maybe_billed = 0
    delay = 0.0
    last: OpenRouterRerankError | None = None
    while (left := until - limits.clock() - delay) > 0:
        reply = yield Attempt(request=request, timeout=left, delay=delay)
        attempts += not (isinstance(reply, Failure) and reply.kind is FailureKind.BUSY)
        outcome, price = _judged(reply, request)
        if isinstance(outcome, Ranking):
            limits.retry_budget.earn()
            return outcome, attempts
        last = _more_telling(last, outcome)
        maybe_billed += price is Cost.MAYBE_BILLED
        if price is Cost.FINAL or maybe_billed >= MAYBE_BILLED_ATTEMPTS:
            break
        if isinstance(reply, Failure) and reply.kind is FailureKind.STALE:
            # A server may close a kept connection at any time: no sign of trouble, so no wait, and
            # no retry that counts.
            delay = 0.0
            continue
        delay = pause(outcome, retries, limits.jitter())
        late = limits.clock() + delay >= until
        if retries >= limits.max_retries or late or not limits.retry_budget.spend():
            break
        retries += 1
    return last or DeadlineExceededError("no time was left to ask", retryable=True), attempts


def _judged(reply: Response | Failure, request: Request) -> tuple[_Outcome, Cost]:
    if isinstance(reply, Failure):
        return _error(reply, request.model), _COSTS[reply.kind]
    outcome = decode(reply, request)
    return outcome, Cost.FINAL if isinstance(outcome, Ranking) else cost(outcome)


def _error(failure: Failure, model: str) -> OpenRouterRerankError:
    text = f"{failure.kind} ({failure.detail})" if failure.detail else str(failure.kind)
    match failure.kind:
        case FailureKind.DEADLINE | FailureKind.BUSY:
            return DeadlineExceededError(text, model=model, retryable=True)
        case FailureKind.OVERSIZED:
            return InvalidResponseError(text, model=model, retryable=True)
        case _:
            retryable = _COSTS[failure.kind] is not Cost.FINAL
            return APIConnectionError(text, model=model, retryable=retryable)


def _more_telling(
    last: OpenRouterRerankError | None, new: OpenRouterRerankError
) -> OpenRouterRerankError:
    return last if last is not None and isinstance(new, DeadlineExceededError) else new
