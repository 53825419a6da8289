"""
Makes texts of documents and of servers safe for a terminal.

A terminal obeys control characters: a document could move the cursor, change the title of the
window, or hide a part of a line. Output in a pipe often ends on a terminal too.
"""

import json
import re
from collections.abc import Mapping

# Control characters except the tab, line and paragraph separators, marks that change the direction
# of a text, and lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LINE_BREAKS = re.compile("(?:\r\n|[\n\r\x0b\x0c\x85\u2028\u2029])+")


def one_line(text: str) -> str:
    """Return `text` as one line: spaces for line breaks, escapes for control characters."""
    return _UNSAFE.sub(_escape, _LINE_BREAKS.sub(" ", text))


def first_words(text: str, longest: int = 500) -> str:
    """Return the beginning of `text` as one line in which each white space is one space."""
    return one_line(" ".join(text[: 2 * longest].split())[:longest])


def json_text(value: Mapping[str, object], *, ascii_only: bool) -> str:
    """
    Return `value` as JSON on one line, without characters that a terminal obeys.

    Args:
        value: The value.
        ascii_only: Escape all characters that are not ASCII.
    """
    text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)
    return _UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text).replace("\x7f", "\\u007f")


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
