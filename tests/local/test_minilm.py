import gc
import weakref

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime has no wheel for this platform")

from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.minilm import EmbeddingModel, HybridScorer


@pytest.fixture(scope="module")
def hybrid():
    """Return one scorer for all tests, so that its model is loaded once."""
    return HybridScorer()


@pytest.mark.parametrize(
    ("query", "relevant", "others"),
    [
        (
            "How do I get my money back?",
            "Refunds are paid within ten days.",
            ["Back up your files.", "I do."],
        ),
        (
            "my dog is ill",
            "A veterinarian treats sick animals.",
            ["A hotdog with mustard.", "My bike is red."],
        ),
        (
            "car",
            "The automobile was parked outside.",
            ["The card was declined.", "A carpet lay there."],
        ),
    ],
)
def test_a_paraphrase_without_common_words_is_found(hybrid, query, relevant, others):
    """A paraphrase outranks texts that have a word or a syllable in common with the query."""
    scores = hybrid.scores(query, [*others, relevant])

    assert max(scores) == scores[-1]


def test_other_languages_are_scored_by_words_only(hybrid):
    """German gets exactly the scores of the lexical scorer."""
    query = "Wie heißt die Hauptstadt von Österreich?"
    texts = ["Wien ist die Hauptstadt von Österreich.", "Der Hund ist nicht im Haus."]

    assert hybrid.scores(query, texts) == LexicalScorer().scores(query, texts)


def test_vectors_have_length_1_and_are_cached():
    """The same text gives the same object, and every vector is a unit vector."""
    model = EmbeddingModel()

    vector = model.vector("An apple a day")

    assert abs(float(vector @ vector) - 1) < 1e-5
    assert model.vector("An apple " + "a day") is vector
    assert model.vector("another day") is not vector


def test_a_cached_vector_does_not_keep_its_text_alive():
    """A text may be long, and the cache outlives it."""

    class Text(str):
        """A string that can be referred to weakly."""

        __slots__ = ("__weakref__",)

    model = EmbeddingModel()
    text = Text("An apple a day")
    reference = weakref.ref(text)
    model.vector(text)
    del text
    gc.collect()

    assert reference() is None


def test_a_document_in_another_language_does_not_change_how_others_are_scored(hybrid):
    """The meaning of an English text counts, also among German texts."""
    query, text = "my dog is ill", "A veterinarian treats sick animals."

    alone = hybrid.scores(query, [text])
    together = hybrid.scores(query, ["Der Hund ist nicht krank und nicht im Haus.", text])

    assert together[1:] == alone > LexicalScorer().scores(query, [text])
