"""
Asks the models, and keeps each answer in the matrix.

The questions that are probed are asked first: the probes show early whether smaller depths can be
computed from the scores at the largest depth.
"""

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from openrouter_rerank.errors import (
    BudgetExceededError,
    ConfigurationError,
    OpenRouterRerankError,
    PaymentRequiredError,
    UnauthorizedError,
)
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.settings import Settings
from openrouter_rerank.ranking import Usage

from .caller import Answer, Caller
from .estimate import FIRST_QUESTIONS, Estimate, estimate, share_of_cost
from .in_flight import InFlight
from .kept_answers import Want, differ, kept_answer, missing
from .matrix import KeptCall, Matrix, digest, list_digest
from .schedule import Job, Schedule
from .scores import AskedCall, CallKind, Scores

MOST_FAILURES = 20
"""After this many failed calls without an answer between them, the service is treated as down."""
FATAL = (ConfigurationError, PaymentRequiredError, UnauthorizedError)
"""Errors that every call would have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the asking is, for one model."""

    model: str
    done: int
    """Calls that are kept or have failed, probes included."""
    total: int
    failed: int
    """Questions whose calls have failed."""
    cost: float | None
    """US dollars of the calls of this run. `None`: the service has not reported any."""
    estimate: Estimate | None = None
    """Set when the first questions are answered, and again if more calls turn out necessary."""


def show_nothing(_: Progress) -> None:
    """Do nothing. This is the progress function of callers that have none."""


async def ask(
    collection: Collection,
    settings: Settings,
    *,
    caller: Caller,
    matrix: Matrix,
    progress: Callable[[Progress], object] | None = None,
    stop: asyncio.Event | None = None,
) -> Scores:
    """
    Ask what the matrix does not have yet, and return all scores.

    A failed question does not end the asking. A spent budget and 20 failures in a row end it, and
    the result has what there is. If `stop` is set, nothing more is sent, and calls in flight have 5
    seconds to end.

    Raises:
        OpenRouterRerankError: If no call can succeed: the key is wrong, the account has no credits,
            an option cannot be used, or a model has answered none of the first questions.
    """
    schedule = Schedule(collection, settings)
    asking = _Asking(schedule, caller, matrix, stop or asyncio.Event())
    await asking.run(settings.concurrency, progress or show_nothing)
    return asking.scores(settings.depths)


class _Asking:
    """The state of one asking."""

    def __init__(
        self, schedule: Schedule, caller: Caller, matrix: Matrix, stop: asyncio.Event
    ) -> None:
        self._schedule = schedule
        self._caller, self._matrix = caller, matrix
        self._progress: Callable[[Progress], object] = show_nothing
        self._finished: dict[str, set[Job]] = {model: set() for model in schedule.models}
        self._errors: dict[str, dict[Job, OpenRouterRerankError]] = {
            model: {} for model in schedule.models
        }
        """Of the calls without an answer, probes aside."""
        self._failed_probes: Counter[str] = Counter()
        self._usage = dict.fromkeys(schedule.models, Usage())
        self._paid: dict[str, list[tuple[float, float]]] = {model: [] for model in schedule.models}
        """The cost of each call of this run, and its share of that at the largest depth."""
        self._totals: Mapping[str, int] = {}
        self._in_flight = InFlight(stop)
        self._budget_is_spent = False
        self._failures = 0
        """Failed calls since the last answer."""

    async def run(self, concurrency: int, progress: Callable[[Progress], object]) -> None:
        """Ask all that is missing."""
        schedule = self._schedule
        self._find_kept(schedule.all())
        # Also without probes: earlier calls may have shown it, and scores of several lists of
        # documents must not be mixed.
        self._find_listwise(schedule.questions)
        self._progress = progress
        for model in schedule.models:
            self._report(model)
        first = schedule.questions[:FIRST_QUESTIONS]
        await self._run(schedule.scores(first), concurrency)
        if not (self._in_flight.was_stopped or self._budget_is_spent):
            self._check_models(first)
        if not self._in_flight.has_ended:
            self._report_estimate()
        await self._run(schedule.scores(schedule.probed), concurrency)
        await self._run(schedule.probes(), 1)
        found = self._find_listwise(schedule.probed)
        if found and not self._in_flight.has_ended:
            self._report_estimate(
                f"each depth must be asked, because the scores of {' and '.join(sorted(found))} "
                "depend on the other documents"
            )
        await self._run(schedule.scores(schedule.questions), concurrency)

    def scores(self, depths: tuple[int, ...]) -> Scores:
        """Return all kept calls, given the depths that were asked for."""
        schedule = self._schedule
        calls = [call for job in schedule.all() if (call := self._asked_call(job)) is not None]
        return Scores(
            depths=depths,
            calls=tuple(calls),
            failures={
                model: {job.question: error.message for job, error in errors.items()}
                for model, errors in self._errors.items()
            },
            listwise=frozenset(schedule.listwise),
            failed_probes=dict(self._failed_probes),
            budget_is_spent=self._budget_is_spent,
            interrupted=self._in_flight.was_stopped,
        )

    async def _run(self, jobs: Iterable[Job], workers: int) -> None:
        """Do `jobs`, of which `workers` are in flight together."""
        waiting = [
            functools.partial(self._do, job) for job in jobs if job not in self._finished[job.model]
        ]
        await self._in_flight.run(waiting, workers)

    async def _do(self, job: Job) -> None:
        want = self._want(job)
        # Another process may have asked it since.
        if texts := missing(self._matrix, want):
            await self._in_flight.wait_for_permission(self._caller.limiter(job.model))
            try:
                answer = await self._caller.call(job.model, want.asked.question, texts)
            except BudgetExceededError:
                self._budget_is_spent = True
                self._in_flight.end()
                return
            except FATAL:
                raise
            except OpenRouterRerankError as error:
                self._failures += 1
                # Each of a thousand calls could wait for its whole timeout.
                if self._failures >= MOST_FAILURES:
                    self._in_flight.end()
                if job.kind == "score":
                    self._errors[job.model][job] = error
                else:
                    self._failed_probes[job.model] += 1
            else:
                # A call is made again if the model turns out to depend on the other documents.
                self._errors[job.model].pop(job, None)
                self._failures = 0
                self._keep(job, want, answer, texts)
        self._finished[job.model].add(job)
        self._report(job.model)

    def _keep(self, job: Job, want: Want, answer: Answer, texts: Sequence[str]) -> None:
        self._matrix.add(want.asked, _kept_call(answer, texts, job.kind))
        usage = answer.ranking.usage
        self._usage[job.model] = Usage.total((self._usage[job.model], usage))
        if usage.cost is not None:
            part = len(texts) / len(want.documents)
            share = share_of_cost(job, part, self._schedule.depths[-1])
            self._paid[job.model].append((usage.cost, share))

    def _check_models(self, questions: Sequence[str]) -> None:
        """Raise the error of a model that was asked, and has answered none of `questions`."""
        for model, errors in self._errors.items():
            jobs = (job for job in self._schedule.scores(questions) if job.model == model)
            if errors and all(missing(self._matrix, self._want(job)) for job in jobs):
                raise next(reversed(errors.values()))

    def _find_kept(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            if not missing(self._matrix, self._want(job)):
                self._finished[job.model].add(job)

    def _find_listwise(self, questions: Iterable[str]) -> set[str]:
        """Find and return models whose kept scores depend on the other documents of a call."""
        schedule = self._schedule
        found = {
            job.model
            for job in schedule.scores(questions)
            if job.model not in schedule.listwise and differ(self._matrix, self._want(job).asked)
        }
        schedule.listwise |= found
        for model in found:
            self._finished[model] = {job for job in self._finished[model] if job.kind == "probe"}
        self._find_kept(job for job in schedule.scores(schedule.questions) if job.model in found)
        self._totals = Counter(job.model for job in schedule.all())
        return found

    def _want(self, job: Job) -> Want:
        return Want(
            asked=self._caller.asked(job.model, self._schedule.question(job)),
            documents=list(self._schedule.texts(job).values()),
            kind=job.kind,
            is_listwise=job.model in self._schedule.listwise,
        )

    def _kept(self, job: Job) -> KeptCall | None:
        return kept_answer(self._matrix, self._want(job))

    def _asked_call(self, job: Job) -> AskedCall | None:
        kept = self._kept(job)
        if kept is None:
            return None
        texts = self._schedule.texts(job)
        return AskedCall(
            model=job.model,
            question=job.question,
            depth=job.depth,
            kind=job.kind,
            cost=kept.cost,
            seconds=kept.seconds,
            attempts=kept.attempts,
            served_model=kept.served_model,
            provider=kept.provider,
            scores={document: kept.scores[digest(text)] for document, text in texts.items()},
        )

    def _report(self, model: str, found: Estimate | None = None) -> None:
        finished = self._finished[model]
        self._progress(
            Progress(
                model=model,
                done=len(finished),
                total=self._totals[model],
                failed=len({job.question for job in self._errors[model]}),
                cost=self._usage[model].cost,
                estimate=found,
            )
        )

    def _report_estimate(self, reason: str = "") -> None:
        schedule = self._schedule
        left = {
            job: self._part(job) for job in schedule.all() if job not in self._finished[job.model]
        }
        if left:
            found = estimate(
                left,
                {model: self._mean_cost(model) for model in schedule.models},
                depth=schedule.depths[-1],
                questions=len(schedule.questions),
                budget=self._caller.budget,
                reason=reason,
                judge_follows=schedule.has_judge,
            )
            self._report(schedule.models[0], found)

    def _part(self, job: Job) -> float:
        """Return the share of the documents of a call that has to be sent."""
        want = self._want(job)
        return len(missing(self._matrix, want)) / len(want.documents)

    def _mean_cost(self, model: str) -> float | None:
        """Return the mean cost of a call at the largest depth, by this run or the first answers."""
        if paid := self._paid[model]:
            return sum(cost for cost, _ in paid) / sum(share for _, share in paid)
        first, depth = self._schedule.questions[:FIRST_QUESTIONS], self._schedule.depths[-1]
        jobs = (Job(model=model, question=question, depth=depth) for question in first)
        calls = [call for job in jobs if (call := self._kept(job)) is not None]
        known = [call.cost for call in calls if call.cost is not None]
        return sum(known) / len(known) if known else None


def _kept_call(answer: Answer, texts: Sequence[str], kind: CallKind) -> KeptCall:
    ranking, digests = answer.ranking, [digest(text) for text in texts]
    return KeptCall(
        documents=list_digest(digests),
        kind=kind,
        depth=len(texts),
        cost=ranking.usage.cost,
        seconds=answer.seconds,
        attempts=ranking.attempts,
        served_model=ranking.served_model,
        provider=ranking.provider,
        scores={digests[each.index]: each.relevance_score for each in ranking},
    )
