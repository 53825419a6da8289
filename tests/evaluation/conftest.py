"""The collections that the tests of the evaluation share."""

import pytest
from openrouter_rerank.evaluation.collection.collection import Collection, CollectionError

from tests.browser import browser  # noqa: F401 - A fixture
from tests.evaluation.collections import SMALLEST_FILES, write_towns
from tests.real_collections import unpacked


@pytest.fixture(scope="session")
def towns_folder(tmp_path_factory):
    """The folder of the small collection: 40 questions, 120 documents, no candidates."""
    return write_towns(tmp_path_factory.mktemp("beir") / "towns")


@pytest.fixture(scope="session")
def towns(towns_folder):
    """The small collection: 40 questions, 120 documents, no candidates."""
    return Collection.from_beir(towns_folder)


@pytest.fixture(scope="session")
def scifact_mini(tmp_path_factory):
    """60 scientific claims and 952 abstracts, as a folder. Not a part of the project."""
    return unpacked("scifact-mini", tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def xquad(tmp_path_factory):
    """A folder for each of 12 languages: 1,190 questions, 240 paragraphs. Not of the project."""
    return unpacked("xquad", tmp_path_factory.mktemp("data"))


@pytest.fixture
def message(tmp_path, monkeypatch):
    """A function that returns why a file is refused, given its name and its text or bytes."""
    monkeypatch.chdir(tmp_path)

    def read(path):
        if path == "data/candidates.jsonl":
            return Collection.from_jsonl(path)
        return Collection.from_beir("data", run="data/run.txt")

    def message(name, content):
        for good, text in SMALLEST_FILES.items():
            (tmp_path / "data" / good).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / good).write_text(text)
        file = tmp_path / "data" / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(CollectionError) as raised:
            read(f"data/{name}")
        text = str(raised.value)
        assert text.isprintable()
        assert len(text) < 500
        return text.removeprefix("data/")

    return message
