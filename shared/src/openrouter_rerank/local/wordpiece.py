"""
BERT's WordPiece tokenizer (uncased): splits a text into tokens of the vocabulary.
"""

import re
import unicodedata
from collections.abc import Iterator

from openrouter_rerank.local.vocabulary import vocabulary

UNKNOWN, START, END = 100, 101, 102
_MAX_WORD_LENGTH = 100
# BERT treats every ASCII symbol as punctuation, also those that Unicode classifies as symbols.
_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs"})
_IDEOGRAPH = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002a6df\U0002a700-\U0002ceaf\U0002f800-\U0002fa1f]"
)


def token_ids(text: str, limit: int) -> tuple[int, ...]:
    """
    Return the ids of the tokens of `text`, between those of the start and the end token.

    Args:
        text: Any text.
        limit: The number of ids to return at most, with the start and the end token.
    """
    found: list[int] = []
    # Text beyond this point could matter only if the text before it were mostly spaces.
    for word in _words(text[: limit * _MAX_WORD_LENGTH]):
        if len(found) >= limit - 2:
            break
        found.extend(_word_token_ids(word))
    return (START, *found[: limit - 2], END)


def _words(text: str) -> Iterator[str]:
    spaced = _IDEOGRAPH.sub(r" \g<0> ", "".join(map(_cleaned, text)))
    decomposed = unicodedata.normalize("NFD", spaced)
    kept = (char.lower() for char in decomposed if unicodedata.category(char) != "Mn")
    return iter("".join(f" {char} " if _is_punctuation(char) else char for char in kept).split())


def _cleaned(char: str) -> str:
    if char in "\t\n\r":
        return " "
    return "" if char == "\ufffd" or unicodedata.category(char) in _INVISIBLE else char


def _is_punctuation(char: str) -> bool:
    return char in _ASCII_PUNCTUATION or unicodedata.category(char)[0] == "P"


def _word_token_ids(word: str) -> list[int]:
    """
    Split a word into tokens from the left, each as long as possible, and return their ids.

    A word that cannot be split is one unknown token.
    """
    known = vocabulary()
    if len(word) > _MAX_WORD_LENGTH:
        return [UNKNOWN]
    found: list[int] = []
    rest = word
    while rest:
        prefix = "##" if found else ""
        ends = range(len(rest), 0, -1)
        end = next((end for end in ends if prefix + rest[:end] in known), None)
        if end is None:
            return [UNKNOWN]
        found.append(known[prefix + rest[:end]])
        rest = rest[end:]
    return found
