"""
The plans that are compared, and the order of the documents of each.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from openrouter_rerank.evaluation.asking.scores import DocumentScores
from openrouter_rerank.evaluation.result import Plan, Step

from .calls import Calls

Orders: TypeAlias = dict[str, tuple[str, ...]]
"""The documents of each question, best first, by question id."""


def plans_of_one_model(models: Sequence[str], depths: Sequence[int]) -> tuple[Plan, ...]:
    """Return a plan for each model and depth."""
    return tuple(
        Plan(steps=(Step(model=model, depth=depth),)) for model in models for depth in depths
    )


def plans_of_two_steps(
    prices: Mapping[str, float | None], second_models: Sequence[str], depths: Sequence[int]
) -> tuple[Plan, ...]:
    """
    Return the plans in which a cheap model chooses what a stronger one orders.

    The first model costs less than half of the second.

    Args:
        prices: What a question costs at the largest depth, by model. `None`: unknown.
        second_models: The models that may be the second, because their scores do not depend on the
            other documents.
        depths: The depths, ascending.
    """
    return tuple(
        Plan(steps=(Step(model=first, depth=depths[-1]), Step(model=second, depth=depth)))
        for first, first_price in prices.items()
        for second in second_models
        if first_price is not None
        and (second_price := prices[second]) is not None
        and first_price < second_price / 2
        for depth in depths[:-1]
    )


class Reranking:
    """
    Orders the candidates of questions by the scores of the models.

    The score of most models depends only on the question and the document. So the scores of the
    largest depth give the order at each smaller depth. Other models are asked at each depth. A
    depth of these that was not asked for all questions with scores at the largest depth is
    estimated: for all questions, the scores of the largest depth are taken. A mean of some asked
    and some computed orders would be that of no plan.

    Documents without a score, such as blank ones, follow those with a score. Equal scores and the
    candidates after the first `depth` keep their order.

    Args:
        candidates: The documents of the first stage by question, best first.
        questions: The questions to order for.
        calls: The calls by model.
        width: The largest depth.
    """

    def __init__(
        self,
        candidates: Mapping[str, Sequence[str]],
        questions: Sequence[str],
        calls: Mapping[str, Calls],
        width: int,
    ) -> None:
        self._questions = questions
        self._candidates = [tuple(candidates.get(question, ())) for question in questions]
        self._calls = calls
        self._width = width
        self._tables: dict[tuple[str, int], NDArray[np.float64]] = {}

    def is_estimate(self, plan: Plan) -> bool:
        """Return `True` if a step was not asked at its depth, although its scores depend on it."""
        return any(self._is_estimated(step.model, step.depth) for step in plan.steps)

    def orders(self, plan: Plan) -> Orders:
        """Return the order of all candidates of each question."""
        places = np.tile(np.arange(self._width), (len(self._questions), 1))
        for step in plan.steps:
            scores = np.take_along_axis(self.scores(step.model, step.depth), places, axis=1)
            first = np.argsort(-scores[:, : step.depth], axis=1, kind="stable")
            places[:, : step.depth] = np.take_along_axis(places, first, axis=1)
        return {
            question: (
                *(documents[place] for place in places[row].tolist() if place < len(documents)),
                *documents[self._width :],
            )
            for row, (question, documents) in enumerate(
                zip(self._questions, self._candidates, strict=True)
            )
        }

    def scores(self, model: str, depth: int) -> NDArray[np.float64]:
        """
        Return the score of each candidate (column) for each question (row), at `depth`.

        Where there is no score or no candidate, it is minus infinity.
        """
        calls = self._calls[model]
        if calls.replays or self._is_estimated(model, depth):
            depth = self._width
        key = (model, depth)
        if key not in self._tables:
            table = np.full((len(self._questions), self._width), -np.inf)
            rows = zip(self._questions, self._candidates, strict=True)
            for row, (question, documents) in enumerate(rows):
                call = calls.asked(question, depth) if depth < self._width else None
                call = call or calls.deepest(question)
                known: DocumentScores = {} if call is None else call.scores
                found = [known.get(document, -np.inf) for document in documents[: self._width]]
                table[row, : len(found)] = found
            self._tables[key] = table
        return self._tables[key]

    def _is_estimated(self, model: str, depth: int) -> bool:
        calls = self._calls[model]
        if calls.replays or depth >= self._width:
            return False
        # All questions decide, not only those to order for. So a judge grades the orders that
        # count.
        return not all(
            calls.asked(question, depth)
            for question in calls.questions("score")
            if calls.answer(question, self._width)
        )
