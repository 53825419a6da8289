"""
The lexical scorer: compares the words of a query with those of a text.

A score depends on the query and the text alone. The importance of a word is therefore estimated
from the language: in English, a rare word has more weight than a common one.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from operator import add
from typing import NamedTuple

from Stemmer import Stemmer

from openrouter_rerank.local.function_words import CHINESE_PARTICLES
from openrouter_rerank.local.vocabulary import word_ranks
from openrouter_rerank.local.words import (
    ENGLISH,
    Language,
    has_english_words,
    language_counts,
    most_likely,
    words,
)

# As in BM25, with the values of Lucene: how soon more occurrences of a word stop to count, and how
# much a text counts against its words if it has more words than usual. Stop words do not count.
_K1 = 1.2
_B = 0.75
_USUAL_LENGTH = 200
# The part of the score that depends on words that are neighbours in the query and in the text.
_PAIRS = 0.25
# Longer words are rarer, up to about this length. Chinese particles are not counted in it.
_LONG_WORD = 7
_LEAST_WEIGHT = 0.5


class Match(NamedTuple):
    """How well a text matches a query."""

    score: float
    """From 0 to 1."""
    is_english: bool
    """`True` if the query and the text seem to be English."""


class LexicalScorer:
    """Scores a text by the words, and the pairs of neighbouring words, that the query has too."""

    name = "local/lexical-pairs"

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the score of each text, from 0 to 1, in the order of `texts`."""
        lexical_query = LexicalQuery(query)
        return [lexical_query.match(text).score for text in texts]


class LexicalQuery:
    """A query that is compared with any number of texts, in one thread."""

    def __init__(self, query: str) -> None:
        self._words = words(query)
        self._language_counts = language_counts(self._words)
        self._has_english_words = has_english_words(self._words)
        self._terms: dict[str, _Terms] = {}

    def match(self, text: str) -> Match:
        """Compare the query with `text`, in the language that both together seem to have."""
        text_words = words(text)
        counts = map(add, self._language_counts, language_counts(text_words))
        terms = self._terms_in(most_likely([*counts]))
        return Match(terms.score(text_words), terms.is_english)

    def _terms_in(self, language: Language) -> "_Terms":
        found = self._terms.get(language.name)
        if found is None:
            is_english = language is ENGLISH and self._has_english_words
            found = _Terms(self._words, language, is_english=is_english)
            self._terms[language.name] = found
        return found


class _Terms:
    """
    The stems of a query in one language, with their weights.

    Args:
        query: The words of the query.
        language: The language of the stop words and of the stemmer.
        is_english: Whether the weights of English words are used.
    """

    def __init__(self, query: Sequence[str], language: Language, *, is_english: bool) -> None:
        self.is_english = is_english
        # A PyStemmer object must not be shared by threads, and it is cheap to create.
        self._stemmer = Stemmer(language.name)
        # If the query has only stop words, they are kept: there is nothing else to score by.
        kept = [word for word in query if word not in language.stop_words] or query
        self._ignored = language.stop_words.difference(kept)
        stems = self._stemmer.stemWords(kept)
        weight = _weight_in_english if is_english else _weight_by_length
        self._weights = {stem: weight(word) for stem, word in zip(stems, kept, strict=True)}
        self._pairs = {
            (first, second): min(self._weights[first], self._weights[second])
            for first, second in pairwise(stems)
        }
        self._total_weight = sum(self._weights.values())
        self._total_pairs = sum(self._pairs.values())
        self._stem_of: dict[str, str] = {}

    def score(self, text: Sequence[str]) -> float:
        """Return the score of a text, from 0 to 1."""
        stems = self._stems(text)
        frequency = Counter(filter(self._weights.__contains__, stems))
        if not frequency:
            return 0.0
        length = _K1 * (1 - _B + _B * len(stems) / _USUAL_LENGTH)
        by_words = (
            sum(
                weight * frequency[stem] / (frequency[stem] + length)
                for stem, weight in self._weights.items()
            )
            / self._total_weight
        )
        if not self._pairs:
            return min(1.0, by_words)
        neighbours = {*pairwise(stems)}
        by_pairs = (
            sum(weight for pair, weight in self._pairs.items() if pair in neighbours)
            / self._total_pairs
        )
        return min(1.0, (1 - _PAIRS) * by_words + _PAIRS * by_pairs)

    def _stems(self, text: Sequence[str]) -> list[str]:
        new = [*{*text}.difference(self._stem_of)]
        self._stem_of.update(zip(new, self._stemmer.stemWords(new), strict=True))
        return [self._stem_of[word] for word in text if word not in self._ignored]


def _weight_in_english(word: str) -> float:
    """Return the weight of a word by its frequency rank in English; unknown words weigh most."""
    ranks = word_ranks()
    return math.log1p(ranks.get(word, len(ranks)))


def _weight_by_length(word: str) -> float:
    """Return the weight of a word in a language whose frequencies are unknown."""
    length = sum(character not in CHINESE_PARTICLES for character in word)
    return max(_LEAST_WEIGHT, min(length, _LONG_WORD))
