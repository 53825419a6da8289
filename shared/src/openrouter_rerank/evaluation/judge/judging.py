"""
Asks judges for grades, and keeps each grade in the file of the answers.

A judge sees one passage in a call. The order of the passages is random, so a run that ends early
has judged a fair sample of the questions.
"""

import asyncio
import functools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from math import ceil
from typing import TypeAlias

from openrouter_rerank.errors import (
    BudgetExceededError,
    ConfigurationError,
    OpenRouterRerankError,
)
from openrouter_rerank.evaluation.asking.asking import FATAL, MOST_FAILURES, Progress, show_nothing
from openrouter_rerank.evaluation.asking.caller import Caller
from openrouter_rerank.evaluation.asking.estimate import Estimate
from openrouter_rerank.evaluation.asking.in_flight import InFlight
from openrouter_rerank.evaluation.asking.schedule import questions_of
from openrouter_rerank.evaluation.asking.total_cost import total_cost
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.settings import Settings

from .grades import Grade, Grades, Key, Pair
from .grading import Grading
from .rubric import RELEVANT, grade_in, passage_of, request_body

FIRST_GRADES = 5
"""
After these, there is an estimate of the price. If all of them fail, or no reply has a grade, the
judging ends.
"""
_KEPT = "All scores and grades are kept: run it again with this judge, another one, or none."
# A reply without a grade is asked for once more.
_REPLIES = 2

Pool: TypeAlias = Mapping[str, tuple[str, ...]]


async def judge(
    collection: Collection,
    pool: Pool,
    settings: Settings,
    *,
    caller: Caller,
    grades: Grades,
    progress: Callable[[Progress], object] | None = None,
    stop: asyncio.Event,
) -> Grading:
    """
    Ask for the grades that the file does not have yet, and return all of them.

    The first judge grades all documents. The second grades those that the first calls relevant, and
    the lower grade counts.

    Args:
        collection: The texts.
        pool: The documents to grade, by question, in the order of asking.
        settings: The judges, the seed and the number of calls in flight.
        caller: Makes the calls.
        grades: Keeps the grades.
        progress: Called at the start and after each document, with a judge in place of a model.
        stop: If it is set, nothing more is sent, and calls in flight have 5 seconds to end.

    Raises:
        OpenRouterRerankError: If no call can succeed: the key is wrong, the account has no credits,
            or a judge has given none of the first grades.
    """
    pairs = {
        (question, document): pair
        for question, document, pair in _pairs(collection, pool, settings.seed)
    }
    judging = _Judging(pairs, settings, caller, grades, InFlight(stop))
    try:
        await judging.run(progress or show_nothing)
    except OpenRouterRerankError as error:
        _set_message(error, f"{error.message} {_KEPT}")
        raise
    return judging.grading(pool)


async def try_judges(
    collection: Collection,
    settings: Settings,
    *,
    caller: Caller,
    grades: Grades,
    stop: asyncio.Event,
) -> None:
    """
    Let each judge grade a document, before the rerank models are paid. The grades are kept.

    The documents are the first candidates of the first 5 questions that have one without a
    judgement: judges grade them in any case. A judge that has a kept grade is not asked.

    Args:
        collection: The texts, with the candidates.
        settings: The judges, and the order of the questions.
        caller: Makes the calls.
        grades: Keeps the grades.
        stop: If it is set, nothing more is sent.

    Raises:
        OpenRouterRerankError: If no call can succeed, or a judge has graded none of the documents.
    """
    for each in settings.judge:
        chosen = replace(settings, judge=(each,))
        pairs = dict(islice(_first_pairs(collection, settings), FIRST_GRADES))
        await _Judging(pairs, chosen, caller, grades, InFlight(stop)).run_until_graded()


class _Judging:
    """The state of one judging."""

    def __init__(
        self,
        pairs: Mapping[tuple[str, str], Pair],
        settings: Settings,
        caller: Caller,
        grades: Grades,
        in_flight: InFlight,
    ) -> None:
        self._judges, self._caller, self._grades = settings.judge, caller, grades
        self._in_flight = in_flight
        self._concurrency = min(settings.concurrency, caller.concurrency)
        self._pairs = pairs
        self._keys = {each: pair.key for each, pair in pairs.items()}
        self._unique = {self._keys[each]: pair for each, pair in pairs.items()}
        """Each passage of a question once, although documents may have the same text."""
        self._kept = {each: {**grades.of_judge(caller.service, each)} for each in self._judges}
        self._done = {
            judge: sum(key in self._unique for key in kept) for judge, kept in self._kept.items()
        }
        """By judge: passages that it has graded."""
        self._waiting = Counter(filter(None, map(self._next_judge, self._unique)))
        """By judge: passages that it has to grade next."""
        self._costs: dict[str, list[float | None]] = {each: [] for each in self._judges}
        """Of the grades of this run."""
        self._failures: Counter[str] = Counter()
        self._messages: dict[str, str] = {}
        self._failures_in_a_row = 0
        self._budget_is_spent = False

    async def run(self, progress: Callable[[Progress], object]) -> None:
        """Ask for all grades that are missing."""
        for judge in self._judges:
            progress(self._progress(judge))
        missing = [key for key in self._unique if self._next_judge(key) is not None]
        first, rest = missing[:FIRST_GRADES], missing[FIRST_GRADES:]
        await self._run(first, progress)
        if rest and any(self._costs.values()) and not self._in_flight.has_ended:
            progress(self._progress(self._judges[0], self._estimate(len(first), rest)))
        await self._run(rest, progress)

    async def run_until_graded(self) -> None:
        """Ask about one document after the other until one has a grade."""
        for key in self._unique:
            kept = (grade for each in self._kept.values() for grade in each.values())
            if self._in_flight.has_ended or any(grade.value is not None for grade in kept):
                return
            await self._run([key], show_nothing)
        for judge in self._judges:
            self._check_grades(judge)

    async def _run(self, keys: Iterable[Key], progress: Callable[[Progress], object]) -> None:
        jobs = [functools.partial(self._grade, key, progress) for key in keys]
        await self._in_flight.run(jobs, self._concurrency)

    async def _grade(self, key: Key, progress: Callable[[Progress], object]) -> None:
        """Ask all judges that have to grade one passage."""
        while (judge := self._next_judge(key)) is not None and not self._in_flight.has_ended:
            await self._in_flight.wait_for_permission(self._caller.limiter(judge))
            try:
                await self._ask(judge, key)
            except BudgetExceededError:
                self._budget_is_spent = True
                self._in_flight.end()
                return
            except FATAL:
                raise
            except OpenRouterRerankError as error:
                self._note_failure(judge, error)
                return
            finally:
                progress(self._progress(judge))

    async def _ask(self, judge: str, key: Key) -> None:
        pair, value, costs = self._unique[key], None, list[float | None]()
        body = request_body(judge, pair.question, pair.passage)
        while value is None and len(costs) < _REPLIES:
            reply = await self._caller.chat(body)
            costs.append(reply.cost)
            value = grade_in(reply.text)
        self._failures_in_a_row = 0
        grade = Grade(value=value, cost=total_cost(costs))
        self._grades.add(self._caller.service, judge, pair, grade)
        self._kept[judge][key] = grade
        self._check_grades(judge)
        self._costs[judge].append(grade.cost)
        self._done[judge] += 1
        self._waiting[judge] -= 1
        if (following := self._next_judge(key)) is not None:
            self._waiting[following] += 1

    def _check_grades(self, judge: str) -> None:
        """Raise an error if none of the first replies has a grade: the others will not either."""
        kept = self._kept[judge].values()
        if len(kept) >= FIRST_GRADES and all(grade.value is None for grade in kept):
            raise ConfigurationError(
                f"the judge {judge} has replied about {len(kept)} documents, and no reply has a "
                "grade: name another model"
            )

    def _note_failure(self, judge: str, error: OpenRouterRerankError) -> None:
        self._failures[judge] += 1
        self._failures_in_a_row += 1
        self._messages.setdefault(judge, error.message)
        if not self._kept[judge] and self._failures[judge] >= min(FIRST_GRADES, len(self._unique)):
            # There may be several models.
            _set_message(error, f"{judge}: {error.message}")
            raise error
        # Each of a thousand calls could wait for its whole timeout.
        if self._failures_in_a_row >= MOST_FAILURES:
            self._in_flight.end()

    def _next_judge(self, key: Key) -> str | None:
        """Return the judge that has to grade a passage next. `None` if it has all its grades."""
        for judge in self._judges:
            grade = self._kept[judge].get(key)
            if grade is None:
                return judge
            if grade.value is None or grade.value < RELEVANT:
                return None
        return None

    def _final(self, key: Key) -> int | None:
        """Return the grade that counts of a passage with all grades. `None` if one has no value."""
        lowest = None
        for judge in self._judges:
            value = self._kept[judge][key].value
            if value is None:
                return None
            lowest = value if lowest is None else min(lowest, value)
            if value < RELEVANT:
                break
        return lowest

    def grading(self, questions: Iterable[str]) -> Grading:
        """Return all grades of these questions."""
        unfinished = frozenset(
            question
            for (question, _), key in self._keys.items()
            if self._next_judge(key) is not None
        )
        grades: dict[str, dict[str, int]] = {
            question: {} for question in questions if question not in unfinished
        }
        ungraded = 0
        for (question, document), key in self._keys.items():
            if question not in unfinished:
                grade = self._final(key)
                ungraded += grade is None
                if grade is not None:
                    grades[question][document] = grade
        return Grading(
            judges=self._judges,
            grades=grades,
            pairs=self._pairs,
            unfinished=unfinished,
            ungraded=ungraded,
            failures={each: (self._failures[each], text) for each, text in self._messages.items()},
            cost=total_cost(
                grade.cost
                for kept in self._kept.values()
                for key, grade in kept.items()
                if key in self._unique
            ),
            budget_is_spent=self._budget_is_spent,
            interrupted=self._in_flight.was_stopped,
        )

    def _progress(self, judge: str, found: Estimate | None = None) -> Progress:
        is_first = judge == self._judges[0]
        return Progress(
            model=judge,
            done=self._done[judge],
            total=len(self._unique) if is_first else self._done[judge] + self._waiting[judge],
            failed=self._failures[judge],
            cost=total_cost(self._costs[judge]) if self._costs[judge] else None,
            estimate=found,
        )

    def _estimate(self, done: int, left: Sequence[Key]) -> Estimate:
        """Return what the passages that are left will cost if they are like the `done` ones."""
        calls = sum(map(len, self._costs.values()))
        costs = {
            judge: None
            if not each or (total := total_cost(each)) is None
            else total / done * len(left)
            for judge, each in self._costs.items()
        }
        questions = {question for question, _ in self._pairs}
        budget, answerable = self._caller.budget, None
        if budget is not None and None not in costs.values():
            needed = sum(cost for cost in costs.values() if cost is not None)
            money = max(0.0, budget.limit - budget.spent)
            share = 1.0 if money >= needed else money / needed
            # Without errors of rounding.
            ungraded = {*left[ceil(round(len(left) * share, 6)) :]}
            unanswered = {question for (question, _), key in self._keys.items() if key in ungraded}
            answerable = len(questions) - len(unanswered)
        return Estimate(
            requests=ceil(calls / done * len(left)),
            costs=costs,
            questions=len(questions),
            answerable=answerable,
            budget=None if budget is None else budget.limit,
        )


def _set_message(error: OpenRouterRerankError, message: str) -> None:
    error.message = message
    error.args = (message,)


def _first_pairs(
    collection: Collection, settings: Settings
) -> Iterable[tuple[tuple[str, str], Pair]]:
    """Yield the first candidate of each question that judges will grade."""
    for question in questions_of(collection, settings):
        judged = collection.judgements.get(question, {})
        for document in collection.candidates.get(question, ())[:1]:
            if document not in judged and collection.documents[document].strip():
                yield (
                    (question, document),
                    Pair(
                        question=collection.questions[question],
                        passage=passage_of(collection.documents[document]),
                    ),
                )


def _pairs(collection: Collection, pool: Pool, seed: int) -> Iterable[tuple[str, str, Pair]]:
    """Yield the documents of each question in a random order."""
    order = random.Random(seed)  # noqa: S311 - not cryptography
    passages: dict[str, str] = {}
    for question, documents in pool.items():
        for document in order.sample(documents, len(documents)):
            if document not in passages:
                passages[document] = passage_of(collection.documents[document])
            pair = Pair(question=collection.questions[question], passage=passages[document])
            yield question, document, pair
