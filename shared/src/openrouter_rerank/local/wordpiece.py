"""
BERT's own way to cut a text into the word pieces of its vocabulary (uncased).
"""

import re
import unicodedata
from collections.abc import Iterator

from openrouter_rerank.local.vocabulary import vocabulary

UNKNOWN, START, END = 100, 101, 102
_LONGEST_WORD = 100
# Every ASCII sign counts as punctuation for BERT, also those that Unicode calls symbols.
_ASCII_SIGNS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs"})
_IDEOGRAPH = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002a6df\U0002a700-\U0002ceaf\U0002f800-\U0002fa1f]"
)


def pieces(text: str, limit: int) -> tuple[int, ...]:
    """Number the pieces of `text` between the start and the end mark, `limit` of them at most."""
    found: list[int] = []
    # What lies beyond could only matter after a flood of spaces.
    for word in _words(text[: limit * _LONGEST_WORD]):
        if len(found) >= limit - 2:
            break
        found.extend(_cut(word))
    return (START, *found[: limit - 2], END)


def _words(text: str) -> Iterator[str]:
    spaced = _IDEOGRAPH.sub(r" \g<0> ", "".join(map(_cleaned, text)))
    apart = unicodedata.normalize("NFD", spaced)
    kept = (sign.lower() for sign in apart if unicodedata.category(sign) != "Mn")
    return iter("".join(f" {sign} " if _is_punctuation(sign) else sign for sign in kept).split())


def _cleaned(sign: str) -> str:
    if sign in "\t\n\r":
        return " "
    return "" if sign == "\ufffd" or unicodedata.category(sign) in _INVISIBLE else sign


def _is_punctuation(sign: str) -> bool:
    return sign in _ASCII_SIGNS or unicodedata.category(sign)[0] == "P"


def _cut(word: str) -> list[int]:
    """Cut a word into the longest pieces from the left, or into the unknown one as a whole."""
    known = vocabulary()
    if len(word) > _LONGEST_WORD:
        return [UNKNOWN]
    found: list[int] = []
    rest = word
    while rest:
        mark = "##" if found else ""
        ends = range(len(rest), 0, -1)
        end = next((end for end in ends if mark + rest[:end] in known), None)
        if end is None:
            return [UNKNOWN]
        found.append(known[mark + rest[:end]])
        rest = rest[end:]
    return found
