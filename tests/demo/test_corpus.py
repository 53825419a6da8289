import subprocess
import sys

import pytest
from openrouter_rerank.demo.corpus import corpus
from openrouter_rerank.demo.paragraphs import MAX_WORDS


def test_the_corpus_has_many_passages(passages):
    """There are enough passages for a search, but too few to make the demo slow."""
    assert 800 <= len(passages) <= 2_000


def test_passages_are_unique(passages):
    """No two passages have the same id or the same text."""
    assert len({passage.id for passage in passages}) == len(passages)
    assert len({passage.text for passage in passages}) == len(passages)


def test_every_passage_has_a_title_and_a_text_of_limited_length(passages):
    """A passage has its title, a text below it, and at most `MAX_WORDS` words."""
    assert all(passage.title.strip() for passage in passages)
    assert all(0 < len(passage.body.split()) <= MAX_WORDS for passage in passages)
    assert all(passage.text == f"{passage.title}\n\n{passage.body}" for passage in passages)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("shutil.rmtree", "Recursively delete a directory tree"),
        ("Function definitions", "Default parameter values are evaluated"),
        ("pathlib.Path", "glob: Iterate over this subtree"),
        ("decimal.Decimal", "class for decimal arithmetic"),
        ('"finally" clause', "cleanup"),
    ],
)
def test_the_corpus_is_the_documentation_of_this_python(passages, title, words):
    """It has the language reference and the docstrings, under their usual names."""
    found = [" ".join(passage.text.split()) for passage in passages if passage.title == title]

    assert any(words in text for text in found)


def test_the_library_is_read_but_not_imported():
    """Reading the docstrings of a module does not import it."""
    program = (
        "import sys; from openrouter_rerank.demo.corpus import corpus; corpus();"
        "sys.exit(' '.join(sys.modules.keys() & {'smtplib', 'sqlite3', 'shelve', 'sched'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert done.stderr == b"\n"


def test_without_the_language_reference_the_docstrings_are_the_corpus(monkeypatch):
    """If a distribution lacks `pydoc_data`, the corpus has the docstrings of the library only."""
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)

    titles = {passage.title for passage in corpus()}

    assert "shutil.rmtree" in titles
    assert "Function definitions" not in titles


def test_the_corpus_is_always_the_same(passages):
    """Reading the corpus again gives the same passages in the same order."""
    assert corpus() == passages
