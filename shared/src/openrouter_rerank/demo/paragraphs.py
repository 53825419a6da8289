"""
How a long text becomes passages: paragraph by paragraph, none cut in its middle without need.
"""

import re
from collections.abc import Iterator

# About what the embedding model reads of a text: 128 word pieces.
_FULL = 100
# A tail that is shorter says too little on its own.
_TAIL = 25
LONGEST = _FULL + _TAIL
"""No passage has more words, but for one with a longer line."""

_BLANK_LINES = re.compile(r"\n\s*\n")


def passages(text: str) -> list[str]:
    """Pack the paragraphs of `text` into passages of about a hundred words, in order."""
    packed: list[str] = []
    for paragraph in _paragraphs(text):
        room = LONGEST if _length(paragraph) < _TAIL else _FULL
        if packed and _length(packed[-1]) + _length(paragraph) <= room:
            packed[-1] = f"{packed[-1]}\n\n{paragraph}"
        else:
            packed.append(paragraph)
    return packed


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in _BLANK_LINES.split(text):
        if paragraph.strip():
            yield from _cut(paragraph.strip("\n"))


def _cut(paragraph: str) -> Iterator[str]:
    """Cut a paragraph that is too long, such as a table, between its lines."""
    kept: list[str] = []
    for line in paragraph.splitlines():
        if kept and _length(" ".join([*kept, line])) > _FULL:
            yield "\n".join(kept)
            kept = []
        kept.append(line)
    yield "\n".join(kept)


def _length(text: str) -> int:
    return len(text.split())
