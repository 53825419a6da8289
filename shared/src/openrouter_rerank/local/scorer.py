"""
What a local scorer is.
"""

from collections.abc import Sequence
from typing import Protocol


class Scorer(Protocol):
    """
    Anything that tells how well texts answer a query.

    One scorer is shared by threads, and the same request always gets the same scores.
    """

    @property
    def name(self) -> str:
        """What the response calls it."""
        ...

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Score each text from 0 to 1, in the order given. No text is blank, none comes twice."""
        ...
