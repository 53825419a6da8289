"""
Decides one rerank call, as generators without I/O.

`call_flow` decides which requests are sent to which models, and merges their rankings.
`request_flow` decides how often one request is attempted, and after which waits. The driver makes
the attempts and sends back their responses, so each decision is one row in a table of the tests.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from openrouter_rerank._attempt import (
    Attempt,
    Cost,
    Failure,
    FailureKind,
    Request,
    Response,
    cost,
    is_spent,
)
from openrouter_rerank._wire.request import encode
from openrouter_rerank._wire.response import decode
from openrouter_rerank.budget import Budget, budget_error
from openrouter_rerank.errors import BudgetExceededError, OpenRouterRerankError, help_note
from openrouter_rerank.models import model_for
from openrouter_rerank.ranking import AnsweredRequest, Ranking

from .failure_errors import (
    call_error,
    failure_error,
    importance,
    more_informative,
    no_time_error,
)
from .known_scores import NOTHING_KNOWN, KnownScores, with_documents_at, with_known_scores
from .plan import Call, merged, parts
from .retry_policy import (
    LEAST_TIME_TO_IMPROVE,
    MAYBE_BILLED_ATTEMPTS,
    SHARE_BEFORE_FALLBACK,
    another_model_may_answer,
    pause,
)
from .served_names import (
    name_of_most_documents,
    served_name,
    several_names,
    with_one_route,
    with_provider_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOutcome:
    """The result of one request, after all its attempts."""

    result: Ranking | OpenRouterRerankError
    attempts: int
    maybe_billed: int = 0
    """The number of attempts that failed and may have been billed."""

    @property
    def error(self) -> OpenRouterRerankError | None:
        """The error, or `None` if there is a ranking."""
        return None if isinstance(self.result, Ranking) else self.result

    @property
    def ends_call(self) -> bool:
        """`True` if the call fails, and its other requests need not be completed."""
        # When the budget is spent, those in flight are paid for, and the others are not sent.
        return not isinstance(self.result, Ranking | BudgetExceededError)


RequestFlow = Generator[Attempt | RequestOutcome, Response | Failure, None]
"""Yields attempts and receives the result of each. The last value it yields is the outcome."""

CallFlow = Generator[tuple[RequestFlow, ...] | Ranking, Sequence[RequestOutcome], None]
"""Yields requests to make together and receives their outcomes. The last value is the ranking."""


class _ModelOutcome(NamedTuple):
    """The result of all requests to one model."""

    result: Ranking | list[OpenRouterRerankError]
    attempts: int
    mixed: frozenset[str | None] = frozenset()
    """The served names of the scores in the ranking, if there are several."""
    paid: tuple[AnsweredRequest, ...] = ()
    """The requests that succeeded although the result is an error."""


_ModelFlow = Generator[tuple[RequestFlow, ...], Sequence[RequestOutcome], _ModelOutcome]
"""The requests to one model."""


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
    """No attempt is made if it is spent. Each response is charged."""
    on_ranking: Callable[[Call, Ranking], object] | None = None
    """Called for each request that succeeds, even if the call fails because of another one."""
    on_mixed_scores: Callable[[str, frozenset[str | None]], object] | None = None
    """Called with the slug and the served names if a ranking has scores of several of these."""

    @property
    def deadline(self) -> float:
        """When the call has to end, by `clock`."""
        return self.started + self.timeout

    def soon(self, until: float) -> float:
        """Return when requests that only improve a ranking end: it is paid, and must not wait."""
        now = self.clock()
        return min(until, now + max(LEAST_TIME_TO_IMPROVE, 2 * (now - self.started)))

    def report_mixed_scores(self, model: str, names: frozenset[str | None]) -> None:
        """Call `on_mixed_scores`, if there are several `names`."""
        if names and self.on_mixed_scores is not None:
            self.on_mixed_scores(model, names)


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
        outcome = yield from _model_flow(wanted, model, ranges, until, limits)
        if wanted is not call:
            outcome = yield from _complete_outcome(call, outcome, known, until, limits)
        result = outcome.result
        attempts += outcome.attempts
        if isinstance(result, Ranking):
            ranking = result
            limits.report_mixed_scores(model, outcome.mixed)
            break
        errors += result
        if not all(map(another_model_may_answer, result)):
            break
    if ranking is None:
        error = call_error(errors, attempts, limits.budget)
        seconds = limits.clock() - limits.started
        sent = f"{attempts} attempt{'' if attempts == 1 else 's'}"
        error.add_note(f"{sent} in {seconds:.1f} s, timeout {limits.timeout:g} s")
        error.add_note(help_note(error))
        raise error
    whole = call.positions.restored(ranking, call.top_n)
    # This is not the last cut: the score cache and the framework packages cut again.
    results = whole.results[: call.top_n]
    yield Ranking(results=results, model=whole.model, requests=whole.requests, attempts=attempts)


def _model_flow(
    call: Call, model: str, ranges: Sequence[range], until: float, limits: Limits
) -> _ModelFlow:
    """Rank all documents of `call` with `model`, in one request for each of `ranges`."""
    if len(ranges) > 1 or call.is_cached:
        call = with_one_route(call, model)
    outcomes = yield tuple(
        request_flow(call.part(positions), model, until, limits) for positions in ranges
    )
    attempts = sum(outcome.attempts for outcome in outcomes)
    if errors := [outcome.error for outcome in outcomes if outcome.error is not None]:
        paid = tuple(request for each in _rankings(outcomes) for request in each.requests)
        return _ModelOutcome(sorted(errors, key=importance), attempts, paid=paid)
    rankings = _rankings(outcomes)
    if len(rankings) > 1 and several_names(rankings):
        return (yield from _request_again(call, outcomes, ranges, limits.soon(until), limits))
    return _ModelOutcome(merged(rankings, ranges, call.top_n), attempts)


def _request_again(
    call: Call,
    outcomes: Sequence[RequestOutcome],
    ranges: Sequence[range],
    until: float,
    limits: Limits,
) -> _ModelFlow:
    """
    Merge rankings that have several served names, after an attempt to get one name for all.

    The parts without the most frequent name are requested again. If the names still differ, the
    scores are merged anyway, because the slug is one model, and its requests are paid for.
    """
    rankings = _rankings(outcomes)
    # Each part has been billed once, and maybe for failed attempts too.
    billed = [outcome.maybe_billed + 1 for outcome in outcomes]
    attempts = sum(outcome.attempts for outcome in outcomes)
    name = name_of_most_documents(rankings, ranges)
    others = [index for index, each in enumerate(rankings) if served_name(each) not in {name, None}]
    unused: list[AnsweredRequest] = []
    # If one part cannot get the name, requests for the others would change nothing.
    is_allowed = max(billed[index] for index in others) < MAYBE_BILLED_ATTEMPTS
    if is_allowed and not is_spent(limits.budget):
        named = next(each for each in rankings if served_name(each) == name)
        wanted = with_provider_of(call, named)
        outcomes = yield tuple(
            request_flow(wanted.part(ranges[index]), named.model, until, limits, billed[index])
            for index in others
        )
        attempts += sum(outcome.attempts for outcome in outcomes)
        new = _rankings(outcomes)
        if len(new) == len(others):
            for index, ranking in zip(others, new, strict=True):
                left = ranking
                if served_name(ranking) in {name, None}:
                    left, rankings[index] = rankings[index], ranking
                unused += left.requests
        else:
            # A request has failed, and the outcomes do not say which parts the others have ranked.
            unused += [request for each in new for request in each.requests]
    whole = merged(rankings, ranges, call.top_n)
    # The requests with the name come first, because `Ranking.served_model` is that of the first.
    requests = sorted((*whole.requests, *unused), key=lambda each: each.served_model != name)
    whole = replace(whole, requests=tuple(requests))
    return _ModelOutcome(whole, attempts, several_names(rankings))


def _complete_outcome(
    call: Call, outcome: _ModelOutcome, known: KnownScores, until: float, limits: Limits
) -> _ModelFlow:
    """
    Add the documents with known scores to the ranking of the others.

    If the known scores have another served name, those documents are requested too, once. If they
    cannot be obtained under the name of the ranking, the known scores are used anyway, because the
    ranking is paid for.
    """
    ranking, attempts, mixed, _ = outcome
    if not isinstance(ranking, Ranking):
        return outcome
    missing = known.missing(len(call.documents))
    name = served_name(ranking)
    scores = known.under(name)
    outdated = [index for index in sorted(known.by_position) if index not in scores]
    if not outdated:
        return _ModelOutcome(with_known_scores(ranking, missing, scores), attempts, mixed)
    if not mixed:
        rest = with_documents_at(call, outdated)
        ranges = _parts(rest, ranking.model)
        result, more, mixed, paid = yield from _model_flow(
            rest, ranking.model, ranges, limits.soon(until), limits
        )
        attempts += more
        if isinstance(result, Ranking):
            whole = merged([ranking, result], [missing, outdated], None)
            whole = with_known_scores(whole, range(len(call.documents)), scores)
            return _ModelOutcome(whole, attempts, mixed | several_names([ranking, result]))
        ranking = replace(ranking, requests=(*ranking.requests, *paid))
    names = mixed | {name, known.served_model}
    return _ModelOutcome(with_known_scores(ranking, missing, known.by_position), attempts, names)


def _rankings(outcomes: Sequence[RequestOutcome]) -> list[Ranking]:
    return [outcome.result for outcome in outcomes if isinstance(outcome.result, Ranking)]


def _parts(call: Call, model: str) -> tuple[range, ...]:
    return parts(call.documents, call.query, model_for(model), call.max_documents)


def request_flow(
    call: Call, model: str, until: float, limits: Limits, billed: int = 0
) -> RequestFlow:
    """
    Send `call` to `model` in one request, until there is a ranking or no retry is worth it.

    Args:
        call: Not more documents than fit into one request.
        model: The slug of the model.
        until: When the request must have ended, by the clock of `limits`.
        limits: The retries and the budget of the call.
        billed: The number of attempts for the same documents that may have been billed before.

    Raises:
        InvalidRequestError: If a field of the call cannot be written as JSON.
    """
    request = encode(model, call.query, call.documents, top_n=call.top_n, extra=call.body_fields)
    attempts = retries = maybe_billed = 0
    delay = 0.0
    is_stale = False
    last: OpenRouterRerankError | None = None
    ranking: Ranking | None = None
    while (left := until - limits.clock() - delay) > 0 and not is_spent(limits.budget):
        outcome = yield Attempt(
            request=request,
            timeout=left,
            delay=delay,
            is_on_new_connection=is_stale,
            budget=limits.budget,
        )
        attempts += not isinstance(outcome, Failure) or outcome.was_sent
        result, attempt_cost = _result_and_cost(outcome, request, limits, until, attempts)
        if isinstance(result, Ranking):
            limits.retry_budget.earn()
            if limits.on_ranking is not None:
                limits.on_ranking(call, result)
            ranking = result
            break
        last = result if last is None else more_informative(last, result)
        maybe_billed += attempt_cost is Cost.MAYBE_BILLED
        if attempt_cost is Cost.FINAL or billed + maybe_billed >= MAYBE_BILLED_ATTEMPTS:
            break
        kind = outcome.kind if isinstance(outcome, Failure) else None
        if kind is FailureKind.STALE and limits.max_retries:
            # A server may close an idle connection at any time, and has probably closed the others
            # too. The next attempt has no wait, uses a new one, and is not counted as a retry.
            delay, is_stale = 0.0, True
            continue
        delay = pause(result, retries, limits.jitter())
        late = limits.clock() + delay >= until
        if retries >= limits.max_retries or late or not limits.retry_budget.spend():
            break
        retries += 1
    else:
        last = budget_error(limits.budget) or last
    # An empty ranking is false, so it is compared with `None`.
    result = ranking if ranking is not None else last or no_time_error(limits.timeout, model)
    yield RequestOutcome(result=result, attempts=attempts, maybe_billed=maybe_billed)


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
