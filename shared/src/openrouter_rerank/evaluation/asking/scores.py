"""
What the models have answered: all scores, and what each call cost and took.

`matrix.py` keeps it in a file; everything after the asking is computed from this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

CallKind: TypeAlias = Literal["score", "probe"]

LARGEST_DIFFERENCE = 0.001
"""Scores of equal requests may differ by this much."""

DocumentScores: TypeAlias = Mapping[str, float]
"""The score of each document that was sent, by document id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCall:
    """
    One rerank call of the evaluation.

    Its scores may be from several kept calls, or from one with more documents. Then `cost` is the
    part of these documents, and the other values are those of the newest call.
    """

    model: str
    question: str
    depth: int
    """If the question has fewer candidates, the call also stands for all larger depths."""
    kind: CallKind
    """A probe is asked alone, so that its time is that of one user."""
    cost: float | None
    """US dollars; `None` if the service did not report it."""
    seconds: float
    attempts: int
    """Above 1 if the client asked again. Such a probe says nothing about latency."""
    served_model: str | None
    provider: str | None
    scores: DocumentScores


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The answered calls of all models."""

    depths: tuple[int, ...]
    """The depths that were asked for, ascending. The largest is the depth of the matrix."""
    calls: tuple[AskedCall, ...]
    failures: Mapping[str, Mapping[str, str]]
    """Why a question has no scores: by model, then question, the message of the error."""
    listwise: frozenset[str]
    """Models whose scores depend on the other documents: each depth was asked."""
    failed_probes: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many probes failed in this run, by model."""
    budget_is_spent: bool = False
    interrupted: bool = False
