import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime has no wheel for this platform")

from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.minilm import Embedding, HybridScorer


@pytest.fixture(scope="module")
def hybrid():
    """The scorer with its model loaded once."""
    return HybridScorer(LexicalScorer())


@pytest.mark.parametrize(
    ("query", "right", "others"),
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
def test_meaning_is_found_where_no_word_is_shared(hybrid, query, right, others):
    """A paraphrase without a word of the query outranks texts that share a word or a syllable."""
    scores = hybrid.scores(query, [*others, right])

    assert max(scores) == scores[-1]


def test_a_language_that_the_model_does_not_know_is_scored_by_words_alone(hybrid):
    """German gets exactly the lexical scores."""
    query = "Wie heißt die Hauptstadt von Österreich?"
    texts = ["Wien ist die Hauptstadt von Österreich.", "Der Hund ist nicht im Haus."]

    assert hybrid.scores(query, texts) == LexicalScorer().scores(query, texts)


def test_vectors_have_length_1_and_recent_ones_are_not_computed_again():
    """The same pieces give the same object, and every vector is a unit vector."""
    embedding = Embedding()

    vector = embedding.vector("An apple a day")

    assert abs(float(vector @ vector) - 1) < 1e-5
    assert embedding.vector("an APPLE a day") is vector
    assert embedding.vector("another day") is not vector
