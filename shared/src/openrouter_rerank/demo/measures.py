"""
How good an order of passages is, by the grades of the judged ones.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from openrouter_rerank.demo.judgements import ANSWERS

CUTOFF = 10
"""Only the first ten passages count for `ndcg`."""


def is_right(passage_id: str, grades: Mapping[str, int]) -> bool:
    """Return `True` if a passage answers the question."""
    return grades.get(passage_id, 0) >= ANSWERS


def place(order: Sequence[str], grades: Mapping[str, int]) -> int | None:
    """Return the rank of the first right passage, or `None`."""
    return next((rank for rank, each in enumerate(order, start=1) if is_right(each, grades)), None)


def ndcg(order: Sequence[str], grades: Mapping[str, int]) -> float:
    """
    Return nDCG@10, from 0 to 1: 1 if the first ten passages are the best ones in the best order.

    Passages without a grade count as 0.
    """
    best = _gain(sorted(grades.values(), reverse=True))
    return _gain(grades.get(each, 0) for each in order) / best if best else 0.0


def _gain(grades: Iterable[int]) -> float:
    ranked = zip(range(1, CUTOFF + 1), grades, strict=False)
    return math.fsum(grade / math.log2(rank + 1) for rank, grade in ranked)
