"""
Finds candidates with BM25, for collections that have none.
"""

from dataclasses import replace

from .checks import check_depth
from .collection import Collection
from .counted import Count, counted
from .errors import CollectionError

BM25_NAME = "BM25 made by this command, not your retriever"

# The defaults of Lucene, and so of Elasticsearch and OpenSearch.
_K1 = 1.2
_B = 0.75
_LANGUAGE_TEXTS = 1_000


def bm25(collection: Collection, depth: int, *, report: Count | None = None) -> Collection:
    """
    Return the collection with candidates that BM25 finds in its documents.

    A document without a word of the question is not a candidate. Documents with the same score keep
    the order of the collection.

    Args:
        collection: The collection, whose own candidates are replaced.
        depth: The most candidates of a question.
        report: Called for each question, with the number of questions that have candidates, and
            that of all questions.

    Raises:
        CollectionError: If the collection has no documents, or BM25 finds none.
    """
    import numpy as np
    from bm25s import BM25
    from Stemmer import Stemmer

    from openrouter_rerank.local.words import language, words

    check_depth(depth)
    if not collection.documents:
        raise CollectionError(
            "BM25 needs documents: pass a collection with documents, or a retriever"
        )
    texts = list(collection.documents.values())
    # A part of a large collection, from all over it, is enough to recognise the language.
    text_language = language(map(words, texts[:: max(1, len(texts) // _LANGUAGE_TEXTS)]))
    stemmer = Stemmer(text_language.name)
    # All documents share the strings of their stems, or a large collection would need much memory.
    stem_of: dict[str, str] = {}

    def stems(text: str) -> list[str]:
        kept = [word for word in words(text) if word not in text_language.stop_words]
        new = [word for word in kept if word not in stem_of]
        stem_of.update(zip(new, stemmer.stemWords(new), strict=True))
        return [stem_of[word] for word in kept]

    documents = [stems(text) for text in texts]
    vocabulary = frozenset[str]().union(*documents)
    ids = list(collection.documents)
    candidates: dict[str, tuple[str, ...]] = {}
    # An index without any word cannot be made.
    index = BM25(k1=_K1, b=_B, dtype="float64")
    if vocabulary:
        index.index(documents, show_progress=False)
    for question, text in counted(collection.questions.items(), report):
        query = [stem for stem in stems(text) if stem in vocabulary]
        if query:
            scores = index.get_scores(query)
            best: list[int] = np.argsort(-scores, kind="stable")[:depth].tolist()
            candidates[question] = tuple(ids[at] for at in best if scores[at] > 0)
    if not any(candidates.values()):
        raise CollectionError(
            "BM25 found no document for any question: check that questions and documents have the "
            "same language"
        )
    return replace(collection, candidates=candidates, first_stage=BM25_NAME)
