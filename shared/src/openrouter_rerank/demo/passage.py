"""
A passage: what the demo searches.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of the documentation."""

    id: str
    title: str
    body: str

    @property
    def text(self) -> str:
        """The title and the body: what is embedded and ranked."""
        return f"{self.title}\n\n{self.body}"
