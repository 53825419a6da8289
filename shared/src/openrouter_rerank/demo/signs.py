"""
The signs of the output, which carry the meaning together with the colours.
"""

from typing import NamedTuple


class Signs(NamedTuple):
    """Signs of one character each, and the arrow between two places."""

    right: str
    up: str
    down: str
    more: str
    cut: str
    arrow: str


_UNICODE = Signs(right="✔", up="▲", down="▼", more="⋮", cut="…", arrow="→")
_ASCII = Signs(right="*", up="^", down="v", more=":", cut="~", arrow="->")


def signs(encoding: str) -> Signs:
    """Return the signs that the output can write."""
    try:
        "".join(_UNICODE).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return _UNICODE
