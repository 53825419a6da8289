"""
The part of a document that has most words of the question, with these words marked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from openrouter_rerank.local.words import language, words

from .markup import Markup, element, joined

LENGTH = 260
# Scripts without spaces have no word boundaries, so each pair of characters counts as a word.
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"(?=([{_UNSPACED}]{{2}}))|(?:(?![{_UNSPACED}])\w)+")
_ENDINGS = ("ing", "ed", "es", "e", "s")
_LEAST_STEM = 3


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    end: int
    stem: str


def snippet(document: str, question: str) -> Markup:
    """
    Return about `LENGTH` characters of `document`, from where they match `question` best.

    They begin and end with a word. The words of the question are marked, but no stop words.
    """
    text = " ".join(document.split())
    wanted = _wanted(question, text)
    matches = [each for each in _words(text) if each.stem in wanted]
    start = _best_start(text, matches)
    end = len(text)
    if end - start > LENGTH:
        end = text.rfind(" ", start + LENGTH // 2, start + LENGTH)
        end = start + LENGTH if end < 0 else end
    parts: list[str] = ["… "] if start else []
    at = start
    for first, last in _merged(each for each in matches if start <= each.start and each.end <= end):
        parts += [text[at:first], element("mark", text[first:last])]
        at = last
    parts += [text[at:end], " …" if end < len(text) else ""]
    return joined(parts)


def _wanted(question: str, text: str) -> set[str]:
    stop_words = language([words(question), words(text)]).stop_words
    return {
        each.stem
        for each in _words(question)
        if question[each.start : each.end].lower() not in stop_words
    }


def _words(text: str) -> Iterable[_Match]:
    for found in _WORD.finditer(text):
        group = 1 if found.group(1) else 0
        start, end = found.span(group)
        yield _Match(start, end, _stem(text[start:end].lower()))


def _stem(word: str) -> str:
    """Return `word` without some English endings, so that `price` and `prices` are alike."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM:
            return word.removesuffix(ending)
    return word


def _best_start(text: str, matches: list[_Match]) -> int:
    """Return where the snippet begins: at the start of a word or of the text."""
    if len(text) <= LENGTH or not matches:
        return 0
    best, most = 0, 0
    for first in matches:
        # A few words before the first match make it easier to read.
        start = max(0, first.start - 40)
        start = text.find(" ", start, first.start + 1) + 1 if start else 0
        found = {
            each.stem for each in matches if start <= each.start and each.end <= start + LENGTH
        }
        if len(found) > most:
            best, most = start, len(found)
    return best


def _merged(matches: Iterable[_Match]) -> list[tuple[int, int]]:
    """Return the parts of the text that are covered by matches."""
    parts: list[tuple[int, int]] = []
    for each in matches:
        if parts and each.start <= parts[-1][1]:
            parts[-1] = (parts[-1][0], max(parts[-1][1], each.end))
        else:
            parts.append((each.start, each.end))
    return parts
