"""Retrievers that are named `MODULE:FUNCTION`."""

import sys

import pytest
from openrouter_rerank.evaluation.collection.collection import Collection, CollectionError
from openrouter_rerank.evaluation.collection.named_retriever import named_retriever
from openrouter_rerank.evaluation.collection.retriever import with_candidates

COLLECTION = Collection(
    name="small", questions={"q1": "one?"}, documents={"d1": "one", "d2": "two"}
)


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A function that writes modules to the working directory, given their texts by name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    before = set(sys.modules)

    def modules(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text)

    yield modules
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_retriever_is_imported_from_the_working_directory(modules):
    """`MODULE:FUNCTION` is found in the working directory, and may import more from there later."""
    modules(
        my_search="def retrieve(question):\n    import my_index\n    return my_index.FOUND\n"
        "class Searcher:\n    def find(self, question):\n        return [('d1', 'one')]\n"
        "searcher = Searcher()\n",
        my_index="FOUND = [('d2', 'two')]\n",
    )

    found = with_candidates(COLLECTION, named_retriever("my_search:retrieve"), 10)

    assert found.candidates == {"q1": ("d2",)}
    assert found.first_stage == "the retriever my_search:retrieve"
    assert named_retriever("my_search:searcher.find")("one?") == [("d1", "one")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *(
            (
                name,
                f"a retriever is named MODULE:FUNCTION, such as search:retrieve, got {name!r}",
            )
            for name in ("my_search", "my_search.retrieve", ":retrieve", "my_search:", "", None)
        ),
        (
            "my_serch:retrieve",
            (
                "the module 'my_serch' of the retriever is not there: use the name of a module, "
                "without .py, that is installed or in the working directory"
            ),
        ),
        (
            "my_search.py:retrieve",
            (
                "the module 'my_search.py' of the retriever is not there: use the name of a "
                "module, without .py, that is installed or in the working directory"
            ),
        ),
        (
            "my_search:retriev",
            "the module 'my_search' has no function 'retriev': check MODULE:FUNCTION",
        ),
        (
            "my_search:NUMBER",
            "the retriever 'my_search:NUMBER' must be a function, got a value of type int",
        ),
        (
            "my_broken:retrieve",
            (
                "the module 'my_broken' of the retriever cannot be imported: "
                "ZeroDivisionError('division by zero')"
            ),
        ),
        (
            "my_syntax:retrieve",
            (
                "the module 'my_syntax' of the retriever cannot be imported: "
                "SyntaxError('invalid syntax (my_syntax.py, line 1)')"
            ),
        ),
        (
            "my_needs:retrieve",
            (
                "the module 'my_needs' of the retriever cannot be imported: "
                """ModuleNotFoundError("No module named 'not_installed'")"""
            ),
        ),
        (
            "my_exit:retrieve",
            "the module 'my_exit' of the retriever cannot be imported: SystemExit('3')",
        ),
    ],
)
def test_a_retriever_that_cannot_be_imported_is_explained(modules, name, message):
    """Each message says whether the name, the module or the type of the function is wrong."""
    modules(
        my_search="NUMBER = 3\ndef retrieve(question): ...\n",
        my_broken="1 / 0\n",
        my_syntax="def\n",
        my_needs="import not_installed\n",
        my_exit="raise SystemExit(3)\n",
    )

    with pytest.raises(CollectionError) as raised:
        named_retriever(name)

    assert str(raised.value) == message


@pytest.mark.parametrize(
    "name", ["../x:y", ".x:y", "a\0b:y", "a..b:y", "é\n:y", "x" * 10_000 + ":y"]
)
def test_any_module_name_gives_our_error(modules, name):
    """Names that no module can have are refused in one line."""
    with pytest.raises(CollectionError) as raised:
        named_retriever(name)

    assert str(raised.value).isprintable()


def test_a_deleted_working_directory_gives_our_error(tmp_path, monkeypatch):
    """If the working directory is gone, a module of it is not found, and that is all."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(CollectionError, match="the module 'my_search' of the retriever is not"):
        named_retriever("my_search:retrieve")
