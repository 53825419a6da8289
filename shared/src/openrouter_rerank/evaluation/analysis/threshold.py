"""
The score of a model above which documents are worth keeping.

A threshold holds for one model and for questions like these. Its interval comes from other samples
of the questions, because the documents of one question are not independent.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from openrouter_rerank.evaluation.result import Threshold

Floats: TypeAlias = NDArray[np.float64]
Whether: TypeAlias = NDArray[np.bool_]

KEPT = 0.95
"""The share of relevant candidates that a threshold keeps."""
FEWEST = 20
"""With fewer relevant candidates, no threshold is computed."""
SAMPLES = 1_000
HALVES = 100
REMOVED, REMOVED_AT_LOW = 0.5, 0.4
"""What a threshold must remove of the other candidates, also at the low end of its interval."""

_AT_A_TIME = 50
"""Samples are counted in parts, so that thousands of scores need little memory."""


def threshold(model: str, depth: int, scores: Floats, is_relevant: Whether, seed: int) -> Threshold:
    """
    Return the threshold of a model.

    Args:
        model: The model.
        depth: The depth of the scores.
        scores: The score of each candidate (column) for each question (row); minus infinity where
            there is none.
        is_relevant: `True` where the candidate is relevant. All others count as not relevant, also
            those without a judgement.
        seed: The start of the random samples and halves.
    """
    has_score = np.isfinite(scores)
    rows, columns = np.nonzero(has_score & is_relevant)
    relevant = scores[rows, columns]
    order = np.argsort(relevant, kind="stable")
    relevant, rows = relevant[order], rows[order]
    others = np.sort(scores[has_score & ~is_relevant])
    if relevant.size < FEWEST:
        return _without_score(model, depth, relevant, others)
    score = float(relevant[_place(relevant.size)])
    questions = scores.shape[0]
    low, high = np.quantile(_of_samples(relevant, rows, questions, seed), (0.025, 0.975)).tolist()
    recalls = _recalls_of_halves(relevant, rows, questions, seed)
    removed = _share_below(others, score)
    separates = removed >= REMOVED and _share_below(others, low) >= REMOVED_AT_LOW
    left = (scores >= score).sum(axis=1)[has_score.any(axis=1)]
    return Threshold(
        model=model,
        depth=depth,
        score=score,
        low=low,
        high=high,
        recall=float(recalls.mean()) if recalls.size else None,
        recall_low=float(np.quantile(recalls, 0.05)) if recalls.size else None,
        removed=removed,
        mean_left=float(left.mean()),
        empty_questions=int((left == 0).sum()),
        separates=separates,
        reason=None if separates else _no_separation(removed, low, others),
        relevant_scores=tuple(relevant.tolist()),
        other_scores=tuple(others.tolist()),
    )


def _without_score(model: str, depth: int, relevant: Floats, others: Floats) -> Threshold:
    candidates = "candidate is" if relevant.size == 1 else "candidates are"
    return Threshold(
        model=model,
        depth=depth,
        score=None,
        low=None,
        high=None,
        recall=None,
        recall_low=None,
        removed=None,
        mean_left=None,
        empty_questions=None,
        separates=False,
        reason=f"Only {relevant.size} {candidates} relevant; a threshold needs {FEWEST}.",
        relevant_scores=tuple(relevant.tolist()),
        other_scores=tuple(others.tolist()),
    )


def _no_separation(removed: float, low: float, others: Floats) -> str:
    if not others.size:
        return "All candidates are relevant, so there is nothing to remove."
    if removed < REMOVED:
        return (
            f"It removes only {removed * 100:.0f} % of the candidates that are not relevant, less"
            f" than {REMOVED * 100:.0f} %."
        )
    removed_at_low = _share_below(others, low)
    return (
        f"At the low end of its interval, it removes only {removed_at_low * 100:.0f} % of the"
        f" candidates that are not relevant, less than {REMOVED_AT_LOW * 100:.0f} %."
    )


def _place(count: int) -> int:
    """Return the place of the threshold in ascending scores: the quantile is one of them."""
    # A rounding error must not change the place: 0.05 * 100 may be 5.000000000000004.
    return int(round((1 - KEPT) * (count - 1), 9))


def _share_below(ascending: Floats, score: float) -> float:
    return float(np.searchsorted(ascending, score)) / ascending.size if ascending.size else 0.0


def _of_samples(relevant: Floats, rows: NDArray[np.intp], questions: int, seed: int) -> Floats:
    """Return the threshold of each sample of the questions, drawn with replacement."""
    random = np.random.default_rng(seed)
    found: list[Floats] = []
    for _ in range(0, SAMPLES, _AT_A_TIME):
        drawn = random.integers(0, questions, size=(_AT_A_TIME, questions))
        times = np.stack([np.bincount(each, minlength=questions) for each in drawn])[:, rows]
        up_to = np.cumsum(times, axis=1)
        total = up_to[:, -1]
        has_any = total > 0
        places = np.array([_place(count) for count in total.tolist()])
        first = np.argmax(up_to > places[:, None], axis=1)
        found.append(relevant[first[has_any]])
    return np.concatenate(found)


def _recalls_of_halves(
    relevant: Floats, rows: NDArray[np.intp], questions: int, seed: int
) -> Floats:
    """Return the share of relevant candidates kept by the threshold of the other questions."""
    kept = [
        float((unseen >= seen[_place(seen.size)]).mean())
        for is_seen in _halves(questions, seed)
        if (seen := relevant[is_seen[rows]]).size and (unseen := relevant[~is_seen[rows]]).size
    ]
    return np.array(kept, dtype=np.float64)


def _halves(questions: int, seed: int) -> Iterator[Whether]:
    random = np.random.default_rng(seed)
    for _ in range(HALVES):
        is_seen = np.zeros(questions, dtype=bool)
        is_seen[random.permutation(questions)[: questions // 2]] = True
        yield is_seen
