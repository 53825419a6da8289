"""
The lexical scorer: BM25 over the documents of one request.

A retriever found the documents of a request, so most of them contain the words of the query. The
number of documents that contain a word is then a poor measure of how important the word is. For
English, a prior corrects this: the rarer a word is in the language, the more weight it gets.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from Stemmer import Stemmer

from openrouter_rerank.local.vocabulary import word_ranks
from openrouter_rerank.local.words import ENGLISH, is_english, language, words

# On SciFact and XQuAD, nDCG@10 hardly changes for priors from 0 to 0.7. On Cranfield, whose
# candidates come from a lexical retriever, a prior of 0.7 raises it from 0.23 to 0.34. A smaller
# one is enough to correct the weights of words that most candidates contain.
_ENGLISH_PRIOR = 0.5
# The usual values of BM25: how soon more occurrences of a word stop to count, and how much a long
# text counts against its words.
_K1 = 1.5
_B = 0.75


class LexicalScorer:
    """
    Scores a text by the share of the query's total word weight that its words have.

    A score depends on the other texts of the request, so scores of different requests are not
    comparable.
    """

    name = "local/bm25-lexical"

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the score of each text, from 0 to 1, in the order of `texts`."""
        weights, documents = _weights_and_stems(words(query), [words(text) for text in texts])
        if not any(documents) or not any(weights.values()):
            return [0.0] * len(texts)
        average_length = sum(map(len, documents)) / len(documents)
        total_weight = math.fsum(weights.values())
        return [
            min(1.0, _weight(weights, document, average_length) / total_weight)
            for document in documents
        ]


def _weight(weights: Mapping[str, float], document: Sequence[str], average_length: float) -> float:
    """Return the weight of the query's words that a document has, by the formula of BM25."""
    frequency = Counter(document)
    length = _K1 * (1 - _B + _B * len(document) / average_length)
    return math.fsum(
        weight * frequency[term] / (frequency[term] + length)
        for term, weight in weights.items()
        if term in frequency
    )


def _weights_and_stems(
    query_words: Sequence[str], document_words: Sequence[Sequence[str]]
) -> tuple[dict[str, float], list[list[str]]]:
    """Return the weight of each stem of the query, and the stems of each document."""
    text_language = language([query_words, *document_words])
    # A PyStemmer object must not be shared by threads, and it is cheap to create.
    stemmer = Stemmer(text_language.name)
    # If the query has only stop words, they are kept, because there is nothing else to score by.
    kept = [word for word in query_words if word not in text_language.stop_words] or query_words
    ignored = text_language.stop_words.difference(kept)
    documents = [
        stemmer.stemWords([word for word in document if word not in ignored])
        for document in document_words
    ]
    frequency = Counter(term for document in documents for term in set(document))
    english = text_language is ENGLISH and is_english(query_words, document_words)
    prior = _ENGLISH_PRIOR if english else 0.0
    weights = {
        term: _rarity(frequency[term], len(document_words)) + prior * _rarity_in_english(word)
        for term, word in zip(stemmer.stemWords(kept), kept, strict=True)
    }
    return weights, documents


def _rarity(frequency: int, documents: int) -> float:
    """Return the weight of a term that `frequency` of the documents contain, as Lucene does."""
    return math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5))


def _rarity_in_english(word: str) -> float:
    """Return the weight of a word by its frequency rank in English; unknown words weigh most."""
    ranks = word_ranks()
    return math.log1p(ranks.get(word, len(ranks)))
