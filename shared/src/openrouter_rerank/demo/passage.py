"""
What the demo searches: a passage of text, or a picture with a caption.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """
    A piece of text that can answer a question, with a picture or without.
    """

    id: str
    title: str
    """What the reader sees in the lists."""
    text: str
    image: str | None = None
    """A data URI; the text is then its caption."""
