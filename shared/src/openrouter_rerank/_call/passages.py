"""
Splits a text that is longer than a model's context into passages.

A passage is a span of the text. Joined, the passages of a text are the text. A paragraph stays
whole if it fits into a passage. A long paragraph shares no passage with another paragraph, because
the score of a passage about two subjects is lower than the score of each of its halves.
"""

import math
import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, chain, islice, pairwise
from typing import NamedTuple

# Weights are in fiftieths of a token, so that the weights of a text are bytes.
_TOKEN = 50

# Scripts whose lead byte stands for other scripts too, which have another weight. UTF-8 does not
# use the bytes that replace their first two bytes.
_VIETNAMESE, _DEVANAGARI, _THAI = b"\xf5", b"\xf6", b"\xf7"
_OWN_LEAD_BYTES = (
    (b"\xe1\xba", _VIETNAMESE),
    (b"\xe1\xbb", _VIETNAMESE),
    (b"\xe0\xa4", _DEVANAGARI),
    (b"\xe0\xa5", _DEVANAGARI),
    (b"\xe0\xb8", _THAI),
    (b"\xe0\xb9", _THAI),
)


def _weights_of_lead_bytes() -> bytes:
    """
    Return the weight of a character by the first byte of its UTF-8 form.

    That byte stands for a script, or for some scripts. `benchmarks/token_estimate.py` compares the
    weights with the tokenizers of models.
    """
    weights = bytearray(256)
    for lead_bytes, tokens in (
        (range(0x80), 1.0),  # Digits, signs and capitals: often a token each
        (b"abcdefghijklmnopqrstuvwxyz", 0.3),
        (b" ", 0.1),
        (range(0xC2, 0xC4), 1.5),  # Latin letters with accents, Western Europe
        (range(0xC4, 0xCA), 2.0),  # Latin letters with accents, others
        (range(0xCA, 0xCE), 1.5),  # Phonetic letters, combining accents
        (range(0xCE, 0xD0), 1.1),  # Greek
        (range(0xD0, 0xD2), 0.55),  # Cyrillic
        (range(0xD2, 0xD6), 2.0),  # Cyrillic of Asia, Armenian
        (range(0xD6, 0xD8), 1.25),  # Hebrew
        (range(0xD8, 0xDC), 0.8),  # Arabic
        (range(0xDC, 0xE0), 2.0),  # Syriac, Thaana, N'Ko
        (b"\xe0", 2.2),  # South Asia
        (b"\xe1", 3.0),  # Georgian, Ethiopic, Burmese, Khmer, and more
        (b"\xe2", 2.0),  # Signs
        (range(0xE3, 0xEE), 1.2),  # Chinese, Japanese, Korean
        (range(0xEE, 0xF0), 1.5),  # Full-width forms
        (range(0xF0, 0xF5), 4.0),  # Emoji, and rare scripts
        (_VIETNAMESE, 0.3),
        (_DEVANAGARI, 1.2),
        (_THAI, 1.1),
    ):
        for lead_byte in lead_bytes:
            weights[lead_byte] = round(tokens * _TOKEN)
    return bytes(weights)


_WEIGHTS = _weights_of_lead_bytes()
_CONTINUATION_BYTES = bytes(range(0x80, 0xC0))

MOST_TOKENS_PER_CHARACTER = max(_WEIGHTS) / _TOKEN
"""A text of `n` characters has at most `n` times as many estimated tokens as this."""

# A passage has parts of two paragraphs only if neither takes more than this share of a passage.
_SHARED_PART = 0.25

# Each pattern matches a border, up to where the next piece begins. None of them can be slow: what
# repeats is possessive, or is followed only by what it cannot match.
_LINE_END = r"(?>\r\n|[\n\r\x85\u2028\u2029])"
_BLANK_LINE = re.compile(rf"{_LINE_END}[^\S\n\r\x85\u2028\u2029]*+{_LINE_END}\s*+")
_LINE = re.compile(rf"{_LINE_END}\s*+")
_SENTENCE = re.compile(
    # In most scripts white space follows the sign and a closing quote or bracket. Group 1 is for
    # signs that end a sentence only if no small letter follows.
    r"([.!?…؟۔።፧])[\"'”’“»«)\]}]{0,3}+\s++"  # noqa: RUF001
    r"|[。！？｡।॥၊။។៕]++[\"'”’)\]}」』）】》〉]*+\s*+"  # noqa: RUF001
)
_SPACE = re.compile(r"\s++")

# From the border at which a text is cut first to the one at which it is cut last. Pieces between
# borders of the first two kinds are paragraphs: a text without blank lines has one in a line.
_BORDERS = (_BLANK_LINE, _LINE, _SENTENCE, _SPACE)
_PARAGRAPHS = (_BLANK_LINE, _LINE)

_ZERO_WIDTH_JOINER = "\u200d"
_COMBINING_MARKS = frozenset({"Mc", "Me", "Mn"})


class Span(NamedTuple):
    """A part of a text, as offsets in characters: `text[start:end]`."""

    start: int
    end: int


def estimated_tokens(text: str) -> int:
    """
    Return about how many tokens `text` has, rather too many than too few.

    The estimate needs no tokenizer. It is the sum of the weights of the characters, rounded up: a
    part of a text never has more estimated tokens than the text. No text has more estimated tokens
    than bytes in UTF-8, and an ASCII text has at most one per character.
    """
    return math.ceil(sum(_weights(text)) / _TOKEN)


def most_tokens(text: str) -> int:
    """Return a number that `estimated_tokens` does not exceed, in a fraction of its time."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def passages(text: str, max_tokens: int, at_most: int | None = None) -> list[Span]:
    """
    Split `text` into passages of at most `max_tokens` estimated tokens.

    The passages follow each other without gaps, and joined they are the text. None of them is
    blank, unless the text is or `max_tokens` is less than 5. White space at the ends of a passage
    is not counted in `max_tokens`. An empty text has no passages.

    A text is cut at blank lines, line ends, ends of sentences, white space, or between characters.
    The first kind of border in this list is used that makes the pieces small enough. Pieces are put
    together again as long as they fit. Paragraphs are not, if one of them is longer than a quarter
    of a passage.

    The time is linear in the length of the text.

    Args:
        text: Any text.
        max_tokens: Smaller values than `MOST_TOKENS_PER_CHARACTER` count as this.
        at_most: The number of passages to find. `None`: all.
    """
    start = len(text) - len(text.lstrip())
    if start == len(text):
        return [Span(0, start)] if text else []
    ends = _Splitter(text, max_tokens).ends(start, len(text), 0)
    return [Span(*span) for span in islice(pairwise(chain((0,), ends)), at_most)]


class _Splitter:
    def __init__(self, text: str, max_tokens: int) -> None:
        self._text = text
        self._budget = int(max(max_tokens, MOST_TOKENS_PER_CHARACTER) * _TOKEN)
        self._totals = array("Q", accumulate(_weights(text), initial=0))

    def ends(self, start: int, end: int, level: int) -> Iterator[int]:
        """
        Yield the end of each passage of a part of the text.

        Args:
            start: Where the part begins. It is not white space.
            end: Where the part ends.
            level: The index in `_BORDERS` at whose kind of border the part is cut.
        """
        if self._weight(start, self._text_end(start, end)) <= self._budget:
            yield end
            return
        if level == len(_BORDERS):
            yield from self._ends_between_characters(start, end)
            return
        begin = start
        was_long = False
        borders = chain((start,), self._borders(start, end, level), (end,))
        for left, right in pairwise(borders):
            text_end = self._text_end(left, right)
            weight = self._weight(left, text_end)
            is_long = _BORDERS[level] in _PARAGRAPHS and weight > self._budget * _SHARED_PART
            is_full = self._weight(begin, text_end) > self._budget
            if begin < left and (is_full or is_long or was_long):
                yield left
                begin = left
            if weight > self._budget:
                # The last one may be put together with what follows.
                for begin, _ in pairwise(self.ends(left, right, level + 1)):
                    yield begin
            was_long = is_long
        yield end

    def _text_end(self, start: int, end: int) -> int:
        """Return where the white space at the end of a part begins. It is not counted."""
        return start + len(self._text[start:end].rstrip())

    def _weight(self, start: int, end: int) -> int:
        return self._totals[end] - self._totals[start]

    def _borders(self, start: int, end: int, level: int) -> Iterator[int]:
        """Yield where a part of the text may be cut, at the borders of a level."""
        previous = start
        for match in _BORDERS[level].finditer(self._text, start, end):
            border = match.end()
            if border == end or (match.lastindex and self._text[border].islower()):
                continue
            if self._is_joined(border):
                # A combining mark after white space belongs to the last white space.
                border -= 2 if self._text.endswith("\r\n", previous, border) else 1
            if border > previous and not self._is_joined(border):
                yield border
                previous = border

    def _ends_between_characters(self, start: int, end: int) -> Iterator[int]:
        text_end = self._text_end(start, end)
        begin = start
        while self._weight(begin, text_end) > self._budget:
            full = bisect_right(self._totals, self._totals[begin] + self._budget, begin) - 1
            cut = full
            while cut > begin and self._is_joined(cut):
                cut -= 1
            if cut == begin:  # A joined sequence that is longer than a passage
                cut = full - self._is_one_character(full)
            yield cut
            begin = cut
        yield end

    def _is_joined(self, index: int) -> bool:
        """Return `True` if a cut at `index` would change a character that readers see."""
        before, after = self._text[index - 1], self._text[index]
        return (
            _ZERO_WIDTH_JOINER in {before, after}
            or unicodedata.category(after) in _COMBINING_MARKS
            or "\U0001f3fb" <= after <= "\U0001f3ff"  # The skin colour of the emoji before
            or self._is_one_character(index)
        )

    def _is_one_character(self, index: int) -> bool:
        before, after = self._text[index - 1], self._text[index]
        if after == "\n":
            return before == "\r"
        return "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff"


def _weights(text: str) -> bytes:
    """Return the weight of each character."""
    if text.isascii():
        return text.encode().translate(_WEIGHTS)
    utf_8 = text.encode(errors="replace")
    for first_bytes, lead_byte in _OWN_LEAD_BYTES:
        if first_bytes[:1] in utf_8:  # Finding one byte is much faster than replacing two
            utf_8 = utf_8.replace(first_bytes, lead_byte)
    return utf_8.translate(_WEIGHTS, _CONTINUATION_BYTES)
