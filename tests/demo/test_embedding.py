import numpy as np
import pytest
from openrouter_rerank.demo.embedding import StaticEmbedding

TEXTS = [
    "Delete a whole directory tree.",
    "The sine of an angle.",
    "  \n",
    "Remove a folder and all files in it.",
]


@pytest.fixture(scope="module")
def embedding() -> StaticEmbedding:
    """Return one embedding for all tests, because loading the model takes time."""
    return StaticEmbedding()


def test_vectors_have_length_1_and_those_of_blank_texts_0(embedding):
    """Every text has a vector of length 1, except a blank text, whose vector is zero."""
    lengths = np.linalg.norm(embedding.vectors(TEXTS), axis=1)

    assert lengths == pytest.approx([1, 1, 0, 1], abs=1e-5)


def test_texts_with_a_similar_meaning_have_similar_vectors(embedding):
    """Texts on one subject are nearer than texts on two subjects, even without a common word."""
    tree, sine, _, folder = embedding.vectors(TEXTS)

    assert tree @ folder > tree @ sine


def test_the_vector_of_a_text_does_not_depend_on_other_texts(embedding):
    """A text has the same vector alone, among other texts, and after other texts."""
    alone = StaticEmbedding().vectors([TEXTS[3]])[0]

    assert alone == pytest.approx(embedding.vectors(TEXTS)[3], abs=1e-5)
