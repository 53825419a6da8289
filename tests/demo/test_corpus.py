import subprocess
import sys

import pytest
from openrouter_rerank.demo.corpus import corpus
from openrouter_rerank.demo.paragraphs import LONGEST


def test_there_is_something_to_search(passages):
    """A search has to choose among many passages, but not so many that the demo takes long."""
    assert 800 <= len(passages) <= 2_000


def test_passages_can_be_told_apart(passages):
    """No two passages have the same id or the same text."""
    assert len({passage.id for passage in passages}) == len(passages)
    assert len({passage.text for passage in passages}) == len(passages)


def test_every_passage_says_something_and_not_too_much(passages):
    """A passage has its title, a text under it, and no more words than one may have."""
    bodies = [passage.text.removeprefix(f"{passage.title}\n\n") for passage in passages]

    assert all(passage.title.strip() for passage in passages)
    assert all(0 < len(body.split()) <= LONGEST for body in bodies)
    assert all(body != passage.text for body, passage in zip(bodies, passages, strict=True))


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
def test_it_is_the_documentation_of_this_python(passages, title, words):
    """The language reference and the docstrings are in it, under the names that people know."""
    found = [" ".join(passage.text.split()) for passage in passages if passage.title == title]

    assert any(words in text for text in found)


def test_the_library_is_read_and_not_run():
    """Reading the docstrings of a module does not import it."""
    program = (
        "import sys; from openrouter_rerank.demo.corpus import corpus; corpus();"
        "sys.exit(' '.join(sys.modules.keys() & {'smtplib', 'sqlite3', 'shelve', 'sched'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert done.stderr == b"\n"


def test_it_is_the_same_every_time(passages):
    """Two runs read the same passages in the same order."""
    assert corpus() == passages
