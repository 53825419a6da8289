"""
One rerank call as generators: they decide, and whoever drives them acts.

The flow of a call yields what has to be asked, one `Asking` for each request that a model's limits
make necessary, and is sent their answers; the last thing it yields is the `Ranking`. An asking
yields each `Attempt` to make and is sent a `Response` or a `Failure`; the last thing it yields is
its `Answer`. Clock and chance are arguments, so that every decision is a row in a table.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from ._messages import Request, Response
from ._plan import merged, parts
from ._scores import NOTHING_KNOWN, KnownScores, completed, only
from ._wire import Call, decode, encode
from .budget import Budget
from .errors import (
    APIConnectionError,
    DeadlineExceededError,
    InvalidResponseError,
    OpenRouterRerankError,
)
from .models import RerankModel, known_model
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
    UNPERMITTED = "the rate limiter gave no permission in time, so nothing was sent"
    BROKEN_LIMITER = "the rate limiter failed"
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
Flow = Generator[tuple[Asking, ...] | Ranking, Sequence[Answer], None]
_COSTS = {
    FailureKind.UNSENT: Cost.FREE,
    FailureKind.UNTRUSTED: Cost.FINAL,
    FailureKind.UNSENDABLE: Cost.FINAL,
    FailureKind.STALE: Cost.MAYBE_BILLED,
    FailureKind.LOST: Cost.MAYBE_BILLED,
    FailureKind.BUSY: Cost.FINAL,
    FailureKind.UNPERMITTED: Cost.FINAL,
    FailureKind.BROKEN_LIMITER: Cost.FREE,
    FailureKind.TIMEOUT: Cost.MAYBE_BILLED,
    FailureKind.DEADLINE: Cost.MAYBE_BILLED,
    FailureKind.OVERSIZED: Cost.MAYBE_BILLED,
}
_NOTHING_SENT = frozenset({FailureKind.BUSY, FailureKind.UNPERMITTED, FailureKind.BROKEN_LIMITER})


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


def rerank_flow(
    call: Call,
    models: tuple[str, ...],
    limits: Limits,
    known: KnownScores = NOTHING_KNOWN,
) -> Flow:
    """
    Rank the documents of `call` with the first of `models` that answers.

    Args:
        call: What is asked.
        models: Whom to ask, in order.
        limits: What the call may take.
        known: Scores of some documents, though not of all, which the first model is not asked for.

    Raises:
        BudgetExceededError: If the budget is spent.
        InvalidRequestError: If the documents need several requests of a model whose answers cannot
            be merged.
        OpenRouterRerankError: The last error that tells something, when time, retries or models
            are used up.
    """
    first = only(call, known.others(len(call.documents))) if known.of else call
    asked = [(models[0], first), *((model, call) for model in models[1:])]
    # All at once, so that nothing is sent if one of the models cannot be asked.
    plans = [(model, of, _parts(of, model)) for model, of in asked]
    if limits.budget is not None:
        limits.budget.check()
    started = limits.clock() if limits.started is None else limits.started
    deadline = started + limits.timeout
    attempts = 0
    last: OpenRouterRerankError | None = None
    outcome: Ranking | list[OpenRouterRerankError] = []
    for waiting, (model, of, in_parts) in zip(reversed(range(len(plans))), plans, strict=True):
        now = limits.clock()
        until = now + (deadline - now) * SHARE if waiting else deadline
        outcome, made = yield from _asked(of, model, in_parts, until, limits)
        attempts += made
        if isinstance(outcome, Ranking) and of is not call:
            outcome, made = yield from _completed(call, outcome, known, until, limits)
            attempts += made
        if isinstance(outcome, Ranking):
            break
        for error in outcome:
            last = _more_telling(last, error)
        if not all(map(another_model_may_answer, outcome)):
            break
    if isinstance(outcome, Ranking):
        whole = call.positions.restored(outcome, call.top_n)
        yield replace(whole, results=whole.results[: call.top_n], attempts=attempts)
    else:
        error = last or DeadlineExceededError("no time was left to ask")
        error.attempts = attempts
        error.add_note(
            f"{attempts} attempts in {limits.clock() - started:.1f} s, timeout {limits.timeout:g} s"
        )
        raise error


_Asked = Generator[
    tuple[Asking, ...], Sequence[Answer], tuple[Ranking | list[OpenRouterRerankError], int]
]


def _asked(
    call: Call, model: str, in_parts: Sequence[range], until: float, limits: Limits
) -> _Asked:
    """Ask one model for all of `call`; return its ranking, or what went wrong, and the attempts."""
    answers = yield tuple(ask(call.part(each), model, until, limits) for each in in_parts)
    attempts = sum(answer.attempts for answer in answers)
    if errors := [answer.error for answer in answers if answer.error is not None]:
        return errors, attempts
    rankings = [answer.outcome for answer in answers if isinstance(answer.outcome, Ranking)]
    return merged(rankings, in_parts, call.top_n), attempts


def _completed(
    call: Call, ranking: Ranking, known: KnownScores, until: float, limits: Limits
) -> _Asked:
    """Rank all of `call`, given the ranking of what was not known of it."""
    others = known.others(len(call.documents))
    if not known.is_outdated_by(ranking):
        return completed(ranking, others, known), 0
    # The provider has changed the model behind the slug: what was known is another one's.
    again = sorted(known.of)
    rest = only(call, again)
    outcome, made = yield from _asked(
        rest, ranking.model, _parts(rest, ranking.model), until, limits
    )
    if isinstance(outcome, Ranking):
        outcome = merged([ranking, outcome], [others, again], None)
    return outcome, made


def ask(call: Call, model: str, until: float, limits: Limits) -> Asking:
    """Ask `model` until it answers or is not worth another attempt."""
    request = encode(call, model)
    attempts = retries = maybe_billed = 0
    delay = 0.0
    last: OpenRouterRerankError | None = None
    ranking: Ranking | None = None
    while (left := until - limits.clock() - delay) > 0:
        reply = yield Attempt(request=request, timeout=left, delay=delay)
        attempts += not (isinstance(reply, Failure) and reply.kind in _NOTHING_SENT)
        outcome, price = _judged(reply, request)
        if isinstance(outcome, Ranking):
            limits.retry_budget.earn()
            if limits.budget is not None:
                limits.budget.charge(outcome.usage.cost)
            if limits.heard is not None:
                limits.heard(call, outcome)
            ranking = outcome
            break
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
    outcome = ranking or last or DeadlineExceededError("no time was left to ask", retryable=True)
    yield Answer(outcome=outcome, attempts=attempts)


def _parts(call: Call, model: str) -> tuple[range, ...]:
    known = known_model(model) or RerankModel(slug=model)
    return parts(call.documents, call.query, known, call.max_documents)


def _judged(
    reply: Response | Failure, request: Request
) -> tuple[Ranking | OpenRouterRerankError, Cost]:
    if isinstance(reply, Failure):
        return _error(reply, request.model), _COSTS[reply.kind]
    outcome = decode(reply, request)
    return outcome, Cost.FINAL if isinstance(outcome, Ranking) else cost(outcome)


def _error(failure: Failure, model: str) -> OpenRouterRerankError:
    text = f"{failure.kind} ({failure.detail})" if failure.detail else str(failure.kind)
    match failure.kind:
        case FailureKind.DEADLINE | FailureKind.BUSY | FailureKind.UNPERMITTED:
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
