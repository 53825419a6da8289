"""
The interface of a local scorer.
"""

from collections.abc import Sequence
from typing import Protocol


class Scorer(Protocol):
    """
    Scores how relevant texts are to a query.

    Threads share one scorer, and equal requests always get equal scores.
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
