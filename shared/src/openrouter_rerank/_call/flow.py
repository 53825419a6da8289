"""
The decisions of one rerank call, as generators without I/O, clock or chance.

`rerank_flow` decides which models get which requests, and merges their rankings. `ask` decides on
the attempts of one request. Whoever drives them makes the attempts; so each decision is a row in a
table of the tests.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from openrouter_rerank._attempt import (
    Attempt,
    Cost,
    Failure,
    FailureKind,
    Request,
    Response,
    cost,
)
from openrouter_rerank._wire.request import encode
from openrouter_rerank._wire.response import decode
from openrouter_rerank.budget import Budget
from openrouter_rerank.errors import (
    DeadlineExceededError,
    InvalidResponseError,
    OpenRouterRerankError,
)
from openrouter_rerank.models import RerankModel, known_model
from openrouter_rerank.ranking import Ranking

from .known_scores import NOTHING_KNOWN, KnownScores, completed, only
from .plan import Call, merged, parts
from .retry_policy import MAYBE_BILLED_ATTEMPTS, SHARE, another_model_may_answer, pause


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
    request = encode(model, call.query, call.documents, top_n=call.top_n, extra=call.extra)
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


Flow = Generator[tuple[Asking, ...] | Ranking, Sequence[Answer], None]


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
            last = more_telling(last, error)
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
        return sorted(errors, key=_gravity), attempts
    rankings = [answer.outcome for answer in answers if isinstance(answer.outcome, Ranking)]
    return _merged(rankings, in_parts, call.top_n), attempts


def _gravity(error: OpenRouterRerankError) -> tuple[bool, bool]:
    """Put last what neither another model nor a repetition cures: it is to be mended first."""
    return not another_model_may_answer(error), not error.retryable


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
    if not isinstance(outcome, Ranking):
        return outcome, made
    merged = _merged([ranking, outcome], [others, again], None)
    if isinstance(merged, Ranking):
        return merged, made
    # Providers with names of their own for the model take turns: one request has one of them.
    paid = (*ranking.requests, *outcome.requests)
    outcome, more = yield from _asked(
        call, ranking.model, _parts(call, ranking.model), until, limits
    )
    if isinstance(outcome, Ranking):
        outcome = replace(outcome, requests=(*outcome.requests, *paid))
    return outcome, made + more


def _merged(
    rankings: Sequence[Ranking], of: Sequence[Sequence[int]], top_n: int | None
) -> Ranking | list[OpenRouterRerankError]:
    """Put rankings into one order, if one model has made them all."""
    served = {request.served_model for ranking in rankings for request in ranking.requests}
    if len(served - {None}) <= 1:
        return merged(rankings, of, top_n)
    # Two models' scores make no order, and a provider may change the model between two requests.
    names = " and ".join(sorted(name for name in served if name is not None))
    message = (
        f"the requests of the call were answered by different models: {names:.200}; to have one, "
        "name its provider in provider={'only': [...]}"
    )
    return [InvalidResponseError(message, model=rankings[0].model, retryable=True)]


def _parts(call: Call, model: str) -> tuple[range, ...]:
    known = known_model(model) or RerankModel(slug=model)
    return parts(call.documents, call.query, known, call.max_documents)
