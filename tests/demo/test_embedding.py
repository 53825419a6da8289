import sys

import numpy as np
import pytest
from openrouter_rerank.demo.embedding import StaticEmbedding
from openrouter_rerank.demo.vector_cache import cached_vectors, user_cache_folder

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


def test_only_new_tokens_are_computed(embedding):
    """The vector of a token is computed once."""
    embedding.vectors(TEXTS)
    batches = []

    embedding.vectors(TEXTS[::-1], lambda new: batches.extend(new) or new)

    assert batches == []


def vectors_of(*rows):
    """Return a function that returns these vectors and counts its calls."""

    def compute():
        compute.calls += 1
        return np.array(rows, dtype=np.float32)

    compute.calls = 0
    return compute


def test_vectors_are_computed_once(tmp_path):
    """The second run reads the vectors from disk."""
    compute = vectors_of([1, 2], [3, 4])

    first, second = (cached_vectors(["a", "b"], tmp_path / "new", compute) for _ in range(2))

    assert compute.calls == 1
    assert first.tolist() == second.tolist() == [[1, 2], [3, 4]]


def test_other_texts_have_other_vectors(tmp_path):
    """If a text changes, or the way texts are split, the vectors are computed again."""
    compute = vectors_of([1], [2])

    for texts in (["a", "b"], ["a", "c"], ["ab", ""]):
        cached_vectors(texts, tmp_path, compute)

    assert compute.calls == 3


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01"])
def test_a_damaged_cache_is_replaced(tmp_path, content):
    """If a killed run has left a damaged file, the vectors are computed again, once."""
    cached_vectors(["a"], tmp_path, vectors_of([1]))
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    second, third = vectors_of([7]), vectors_of([8])

    assert cached_vectors(["a"], tmp_path, second).tolist() == [[7]]
    assert cached_vectors(["a"], tmp_path, third).tolist() == [[7]]


def test_a_cache_of_the_wrong_shape_is_replaced(tmp_path):
    """Vectors that do not fit the number of texts are not used."""
    cached_vectors(["a"], tmp_path, vectors_of([1]))
    (file,) = tmp_path.iterdir()
    np.save(file, np.zeros((3, 1), dtype=np.float32))

    assert cached_vectors(["a"], tmp_path, vectors_of([1])).tolist() == [[1]]


def test_without_a_writable_folder_vectors_are_computed_each_time(tmp_path):
    """If the folder cannot be created, every run computes the vectors."""
    (tmp_path / "file").write_text("not a folder")
    compute = vectors_of([1])

    for _ in range(2):
        assert cached_vectors(["a"], tmp_path / "file", compute).tolist() == [[1]]

    assert compute.calls == 2


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {}, "home/.cache"),
        ("linux", {"XDG_CACHE_HOME": "cache"}, "cache"),
        ("darwin", {"XDG_CACHE_HOME": "cache"}, "home/Library/Caches"),
        ("win32", {}, "home/AppData/Local"),
        ("win32", {"LOCALAPPDATA": "cache"}, "cache"),
    ],
)
def test_the_cache_folder_is_that_of_the_operating_system(
    tmp_path, monkeypatch, platform, environment, folder
):
    """The vectors are stored where the operating system and its environment want caches."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    homes = {"HOME": "home", "USERPROFILE": "home"}
    for name, value in (homes | environment).items():
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.setattr(sys, "platform", platform)

    assert user_cache_folder() == tmp_path / folder / "openrouter-rerank"
