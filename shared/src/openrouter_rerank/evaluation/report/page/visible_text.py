"""
Makes text from files and services safe for a page: one visible character for each that is not.

HTML cannot contain control characters, not even escaped. Overrides of the direction of text can
show it in another order than it has. For terminals, `cli.escapes` has what this is for pages.
"""

from itertools import chain

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_CONTROL_PICTURES = 0x2400
_DELETE = 0x7F
# Marks (U+200E, U+200F) are not among them: Arabic and Hebrew texts need them, and they change
# only their neighbours.
_DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_NEVER_CHARACTERS = chain(range(0x80, 0xA0), range(0xD800, 0xE000), (0xFFFE, 0xFFFF), _DIRECTIONS)
_VISIBLE: dict[int, str | int] = {
    **{code: _CONTROL_PICTURES + code for code in range(0x20)},
    _DELETE: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys(_NEVER_CHARACTERS, _REPLACEMENT),
}
_WITH_LINES = {code: to for code, to in _VISIBLE.items() if chr(code) not in "\t\n\r"}


def visible(text: str) -> str:
    """Return `text` in one line, with a visible character for each control character."""
    return text.translate(_VISIBLE)


def visible_lines(text: str) -> str:
    """Return `text` with its line breaks and tabs, and other control characters visible."""
    return text.translate(_WITH_LINES)
