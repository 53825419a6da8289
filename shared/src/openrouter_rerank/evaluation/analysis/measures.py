"""
The metrics of orders of documents, computed by ir-measures, and the best order there can be.

Only this module imports ir-measures. It never sees the scores of a model: where scores are equal,
it would order by document id, but rerankers keep the order of the candidates.
"""

import ast
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import ir_measures
from ir_measures import measures as known_measures

from openrouter_rerank.errors import ConfigurationError

JUDGED = "Judged@10"
JUDGED_ONLY = "nDCG(judged_only=True)@10"
SHOWN = ("MRR@10", "R@5", "R@10", "Success@1", JUDGED, JUDGED_ONLY)
"""The metrics that a report always shows, in addition to the one that decides."""

_NAME = re.compile(r"(?P<name>\w+)(?P<options>\(.*\))?(@(?P<at>[\d.]+))?")


class Metric:
    """
    A metric by its name, such as `nDCG@10` or `P(rel=2)@5`.

    Raises:
        ConfigurationError: If ir-measures does not know the metric, or cannot compute it with what
            is installed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            self.measure = _parsed(name)
            ir_measures.evaluator([self.measure], {"0": {"0": 1}})
        except (AssertionError, SyntaxError, TypeError, ValueError, RuntimeError) as error:
            raise ConfigurationError(
                f"metric={name!r} cannot be computed ({_reason(error)}). Name a metric of"
                " ir-measures, such as 'nDCG@10', 'MRR@10', 'R@5' or 'P(rel=2)@5'."
            ) from error

    @cached_property
    def cutoff(self) -> int | None:
        """Return how many documents count, or `None` if all of them do."""
        cutoff = self.measure.params.get("cutoff")
        return cutoff if isinstance(cutoff, int) else None

    @cached_property
    def judged_only(self) -> bool:
        """Return `True` if the metric leaves out the documents without a judgement."""
        return bool(self.measure.params.get("judged_only"))


def _parsed(name: str) -> ir_measures.Measure:
    # `ir_measures.parse_measure` uses parts of `ast` that Python 3.12 deprecates and 3.14 lacks.
    match = _NAME.fullmatch(name.strip())
    if match is None or match["name"] not in known_measures.registry:
        raise ValueError("there is no such metric")
    measure = known_measures.registry[match["name"]]
    call = ast.parse(f"f{match['options'] or '()'}", mode="eval").body
    if not isinstance(call, ast.Call) or call.args:
        raise ValueError("each option needs its name")
    options = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    if unknown := options.keys() - measure.SUPPORTED_PARAMS:
        known = ", ".join(measure.SUPPORTED_PARAMS)
        raise ValueError(f"there is no option {min(unknown)!r}, only {known}")
    if match["at"]:
        options[measure.AT_PARAM] = ast.literal_eval(match["at"])
    if not options.get("cutoff", 1):
        raise ValueError("the cutoff must be above 0")
    return measure(**options)


def _reason(error: Exception) -> str:
    if isinstance(error, AssertionError):
        return "an option is missing or wrong"
    if isinstance(error, SyntaxError):
        return "its options cannot be read"
    return " ".join(str(error).split())


class Measures:
    """
    Computes metrics for the questions that have judgements.

    Args:
        names: The names of the metrics.
        judgements: The grades by question, then document. `Collection` limits them, because
            pytrec-eval needs memory for each grade up to the largest.

    Raises:
        ConfigurationError: If a metric cannot be computed.
    """

    def __init__(self, names: Iterable[str], judgements: Mapping[str, Mapping[str, int]]) -> None:
        self._metrics = {name: Metric(name) for name in names}
        # Ids are replaced by numbers, because the C code of pytrec-eval cannot read every text.
        self._questions = list(judgements)
        self._documents = [
            {document: str(number) for number, document in enumerate(judgements[question])}
            for question in self._questions
        ]
        grades = {
            str(number): {ids[document]: grade for document, grade in judgements[question].items()}
            for number, (question, ids) in enumerate(
                zip(self._questions, self._documents, strict=True)
            )
        }
        self._groups = [
            _Group([each for each in self._metrics.values() if each.judged_only == judged], grades)
            for judged in (False, True)
        ]

    def of(self, orders: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
        """
        Return the value of each metric for each question, by the name of the metric.

        A question without an order, or with an empty one, has the value 0.
        """
        values = {name: dict.fromkeys(self._questions, 0.0) for name in self._metrics}
        if not self._questions:
            return values
        for group in self._groups:
            run = {
                str(number): documents
                for number, question in enumerate(self._questions)
                if (documents := group.run(orders.get(question, ()), self._documents[number]))
            }
            for name, number, value in group.values(run):
                values[name][self._questions[number]] = value
        return values


class _Group:
    """Metrics that need the same documents."""

    def __init__(self, metrics: list[Metric], grades: dict[str, dict[str, int]]) -> None:
        self._names: dict[ir_measures.Measure, list[str]] = {}
        for metric in metrics:
            self._names.setdefault(metric.measure, []).append(metric.name)
        self._evaluator = ir_measures.evaluator(list(self._names), grades) if metrics else None
        self._judged_only = any(metric.judged_only for metric in metrics)
        cutoffs = [metric.cutoff for metric in metrics]
        # The metrics of judged documents need all of these. The others are the quicker, the fewer
        # documents they get.
        all_count = self._judged_only or None in cutoffs
        self._cutoff = None if all_count else max((each or 0 for each in cutoffs), default=0)

    def run(self, order: Sequence[str], ids: Mapping[str, str]) -> dict[str, float]:
        """Return the documents that the metrics need, with scores that fall with the rank."""
        if self._judged_only:
            order = [document for document in order if document in ids]
        return {
            ids.get(document) or f"unjudged {rank}": -float(rank)
            for rank, document in enumerate(order[: self._cutoff])
        }

    def values(self, run: dict[str, dict[str, float]]) -> Iterable[tuple[str, int, float]]:
        """Yield the name of each metric, the number of the question, and the value."""
        for found in self._evaluator.iter_calc(run) if self._evaluator else ():
            value = float(found.value)
            for name in self._names[found.measure]:
                yield name, int(found.query_id), value if math.isfinite(value) else 0.0


def perfect_order(
    candidates: Sequence[str], grades: Mapping[str, int], depth: int
) -> tuple[str, ...]:
    """Return the candidates with the first `depth` ordered by grade, the highest first."""
    first = sorted(candidates[:depth], key=lambda document: -max(grades.get(document, 0), 0))
    return (*first, *candidates[depth:])
