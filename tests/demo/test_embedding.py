import numpy as np
import pytest
from openrouter_rerank.demo.embedding import StaticEmbedding
from openrouter_rerank.demo.vector_cache import cached, user_cache

TEXTS = [
    "Delete a whole directory tree.",
    "The sine of an angle.",
    "  \n",
    "Remove a folder and all files in it.",
]


@pytest.fixture(scope="module")
def embedding() -> StaticEmbedding:
    """One embedding, since loading the model takes a moment."""
    return StaticEmbedding()


def test_vectors_have_length_one_and_blank_texts_none(embedding):
    """Every text gets a vector of length 1, but for a blank one."""
    lengths = np.linalg.norm(embedding.vectors(TEXTS), axis=1)

    assert lengths == pytest.approx([1, 1, 0, 1], abs=1e-5)


def test_texts_that_mean_the_same_are_near(embedding):
    """Two texts on one subject are nearer than two on different ones, without a common word."""
    tree, sine, _, folder = embedding.vectors(TEXTS)

    assert tree @ folder > tree @ sine


def test_a_text_has_one_vector(embedding):
    """A text gets the same vector alone and among others, and whatever was embedded before."""
    alone = StaticEmbedding().vectors([TEXTS[3]])[0]

    assert alone == pytest.approx(embedding.vectors(TEXTS)[3], abs=1e-5)


def test_only_new_pieces_take_time(embedding):
    """What the pieces of a word mean is worked out once."""
    embedding.vectors(TEXTS)
    batches = []

    embedding.vectors(TEXTS[::-1], lambda found: batches.extend(found) or found)

    assert batches == []


def vectors_of(*rows):
    """A function that computes these vectors, and counts how often."""

    def compute():
        compute.calls += 1
        return np.array(rows, dtype=np.float32)

    compute.calls = 0
    return compute


def test_vectors_are_computed_once(tmp_path):
    """The second run takes the vectors from disk."""
    compute = vectors_of([1, 2], [3, 4])

    first, second = (cached(["a", "b"], tmp_path / "new", compute) for _ in range(2))

    assert compute.calls == 1
    assert first.tolist() == second.tolist() == [[1, 2], [3, 4]]


def test_other_texts_have_other_vectors(tmp_path):
    """A change of any text, or of how they are split, is seen."""
    compute = vectors_of([1], [2])

    for texts in (["a", "b"], ["a", "c"], ["ab", ""]):
        cached(texts, tmp_path, compute)

    assert compute.calls == 3


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01"])
def test_a_damaged_cache_is_replaced(tmp_path, content):
    """What a killed run has left behind costs a computation and no more."""
    cached(["a"], tmp_path, vectors_of([1]))
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    again, kept = vectors_of([7]), vectors_of([8])

    assert cached(["a"], tmp_path, again).tolist() == [[7]]
    assert cached(["a"], tmp_path, kept).tolist() == [[7]]


def test_a_cache_of_fewer_texts_is_replaced(tmp_path):
    """Vectors that cannot be those of the texts are not taken."""
    cached(["a"], tmp_path, vectors_of([1]))
    (file,) = tmp_path.iterdir()
    np.save(file, np.zeros((3, 1), dtype=np.float32))

    assert cached(["a"], tmp_path, vectors_of([1])).tolist() == [[1]]


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path):
    """Without a place to keep them, vectors are computed each time."""
    (tmp_path / "file").write_text("in the way")
    compute = vectors_of([1])

    for _ in range(2):
        assert cached(["a"], tmp_path / "file", compute).tolist() == [[1]]

    assert compute.calls == 2


@pytest.mark.skipif("sys.platform in {'win32', 'darwin'}", reason="the variable is that of Linux")
def test_the_cache_is_where_the_user_wants_it(tmp_path, monkeypatch):
    """The folder for caches that the environment names is used."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert user_cache() == tmp_path / "openrouter-rerank"
