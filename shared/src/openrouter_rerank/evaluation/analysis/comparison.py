"""
Compares the first stage with all plans, and chooses one.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.result import HeldOut, Plan, PlanResult, Threshold
from openrouter_rerank.evaluation.settings import Settings

from .calls import Calls
from .chance import ROUNDING, Floats, chance, first_with_share, held_out
from .costs import cost_of
from .measures import SHOWN, Measures, perfect_order
from .plans import Orders, Reranking, plans_of_one_model, plans_of_two_steps
from .threshold import threshold


def possible_plans(
    settings: Settings, depths: Sequence[int], calls: Mapping[str, Calls]
) -> tuple[Plan, ...]:
    """Return the plans that are compared."""
    single = plans_of_one_model([*calls], depths)
    if not settings.two_step or not depths:
        return single
    prices = {
        plan.steps[0].model: cost_of(plan, calls).price_per_1000
        for plan in single
        if plan.steps[0].depth == max(depths)
    }
    orders_any = [model for model, each in calls.items() if each.replays]
    return (*single, *plans_of_two_steps(prices, orders_any, depths))


class Comparison:
    """
    The values of the first stage and of all plans, for the questions that count.

    Args:
        collection: The candidates and judgements.
        settings: The metric, the choice, and the seed.
        questions: The questions that count.
        depths: The depths to compare, ascending.
        calls: The calls of the models to compare.
    """

    def __init__(
        self,
        collection: Collection,
        settings: Settings,
        questions: Sequence[str],
        depths: Sequence[int],
        calls: Mapping[str, Calls],
    ) -> None:
        self._settings = settings
        self._questions = questions
        self.depths = depths
        self._calls = calls
        self._candidates = {
            question: tuple(collection.candidates.get(question, ())) for question in questions
        }
        self._judgements = {question: collection.judgements[question] for question in questions}
        self._reranking = Reranking(self._candidates, questions, calls, self.width)
        self._plans = possible_plans(settings, depths, calls)
        self._costs = [cost_of(plan, calls) for plan in self._plans]
        self._measures = Measures({settings.metric, *SHOWN}, self._judgements)
        values = self._measures.of(self._candidates)
        self.first_stage = self._result_of_first_stage(values)
        orders = [self._reranking.orders(plan) for plan in self._plans]
        values_of_plans = [self._measures.of(each) for each in orders]
        before = np.array([*self.first_stage.per_question.values()], dtype=np.float64)
        after = [[*values[settings.metric].values()] for values in values_of_plans]
        self._changes = np.reshape(np.array(after), (len(after), len(questions))) - before
        self.chance = chance(self._changes, settings.seed)
        self.results = tuple(
            self._result(row, values, order)
            for row, (values, order) in enumerate(zip(values_of_plans, orders, strict=True))
        )

    @property
    def width(self) -> int:
        """Return the largest depth."""
        return max(self.depths, default=0)

    def _result_of_first_stage(self, values: Mapping[str, Mapping[str, float]]) -> PlanResult:
        of_plan = values[self._settings.metric]
        return PlanResult(
            plan=Plan(),
            value=_mean(of_plan),
            change=0.0,
            interval=(0.0, 0.0),
            p=1.0,
            won=0,
            same=len(self._questions),
            lost=0,
            measures=self._means(values),
            price_per_1000=0.0,
            seconds_p50=0.0,
            seconds_p95=0.0,
            probes=0,
            per_question=of_plan,
            orders=self._candidates,
        )

    def _result(
        self, row: int, values: Mapping[str, Mapping[str, float]], orders: Orders
    ) -> PlanResult:
        changes = self._changes[row]
        cost = self._costs[row]
        of_plan = values[self._settings.metric]
        won, lost = int((changes > ROUNDING).sum()), int((changes < -ROUNDING).sum())
        return PlanResult(
            plan=self._plans[row],
            value=_mean(of_plan),
            change=float(self.chance.mean[row]),
            interval=(float(self.chance.low[row]), float(self.chance.high[row])),
            p=float(self.chance.p[row]),
            won=won,
            same=len(self._questions) - won - lost,
            lost=lost,
            measures=self._means(values),
            price_per_1000=cost.price_per_1000,
            seconds_p50=cost.seconds_p50,
            seconds_p95=cost.seconds_p95,
            probes=cost.probes,
            per_question=of_plan,
            orders=orders,
            is_estimate=self._reranking.is_estimate(self._plans[row]),
        )

    def _means(self, values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        names = dict.fromkeys((self._settings.metric, *SHOWN))
        return {name: _mean(values[name]) for name in names}

    @cached_property
    def _cheapest_first(self) -> list[int]:
        """Return the rows of the plans of one model, the cheapest first."""
        steps = {row: plan.steps[0] for row, plan in enumerate(self._plans) if len(plan.steps) == 1}
        # Depths are ascending, so the last price of a model is that of its largest depth.
        highest = {step.model: self._costs[row].price_per_1000 for row, step in steps.items()}

        def rank(row: int) -> tuple[float, float, int, int]:
            price, duration = self._costs[row].price_per_1000, self._costs[row].seconds_p50
            # An unknown price is not above that of the largest depth.
            price = highest[steps[row].model] if price is None else price
            return (
                math.inf if price is None else price,
                math.inf if duration is None else duration,
                steps[row].depth,
                row,
            )

        return sorted(steps, key=rank)

    @cached_property
    def recommended(self) -> PlanResult | None:
        """Return the cheapest plan of one model with enough of the largest gain, and worth it."""
        rows = self._cheapest_first
        if not rows:
            return None
        settings = self._settings
        gains = self.chance.mean[None, rows]
        chosen = int(first_with_share(gains, settings.keep, settings.worth)[0])
        return None if chosen < 0 else self.results[rows[chosen]]

    @cached_property
    def best(self) -> PlanResult | None:
        """Return the plan of one model with the highest value, the cheapest of equal ones."""
        rows = self._cheapest_first
        if not rows or not self._questions:
            return None
        means = self.chance.mean[rows]
        return self.results[rows[int(np.argmax(means >= means.max() - ROUNDING))]]

    def visible_change(self) -> float | None:
        """Return the smallest real change that would be seen of the recommended or best plan."""
        return None if self._leading is None else self.chance.visible_change(self._leading)

    def questions_needed(self) -> int | None:
        """Return how many questions would show the change of the recommended or best plan."""
        return None if self._leading is None else self.chance.questions_needed(self._leading)

    @cached_property
    def _leading(self) -> int | None:
        """Return the row of the recommended plan, otherwise of the best one."""
        plan = self.recommended or self.best
        return None if plan is None else self.results.index(plan)

    def held_out(self) -> HeldOut | None:
        """Return the gain if the choice is made on other questions."""
        changes: Floats = self._changes[self._cheapest_first]
        settings = self._settings
        return held_out(changes, keep=settings.keep, worth=settings.worth, seed=settings.seed)

    def ceiling(self) -> dict[int, float]:
        """Return the metric of a perfect order of the first candidates, by depth."""
        metric = self._settings.metric
        measures = Measures([metric], self._judgements)
        return {
            depth: _mean(
                measures.of(
                    {
                        question: perfect_order(candidates, self._judgements[question], depth)
                        for question, candidates in self._candidates.items()
                    }
                )[metric]
            )
            for depth in self.depths
        }

    def found(self) -> float:
        """Return the share of questions with a relevant document among the candidates."""
        found = self._is_relevant(self.width).any(axis=1)
        return float(found.mean()) if found.size else 0.0

    def thresholds(self) -> dict[str, Threshold]:
        """Return the threshold of each model at the recommended depth, or at the largest one."""
        depth = self.recommended.plan.steps[0].depth if self.recommended else self.width
        is_relevant = self._is_relevant(depth)
        return {
            model: threshold(
                model,
                depth,
                self._reranking.scores(model, depth)[:, :depth],
                is_relevant,
                self._settings.seed,
            )
            for model in self._calls
        }

    def _is_relevant(self, depth: int) -> NDArray[np.bool_]:
        """Return whether each candidate (column) is relevant for each question (row)."""
        table = np.zeros((len(self._questions), depth), dtype=bool)
        for row, (question, candidates) in enumerate(self._candidates.items()):
            grades = self._judgements[question]
            found = [grades.get(document, 0) > 0 for document in candidates[:depth]]
            table[row, : len(found)] = found
        return table


def _mean(values: Mapping[str, float]) -> float:
    return float(np.mean([*values.values()])) if values else 0.0
