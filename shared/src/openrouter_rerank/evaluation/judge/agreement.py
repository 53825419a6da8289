"""
How well a judge agrees with the user, from a few passages that both have graded.

Of each grade of the judge, about the same number of passages is checked. Most passages of the pool
have a low grade, so each checked passage counts as often as the pool has passages of its grade.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import TypeAlias

from openrouter_rerank.evaluation.result import Agreement, Share

from .grades import Key
from .rubric import GRADES, RELEVANT

_Z = 1.959964
"""95 % of a normal distribution are within this many standard deviations."""

Interval: TypeAlias = tuple[float, float]


def agreement(judged: Mapping[Key, int], checked: Mapping[Key, int]) -> Agreement | None:
    """
    Compare the grades of judges with those of the user. `None` if no passage has both.

    Args:
        judged: The grades of all passages of the pool.
        checked: The grades of the user, of any passages.
    """
    both = {key: (grade, checked[key]) for key, grade in judged.items() if key in checked}
    if not both:
        return None
    in_pool = Counter(judged.values())
    in_sample = Counter(grade for grade, _ in both.values())
    weights = {grade: in_pool[grade] / in_sample[grade] for grade in in_sample}
    pairs = [(weights[judge], judge >= RELEVANT, user >= RELEVANT) for judge, user in both.values()]
    return Agreement(
        checked=len(pairs),
        agreed=sum(judge == user for _, judge, user in pairs),
        precision=_share((weight, user) for weight, judge, user in pairs if judge),
        missed=_share((weight, not judge) for weight, judge, user in pairs if user),
        kappa=_kappa([(judge, user) for _, judge, user in pairs]),
    )


def sample(judged: Mapping[Key, int], checked: Iterable[Key], count: int) -> list[Key]:
    """
    Return `count` passages to check, of all grades equally many as far as there are enough.

    Args:
        judged: The grades of all passages of the pool, in a random order.
        checked: Passages that the user has graded. They are in the sample if possible.
        count: The number of passages.
    """
    known = {*checked}
    by_grade = {
        grade: sorted(
            (key for key, each in judged.items() if each == grade), key=lambda key: key not in known
        )
        for grade in GRADES
    }
    chosen: list[Key] = []
    for place in range(max(map(len, by_grade.values()))):
        chosen += [keys[place] for keys in by_grade.values() if place < len(keys)]
    return chosen[:count]


def wilson(share: float, count: float) -> Interval:
    """Return the 95 % interval of a share that was found in `count` trials."""
    square = _Z * _Z / count
    middle = (share + square / 2) / (1 + square)
    half = _Z / (1 + square) * sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def _share(items: Iterable[tuple[float, bool]]) -> Share | None:
    """Return the weighted share of true items, or `None` if there are no items."""
    found = list(items)
    if not found:
        return None
    total = sum(weight for weight, _ in found)
    value = min(1.0, sum(weight for weight, is_true in found if is_true) / total)
    # Kish's effective number: fewer than there are, because some count more than others.
    count = total * total / sum(weight * weight for weight, _ in found)
    low, high = wilson(value, count)
    return Share(value=value, low=low, high=high)


def _kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    count = len(pairs)
    agreed = sum(first == second for first, second in pairs) / count
    firsts = sum(first for first, _ in pairs) / count
    seconds = sum(second for _, second in pairs) / count
    by_chance = firsts * seconds + (1 - firsts) * (1 - seconds)
    return None if by_chance >= 1 else (agreed - by_chance) / (1 - by_chance)
