"""
Decides one rerank call, as generators without I/O.

`call_flow` decides which requests are sent to which models, and merges their rankings.
`request_flow` decides how often one request is attempted, and after which waits. The driver makes
the attempts and sends back their responses, so each decision is one row in a table of the tests.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
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

from .failure_errors import failure_error
from .known_scores import NOTHING_KNOWN, KnownScores, with_documents_at, with_known_scores
from .plan import Call, merged, parts
from .retry_policy import (
    MAYBE_BILLED_ATTEMPTS,
    SHARE_BEFORE_FALLBACK,
    another_model_may_answer,
    pause,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOutcome:
    """The result of one request, after all its attempts."""

    result: Ranking | OpenRouterRerankError
    attempts: int

    @property
    def error(self) -> OpenRouterRerankError | None:
        """The error, or `None` if there is a ranking."""
        return None if isinstance(self.result, Ranking) else self.result


RequestFlow = Generator[Attempt | RequestOutcome, Response | Failure, None]
"""Yields attempts and receives what came of each. The last value it yields is the outcome."""

CallFlow = Generator[tuple[RequestFlow, ...] | Ranking, Sequence[RequestOutcome], None]
"""Yields requests to make together and receives their outcomes. The last value is the ranking."""

_ModelFlow = Generator[
    tuple[RequestFlow, ...],
    Sequence[RequestOutcome],
    tuple[Ranking | list[OpenRouterRerankError], int],
]
"""The requests to one model. Returns its ranking or its errors, and the number of attempts."""


class RetryBudget(Protocol):
    """Limits retries to a small part of a client's requests."""

    def spend(self) -> bool:
        """Take a token for a retry. Return `False` if there is none."""
        ...

    def earn(self) -> None:
        """Record a request that succeeded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one call, and the functions that it reads time and random numbers from."""

    timeout: float
    """Seconds for the whole call."""
    max_retries: int
    clock: Callable[[], float]
    """Returns the time in seconds, from any start."""
    started: float
    """When the call began, by `clock`."""
    jitter: Callable[[], float]
    """Returns a random number from 0 to 1."""
    retry_budget: RetryBudget
    budget: Budget | None = None
    """Charged for each request that succeeds, even if the call fails because of another one."""
    on_ranking: Callable[[Call, Ranking], object] | None = None
    """Called for each request that succeeds, even if the call fails because of another one."""

    @property
    def deadline(self) -> float:
        """When the call has to end, by `clock`."""
        return self.started + self.timeout


def call_flow(
    call: Call,
    models: tuple[str, ...],
    limits: Limits,
    known: KnownScores = NOTHING_KNOWN,
) -> CallFlow:
    """
    Rank the documents of `call` with the first of `models` that returns a ranking.

    Args:
        call: The documents, the query and the options of the requests.
        models: Slugs of the models, in the order in which to try them.
        limits: The time, the retries and the budget of the call.
        known: Scores of some documents, but not of all. These documents are not sent to the first
            model.

    Raises:
        BudgetExceededError: If the budget is spent.
        InvalidRequestError: If the call needs several requests to a model whose rankings cannot be
            merged.
        OpenRouterRerankError: If time, retries or models are used up. It is the last error that is
            not about time, or a `DeadlineExceededError` if there is no other.
    """
    unknown = call
    if known.by_position:
        unknown = with_documents_at(call, known.missing(len(call.documents)))
    calls_by_model = [(models[0], unknown), *((model, call) for model in models[1:])]
    # The requests to all models are planned before the first is sent: if those to one model cannot
    # be planned, none is sent and none is billed.
    plans = [(model, wanted, _parts(wanted, model)) for model, wanted in calls_by_model]
    if limits.budget is not None:
        limits.budget.check()
    deadline = limits.deadline
    attempts = 0
    errors: list[OpenRouterRerankError] = []
    ranking: Ranking | None = None
    for fallbacks, (model, wanted, ranges) in zip(reversed(range(len(plans))), plans, strict=True):
        now = limits.clock()
        until = now + (deadline - now) * SHARE_BEFORE_FALLBACK if fallbacks else deadline
        result, attempts_made = yield from _model_flow(wanted, model, ranges, until, limits)
        attempts += attempts_made
        if isinstance(result, Ranking) and wanted is not call:
            result, attempts_made = yield from _complete_ranking(call, result, known, until, limits)
            attempts += attempts_made
        if isinstance(result, Ranking):
            ranking = result
            break
        errors += result
        if not all(map(another_model_may_answer, result)):
            break
    if ranking is None:
        error = reduce(_more_informative, errors)
        error.attempts = attempts
        seconds = limits.clock() - limits.started
        error.add_note(f"{attempts} attempts in {seconds:.1f} s, timeout {limits.timeout:g} s")
        raise error
    whole = call.positions.restored(ranking, call.top_n)
    # Not the last cut: the score cache, which requests all results here, and the framework packages
    # cut again.
    yield replace(whole, results=whole.results[: call.top_n], attempts=attempts)


def _model_flow(
    call: Call, model: str, ranges: Sequence[range], until: float, limits: Limits
) -> _ModelFlow:
    """Rank all documents of `call` with `model`, in one request for each of `ranges`."""
    outcomes = yield tuple(
        request_flow(call.part(positions), model, until, limits) for positions in ranges
    )
    attempts = sum(outcome.attempts for outcome in outcomes)
    if errors := [outcome.error for outcome in outcomes if outcome.error is not None]:
        return sorted(errors, key=_importance), attempts
    rankings = [outcome.result for outcome in outcomes if isinstance(outcome.result, Ranking)]
    return _merged(rankings, ranges, call.top_n), attempts


def _complete_ranking(
    call: Call, ranking: Ranking, known: KnownScores, until: float, limits: Limits
) -> _ModelFlow:
    """Rank all documents of `call`. `ranking` has those whose scores are not known."""
    missing = known.missing(len(call.documents))
    if not known.is_outdated_by(ranking):
        return with_known_scores(ranking, missing, known), 0
    # The provider has changed the model behind the slug. Scores of two models cannot be compared,
    # so the known ones are requested too.
    outdated = sorted(known.by_position)
    rest = with_documents_at(call, outdated)
    result, attempts = yield from _model_flow(
        rest, ranking.model, _parts(rest, ranking.model), until, limits
    )
    if not isinstance(result, Ranking):
        return result, attempts
    whole = _merged([ranking, result], [missing, outdated], None)
    if isinstance(whole, Ranking):
        return whole, attempts
    # Several providers serve the slug in turn, each with its own name for the model. A request is
    # served by one of them, so all documents are requested again, together.
    paid = (*ranking.requests, *result.requests)
    result, more = yield from _model_flow(
        call, ranking.model, _parts(call, ranking.model), until, limits
    )
    if isinstance(result, Ranking):
        result = replace(result, requests=(*result.requests, *paid))
    return result, attempts + more


def _merged(
    rankings: Sequence[Ranking], positions: Sequence[Sequence[int]], top_n: int | None
) -> Ranking | list[OpenRouterRerankError]:
    """Merge rankings of one model. Return an error if several models made them."""
    served = {request.served_model for ranking in rankings for request in ranking.requests}
    if len(served - {None}) <= 1:
        return merged(rankings, positions, top_n)
    names = " and ".join(sorted(name for name in served if name is not None))
    message = (
        f"the requests of the call were served by different models: {names:.200}; to have one, "
        "name its provider in provider={'only': [...]}"
    )
    # Retryable, because the provider may have changed the model between the two requests.
    return [InvalidResponseError(message, model=rankings[0].model, retryable=True)]


def _parts(call: Call, model: str) -> tuple[range, ...]:
    limits = known_model(model) or RerankModel(slug=model)
    return parts(call.documents, call.query, limits, call.max_documents)


def request_flow(call: Call, model: str, until: float, limits: Limits) -> RequestFlow:
    """
    Send `call` to `model` in one request, until there is a ranking or no retry is worth it.

    Args:
        call: Not more documents than fit into one request.
        model: The slug of the model.
        until: When the request must have ended, by the clock of `limits`.
        limits: The retries and the budget of the call.

    Raises:
        InvalidRequestError: If a field of the call cannot be written as JSON.
    """
    request = encode(model, call.query, call.documents, top_n=call.top_n, extra=call.extra)
    attempts = retries = maybe_billed = 0
    delay = 0.0
    is_stale = False
    last: OpenRouterRerankError | None = None
    ranking: Ranking | None = None
    while (left := until - limits.clock() - delay) > 0:
        outcome = yield Attempt(
            request=request, timeout=left, delay=delay, is_on_new_connection=is_stale
        )
        attempts += not isinstance(outcome, Failure) or outcome.was_sent
        result, attempt_cost = _result_and_cost(outcome, request, limits, until, attempts)
        if isinstance(result, Ranking):
            limits.retry_budget.earn()
            if limits.budget is not None:
                limits.budget.charge(result.usage.cost)
            if limits.on_ranking is not None:
                limits.on_ranking(call, result)
            ranking = result
            break
        last = result if last is None else _more_informative(last, result)
        maybe_billed += attempt_cost is Cost.MAYBE_BILLED
        if attempt_cost is Cost.FINAL or maybe_billed >= MAYBE_BILLED_ATTEMPTS:
            break
        if isinstance(outcome, Failure) and outcome.kind is FailureKind.STALE:
            # A server may close an idle connection at any time, and has probably closed the others
            # too. That is no failure of the service: the next attempt follows without a wait, on a
            # new connection, and does not count as a retry.
            delay, is_stale = 0.0, True
            continue
        delay = pause(result, retries, limits.jitter())
        late = limits.clock() + delay >= until
        if retries >= limits.max_retries or late or not limits.retry_budget.spend():
            break
        retries += 1
    yield RequestOutcome(result=ranking or last or _no_time(limits), attempts=attempts)


def _no_time(limits: Limits) -> DeadlineExceededError:
    return DeadlineExceededError(
        f"waits before the request took all of timeout={limits.timeout:g} s, and nothing was sent. "
        "Raise timeout.",
        retryable=True,
    )


def _result_and_cost(
    outcome: Response | Failure, request: Request, limits: Limits, until: float, attempts: int
) -> tuple[Ranking | OpenRouterRerankError, Cost]:
    """Return the ranking, which is final, or the error and what its attempt may have cost."""
    if isinstance(outcome, Failure):
        error = failure_error(
            outcome,
            request,
            allowed=until - limits.started,
            timeout=limits.timeout,
            attempts=attempts,
        )
        return error, outcome.cost
    result = decode(outcome, request)
    return result, Cost.FINAL if isinstance(result, Ranking) else cost(result)


def _more_informative(
    last: OpenRouterRerankError, new: OpenRouterRerankError
) -> OpenRouterRerankError:
    """Return which of two errors to raise: the new one, unless it only says that time is up."""
    return last if isinstance(new, DeadlineExceededError) else new


def _importance(error: OpenRouterRerankError) -> tuple[bool, bool]:
    """
    Return a sort key for errors of requests that were made together.

    The last error is raised, so the errors that neither another model nor a retry can fix, and
    that the user has to fix, are sorted to the end.
    """
    return not another_model_may_answer(error), not error.retryable
