"""
Splits texts of any script into words, and guesses the language of a text.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from bm25s import stopwords

from openrouter_rerank.local.vocabulary import word_ranks

# Text in scripts without spaces is split into overlapping pairs of characters, as Lucene does.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
# Python's \w does not match the vowel signs of Arabic, Indic and Thai, so it would split words.
_VOWEL_SIGNS = "\u0300-\u036f\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e"
_RUN = re.compile(rf"(?:(?![{_UNSPACED}])[\w{_VOWEL_SIGNS}])+|[{_UNSPACED}]+")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
# In XQuAD, at least half of the words are in an English word list for at least 98 % of the English
# questions, and for at most 25 to 31 % of the German and Spanish ones. The stop words of the
# documents decide about the latter.
_ENGLISH_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language and its stop words."""

    name: str
    """The name of its Snowball stemmer."""
    stop_words: frozenset[str]


LANGUAGES = tuple(
    Language(name=name, stop_words=frozenset(stop_words))
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
    )
)
ENGLISH = LANGUAGES[0]
_STOP_WORDS = frozenset[str]().union(*(known.stop_words for known in LANGUAGES))


def words(text: str) -> list[str]:
    """Split `text` into lower-case words, or into pairs of characters in scripts without spaces."""
    return [word for run in _RUN.findall(text.lower()) for word in _pairs(run)]


def language(texts: Iterable[Sequence[str]]) -> Language:
    """Return the language that has the most stop words in `texts`, English if there are none."""
    found = Counter(chain.from_iterable(texts))
    stop_words = _STOP_WORDS.intersection(found)
    return max(
        LANGUAGES, key=lambda known: sum(found[word] for word in known.stop_words & stop_words)
    )


def is_english(query: Sequence[str], documents: Sequence[Sequence[str]]) -> bool:
    """Return `True` if the words of the query and those of the documents seem to be English."""
    known = sum(word in word_ranks() for word in query)
    return known >= _ENGLISH_SHARE * len(query) and language([query, *documents]) is ENGLISH


def _pairs(run: str) -> list[str]:
    if not _UNSPACED_RUN.fullmatch(run):
        return [run]
    return [run[start : start + 2] for start in range(max(1, len(run) - 1))]
