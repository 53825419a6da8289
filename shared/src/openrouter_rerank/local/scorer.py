"""
The interface of a local scorer.
"""

from collections.abc import Sequence
from typing import Protocol


class Scorer(Protocol):
    """
    Scores how relevant texts are to a query.

    Threads share one scorer. A score depends on the query and its text alone, so a call can be
    split into several requests, and scores can be kept.
    """

    @property
    def name(self) -> str:
        """The model's name in the response."""
        ...

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """
        Return the score of each text, from 0 to 1, in the order of `texts`.

        The caller passes only texts that are not blank, and each text once.
        """
        ...
