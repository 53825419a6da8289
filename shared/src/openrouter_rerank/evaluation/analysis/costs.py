"""
What a plan costs for 1,000 questions, and how long it takes.

Times come only from probes, which are asked one at a time. Calls that fill the scores run
concurrently, so their times say nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from openrouter_rerank.evaluation.asking.scores import AskedCall
from openrouter_rerank.evaluation.asking.total_cost import total_cost
from openrouter_rerank.evaluation.result import Plan, Step

from .calls import Calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a plan costs and how long it takes. `None`: unknown."""

    price_per_1000: float | None
    seconds_p50: float | None
    seconds_p95: float | None
    probes: int


def cost_of(plan: Plan, calls: Mapping[str, Calls]) -> Cost:
    """Return the cost of a plan: the sum over its steps."""
    steps = [_cost_of_step(step, calls[step.model]) for step in plan.steps]
    return Cost(
        price_per_1000=total_cost(step.price_per_1000 for step in steps),
        seconds_p50=total_cost(step.seconds_p50 for step in steps),
        # The sum of two 95 % quantiles is not the 95 % quantile of the sum.
        seconds_p95=total_cost(step.seconds_p95 for step in steps) if len(steps) < 2 else None,
        probes=min((step.probes for step in steps), default=0),
    )


def retried_probes(calls: Calls) -> tuple[int, int]:
    """Return how many probes were retried, and how many there are."""
    probes = [call for call in calls.all if call.kind == "probe"]
    return sum(call.attempts > 1 for call in probes), len(probes)


def _cost_of_step(step: Step, calls: Calls) -> Cost:
    probes = [calls.at("probe", question, step.depth) for question in calls.questions("probe")]
    # The time of a call that was retried includes the pause.
    seconds = [probe.seconds for probe in probes if probe is not None and probe.attempts == 1]
    middle, slow = np.quantile(seconds, (0.5, 0.95)).tolist() if seconds else (None, None)
    return Cost(
        price_per_1000=_price(step.depth, calls),
        seconds_p50=middle,
        seconds_p95=slow,
        probes=len(seconds),
    )


def _price(depth: int, calls: Calls) -> float | None:
    questions = calls.questions("score")
    at_depth = [calls.at("score", question, depth) for question in questions]
    price = _mean(call for call in at_depth if call) if all(at_depth) else None
    if price is not None:
        return price * 1_000
    deepest = _mean(call for question in questions if (call := calls.deepest(question)))
    share = 0.0 if deepest == 0 else _share_of_cost(depth, calls)
    return None if deepest is None or share is None else deepest * share * 1_000


def _share_of_cost(depth: int, calls: Calls) -> float | None:
    """Return the cost of the probes at a depth, relative to that at the largest depth."""
    questions = calls.questions("probe")
    largest = max((call.depth for call in calls.all), default=depth)
    pairs = [
        (smaller, larger)
        for question in questions
        if (smaller := calls.at("probe", question, depth))
        and (larger := calls.at("probe", question, largest))
    ]
    part = total_cost(smaller.cost for smaller, _ in pairs)
    whole = total_cost(larger.cost for _, larger in pairs)
    return part / whole if part is not None and whole else None


def _mean(calls: Iterable[AskedCall]) -> float | None:
    found = [*calls]
    total = total_cost(call.cost for call in found)
    return total / len(found) if found and total is not None else None
