import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime has no wheel for this platform")

from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.minilm import EmbeddingModel, HybridScorer


@pytest.fixture(scope="module")
def hybrid():
    """Return one scorer for all tests, so that its model is loaded once."""
    return HybridScorer(LexicalScorer())


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
    """The same tokens give the same object, and every vector is a unit vector."""
    model = EmbeddingModel()

    vector = model.vector("An apple a day")

    assert abs(float(vector @ vector) - 1) < 1e-5
    assert model.vector("an APPLE a day") is vector
    assert model.vector("another day") is not vector
