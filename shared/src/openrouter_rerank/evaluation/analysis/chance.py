"""
Which changes are real, and which may be chance.

The changes of all plans are tested together, by the largest of their t statistics under random
signs. So a plan does not count as good only because it is the best of many.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from openrouter_rerank.evaluation.result import HeldOut

Floats: TypeAlias = NDArray[np.float64]

FLIPS = 9_999
LEVEL = 0.05
HALVES = 200
POWER = 0.84
"""The 80 % quantile of the normal distribution: a real change is seen in 80 % of the cases."""
ROUNDING = 1e-12
"""Means that differ by less have only been rounded differently."""

_AT_A_TIME = 1_000
"""Random signs are made in parts, so that they need 10 MB instead of 100 MB."""
_EQUAL = 1e-9
"""Sums of the same numbers in another order differ by less than this share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What chance can do to the mean changes of all plans together."""

    mean: Floats
    deviation: Floats
    """The standard deviation of the changes of each plan."""
    p: Floats
    low: Floats
    high: Floats
    critical: float
    """The t statistic that chance exceeds in 5 % of the cases; infinite with too few questions."""
    questions: int

    def visible_change(self, plan: int) -> float | None:
        """Return the smallest real change that would be seen, as the plan's changes vary."""
        if not self.questions or math.isinf(self.critical):
            return None
        error = float(self.deviation[plan]) / math.sqrt(self.questions)
        return (self.critical + POWER) * error

    def questions_needed(self, plan: int) -> int | None:
        """Return how many questions would show that the change of the plan is real."""
        mean = abs(float(self.mean[plan]))
        if not mean or math.isinf(self.critical):
            return None
        return math.ceil(((self.critical + POWER) * float(self.deviation[plan]) / mean) ** 2)


def chance(changes: Floats, seed: int) -> Chance:
    """
    Return the probabilities and intervals of changes, for all plans together.

    A probability below 5 % and an interval without 0 mean the same.

    Args:
        changes: The change of each plan (row) for each question (column).
        seed: The start of the random signs.
    """
    questions = int(changes.shape[1])
    if not changes.size:
        none, certain = np.zeros(len(changes)), np.ones(len(changes))
        return Chance(
            mean=none,
            deviation=none,
            p=certain,
            low=none,
            high=none,
            critical=math.inf,
            questions=questions,
        )
    mean = changes.mean(axis=1)
    squares = (changes**2).mean(axis=1)
    observed = _t(mean, squares, questions)
    largest = np.sort(_largest_by_chance(changes, squares, seed))
    # Equal values differ by rounding, and count as reached.
    reached = FLIPS - np.searchsorted(largest, observed * (1 - _EQUAL)).astype(np.float64)
    p: Floats = (1 + reached) / (FLIPS + 1)
    # The largest value that 5 % of all random changes reach: for it, p is not below 5 %.
    critical = float(largest[FLIPS - round(LEVEL * (FLIPS + 1)) + 1])
    deviation = np.sqrt(_variance(mean, squares))
    low, high = _interval(mean, critical, deviation / math.sqrt(questions), changes)
    is_chance = p >= LEVEL
    return Chance(
        mean=mean,
        deviation=deviation,
        p=p,
        low=np.where(is_chance, np.minimum(low, 0.0), low),
        high=np.where(is_chance, np.maximum(high, 0.0), high),
        critical=critical,
        questions=questions,
    )


def _largest_by_chance(changes: Floats, squares: Floats, seed: int) -> Floats:
    """Return the largest t statistic of all plans, for each set of random signs."""
    random = np.random.default_rng(seed)
    questions = changes.shape[1]
    parts: list[Floats] = []
    for start in range(0, FLIPS, _AT_A_TIME):
        count = min(_AT_A_TIME, FLIPS - start)
        signs = random.integers(0, 2, size=(count, questions), dtype=np.int8) * 2.0 - 1.0
        parts.append(_t((signs @ changes.T) / questions, squares, questions).max(axis=1))
    return np.concatenate(parts)


def _variance(mean: Floats, squares: Floats) -> Floats:
    variance = squares - mean**2
    # What rounding leaves of a variance of 0 must not become a huge t statistic.
    return np.where(variance <= squares * 1e-12, 0.0, variance)


def _t(mean: Floats, squares: Floats, questions: int) -> Floats:
    """Return the size of the t statistics: 0 without a change, infinite if all are equal."""
    error = np.sqrt(_variance(mean, squares) / questions)
    size = np.abs(mean)
    t = np.full_like(size, np.inf)
    np.divide(size, error, out=t, where=error > 0)
    return np.where(size <= np.sqrt(squares) * 1e-12, 0.0, t)


def _interval(
    mean: Floats, critical: float, error: Floats, changes: Floats
) -> tuple[Floats, Floats]:
    if math.isfinite(critical):
        return mean - critical * error, mean + critical * error
    # With five questions or fewer, even the largest change can be chance.
    widest = np.full_like(mean, max(1.0, float(np.abs(changes).max())))
    return -widest, widest


def first_with_share(gains: Floats, keep: float, worth: float) -> NDArray[np.intp]:
    """
    Return the first plan of each row with the share `keep` of the row's largest gain.

    If the largest gain is at least `worth`, that of the plan is too. The plan is -1 for a row
    without a gain.
    """
    best: Floats = gains.max(axis=1, keepdims=True)
    # If no plan gains `worth`, it is not a condition.
    least: Floats = np.maximum(keep * best, worth * (best >= worth - ROUNDING))
    chosen = np.argmax(gains >= least - ROUNDING, axis=1)
    return np.where(best[:, 0] > ROUNDING, chosen, -1)


def held_out(changes: Floats, *, keep: float, worth: float, seed: int) -> HeldOut | None:
    """
    Return the gain of plans chosen on one half of the questions, measured on the other half.

    Args:
        changes: The change of each plan (row) for each question (column), the cheapest plan first.
        keep: The share of the largest gain that the chosen plan must have.
        worth: The gain that it must have, if any plan has it.
        seed: The start of the random halves.

    Returns:
        `None` if there are fewer than two questions, or no plan.
    """
    plans, questions = changes.shape
    if not plans or questions < 2:
        return None
    order = np.argsort(np.random.default_rng(seed).random((HALVES, questions)), axis=1)
    half = questions // 2
    is_chosen_on = np.zeros((HALVES, questions))
    np.put_along_axis(is_chosen_on, order[:, :half], 1.0, axis=1)
    chosen = first_with_share(is_chosen_on @ changes.T / half, keep, worth)
    measured = (1.0 - is_chosen_on) @ changes.T / (questions - half)
    gains = np.where(chosen < 0, 0.0, measured[np.arange(HALVES), chosen])
    low, high = np.quantile(gains, (0.05, 0.95))
    return HeldOut(
        mean=float(gains.mean()),
        low=float(low),
        high=float(high),
        share_positive=float((gains > ROUNDING).mean()),
    )
