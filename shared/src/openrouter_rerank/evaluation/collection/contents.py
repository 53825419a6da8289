"""
What the files of a collection contain. `Collection` checks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The fields of a `Collection`, as they were read."""

    name: str
    questions: Mapping[str, str]
    documents: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, int]]
    candidates: Mapping[str, tuple[str, ...]]
    first_stage: str
    notes: tuple[str, ...] = ()


NO_CANDIDATES = "the candidates of the collection"
"""The first stage of a collection without a run."""
