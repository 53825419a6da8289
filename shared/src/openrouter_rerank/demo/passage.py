"""
A passage: what the demo searches.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """
    A text that may answer a question, or a picture with its caption.
    """

    id: str
    title: str
    """Shown in the tables."""
    text: str
    image: str | None = None
    """The picture as a data URI; `text` is then its caption."""
