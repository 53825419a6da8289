"""
Splits a long text into passages of whole paragraphs; only too long paragraphs are split.
"""

import re
from collections.abc import Iterator

# About as many words as the embedding model reads of a text: 128 tokens.
_TARGET_WORDS = 100
# A shorter paragraph says too little as a passage, so it may make the passage before it longer.
_SHORT_PARAGRAPH = 25
MAX_WORDS = _TARGET_WORDS + _SHORT_PARAGRAPH
"""The most words of a passage, unless a single line of the text has more."""

_BLANK_LINES = re.compile(r"\n\s*\n")


def passages(text: str) -> list[str]:
    """Combine the paragraphs of `text`, in order, into passages of about a hundred words."""
    found: list[str] = []
    for paragraph in _paragraphs(text):
        limit = MAX_WORDS if _words(paragraph) < _SHORT_PARAGRAPH else _TARGET_WORDS
        if found and _words(found[-1]) + _words(paragraph) <= limit:
            found[-1] = f"{found[-1]}\n\n{paragraph}"
        else:
            found.append(paragraph)
    return found


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in _BLANK_LINES.split(text):
        if paragraph.strip():
            yield from _split(paragraph.strip("\n"))


def _split(paragraph: str) -> Iterator[str]:
    """Split a paragraph that is too long, such as a table, between its lines."""
    kept: list[str] = []
    for line in paragraph.splitlines():
        if kept and _words(" ".join([*kept, line])) > _TARGET_WORDS:
            yield "\n".join(kept)
            kept = []
        kept.append(line)
    yield "\n".join(kept)


def _words(text: str) -> int:
    """Return the number of words."""
    return len(text.split())
