import sys

import numpy as np
import pytest
from openrouter_rerank.demo.embedding import SIZE
from openrouter_rerank.demo.vector_cache import VectorCache, user_cache_folder


def unit(position):
    """Return a vector of length 1."""
    vector = np.zeros(SIZE, dtype=np.float32)
    vector[position] = 1
    return vector


def save(folder, vectors, version="1"):
    """Store vectors by text, and return the file."""
    cache = VectorCache(folder, version)
    for text, vector in vectors.items():
        cache.add(text, vector)
    cache.save()
    return {*folder.glob("*")} if folder.is_dir() else {*()}


def test_a_later_run_finds_the_vectors(tmp_path):
    """The vectors that a run has saved are in the cache of the next one, by their texts."""
    save(tmp_path / "new", {"a": unit(1), " ": unit(1) * 0})
    save(tmp_path / "new", {"b": unit(2)})

    cache = VectorCache(tmp_path / "new", "1")

    assert cache["a"].tolist() == unit(1).tolist()
    assert cache["b"].tolist() == unit(2).tolist()
    assert not cache[" "].any()
    assert "c" not in cache


def test_versions_have_separate_files(tmp_path):
    """Vectors of another model or another kind are not found."""
    save(tmp_path, {"a": unit(1)})

    assert "a" not in VectorCache(tmp_path, "2")


def test_nothing_is_written_if_nothing_is_new(tmp_path):
    """A run that computes nothing leaves the file as it is."""
    (file,) = save(tmp_path, {"a": unit(1)})
    before = file.stat()

    VectorCache(tmp_path, "1").save()

    assert file.stat() == before


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"no array", id="another format"),
        pytest.param(lambda content: content[:-9], id="shortened"),
        pytest.param(lambda content: content[:200] + b"\xff" * 9 + content[209:], id="other bytes"),
        pytest.param(lambda content: content.replace(b"(2,)", b"(9,)"), id="wrong shape"),
        pytest.param(lambda content: content.replace(b"'<f4'", b"'<i4'"), id="wrong type"),
    ],
)
def test_a_damaged_file_is_replaced(tmp_path, damaged):
    """A damaged file has no vectors, and the next run replaces it."""
    (file,) = save(tmp_path, {"a": unit(1), "b": unit(2)})
    content = file.read_bytes()
    assert damaged(content) != content
    file.write_bytes(damaged(content))

    assert "a" not in VectorCache(tmp_path, "1")
    assert save(tmp_path, {"a": unit(3)}) == {file}
    assert VectorCache(tmp_path, "1")["a"].tolist() == unit(3).tolist()


def test_without_a_writable_folder_nothing_is_stored(tmp_path):
    """If the folder cannot be created, saving does nothing, and the vectors stay in memory."""
    (tmp_path / "file").write_text("not a folder")
    cache = VectorCache(tmp_path / "file", "1")
    cache.add("a", unit(1))

    cache.save()

    assert "a" in cache
    assert "a" not in VectorCache(tmp_path / "file", "1")


def test_no_part_of_a_file_is_left_behind(tmp_path):
    """If the file cannot be replaced, the file that was written instead is deleted."""
    (file,) = save(tmp_path, {"a": unit(1)})
    file.unlink()
    file.mkdir()

    assert save(tmp_path, {"a": unit(1)}) == {file}


def test_a_text_with_a_lone_surrogate_has_a_vector(tmp_path):
    """A text with bytes that are no UTF-8, as the command line can have it, is stored as others."""
    save(tmp_path, {"caf\udce9": unit(1)})

    assert VectorCache(tmp_path, "1")["caf\udce9"].tolist() == unit(1).tolist()


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
