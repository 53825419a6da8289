"""
Splits texts of any script into words, and guesses the language of a text.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from bm25s import stopwords

from openrouter_rerank.local.function_words import FUNCTION_WORDS
from openrouter_rerank.local.vocabulary import word_ranks

# Text in scripts without spaces is split into overlapping pairs of characters, as Lucene does.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
# Python's \w does not match the vowel signs of Arabic, Indic and Thai, so it would split words.
_VOWEL_SIGNS = "\u0300-\u036f\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e"
_WORD = re.compile(rf"[\w{_VOWEL_SIGNS}]+")
_RUN = re.compile(rf"(?:(?![{_UNSPACED}])[\w{_VOWEL_SIGNS}])+|[{_UNSPACED}]+")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
# In XQuAD, at least half of the words are in an English word list for at least 98 % of the English
# questions, and for at most 25 to 31 % of the German and Spanish ones. The stop words of the
# document decide about the latter.
_ENGLISH_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language. If no list of its stop words is at hand, its script shows which it is."""

    name: str
    """The name of its Snowball stemmer."""
    stop_words: frozenset[str]


LANGUAGES = tuple(
    Language(
        name=name,
        stop_words=frozenset(stop_words).union(FUNCTION_WORDS.get(name, "").split()),
    )
    for name, stop_words in (
        ("english", stopwords.STOPWORDS_EN_PLUS),
        ("german", stopwords.STOPWORDS_GERMAN),
        ("french", stopwords.STOPWORDS_FRENCH),
        ("spanish", stopwords.STOPWORDS_SPANISH),
        ("italian", stopwords.STOPWORDS_ITALIAN),
        ("portuguese", stopwords.STOPWORDS_PORTUGUESE),
        ("dutch", stopwords.STOPWORDS_DUTCH),
        ("russian", stopwords.STOPWORDS_RUSSIAN),
        ("turkish", stopwords.STOPWORDS_TURKISH),
        ("swedish", stopwords.STOPWORDS_SWEDISH),
        ("danish", stopwords.STOPWORDS_DANISH),
        ("norwegian", stopwords.STOPWORDS_NORWEGIAN),
        ("romanian", ()),
        ("greek", ()),
        ("arabic", ()),
        ("hindi", ()),
    )
)
ENGLISH = LANGUAGES[0]
_LANGUAGES_OF_STOP_WORD = {
    word: tuple(number for number, known in enumerate(LANGUAGES) if word in known.stop_words)
    for word in frozenset[str]().union(*(known.stop_words for known in LANGUAGES))
}
_LANGUAGE_OF_BLOCK = {
    block: number
    for number, known in enumerate(LANGUAGES)
    for block in {"greek": (7,), "arabic": (12, 13), "hindi": (18,)}.get(known.name, ())
}
"""By the number of a block of 128 characters, such as 7 for U+0380 to U+03FF."""


def words(text: str) -> list[str]:
    """Split `text` into lower-case words, or into pairs of characters in scripts without spaces."""
    lower = text.lower()
    if lower.isascii() or not _UNSPACED_RUN.search(lower):
        found: list[str] = _WORD.findall(lower)
        return found
    return [word for run in _RUN.findall(lower) for word in _pairs(run)]


def language(texts: Iterable[Sequence[str]]) -> Language:
    """Return the language that `texts` seem to have, English if nothing shows it."""
    return most_likely(language_counts([*chain.from_iterable(texts)]))


def language_counts(words: Sequence[str]) -> list[int]:
    """
    Return how many of `words` are typical for each of `LANGUAGES`, in their order.

    These are the stop words of a language, or the words in its script. A single letter is not
    typical: texts in all languages have Greek ones.
    """
    counts = [0] * len(LANGUAGES)
    for numbers, count in Counter(map(_LANGUAGES_OF_STOP_WORD.get, words)).items():
        for number in numbers or ():
            counts[number] += count
    if max(words, default="") >= "\u0380":
        blocks = Counter(ord(word[0]) >> 7 for word in words if len(word) > 1)
        for block, number in _LANGUAGE_OF_BLOCK.items():
            counts[number] += blocks[block]
    return counts


def most_likely(counts: Sequence[int]) -> Language:
    """Return the language with the highest count, English if all are 0."""
    return LANGUAGES[counts.index(max(counts))]


def has_english_words(query: Sequence[str]) -> bool:
    """Return `True` if at least half of the words of a query are in a list of English words."""
    return sum(word in word_ranks() for word in query) >= _ENGLISH_SHARE * len(query)


def _pairs(run: str) -> list[str]:
    if not _UNSPACED_RUN.fullmatch(run):
        return [run]
    return [run[start : start + 2] for start in range(max(1, len(run) - 1))]
