"""The lists of the examples have each of them, and how to install what it needs."""

import ast
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

EXAMPLES = Path(__file__).parents[2] / "examples"
ROWS = re.findall(
    r"^\| \[(.+)\]\((.+)\) \| .+ \| `pip install (.+)` \|$",
    (EXAMPLES / "README.md").read_text("utf-8"),
    re.MULTILINE,
)
PROGRAMS = sorted(EXAMPLES.glob("*.py"))


def test_the_table_has_all_examples():
    """Each example has one row, whose link leads to it."""
    assert sorted(name for name, _, _ in ROWS) == sorted(
        path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".ipynb"}
    )
    assert all(name == link for name, link, _ in ROWS)


def test_the_page_of_the_site_shows_all_programs():
    """The page of the site includes each program once."""
    page = EXAMPLES.parent / "docs/start/examples.md"
    shown = re.findall(r'--8<-- "examples/(.+)"', page.read_text("utf-8"))

    assert sorted(shown) == [program.name for program in PROGRAMS]


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_an_example_says_how_to_install_and_to_run_it(program):
    """The docstring has the install line, a command, and what to do with and without a key."""
    text = program.read_text("utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    install = next(install for name, _, install in ROWS if name == program.name)

    assert f"\n    pip install {install}\n" in docstring
    assert f"\n    python {program.name}" in docstring
    assert "Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve`" in docstring
    assert 30 <= text.count("\n") <= 90


def test_the_install_lines_name_packages_and_extras_that_exist():
    """Each requirement is a package of the test environment, with the extras that it names."""
    requirements = {
        Requirement(word.strip("'")) for _, _, install in ROWS for word in install.split()
    }

    for requirement in requirements:
        installed = distribution(requirement.name)
        assert requirement.extras <= set(installed.metadata.get_all("Provides-Extra") or ())
    assert len(requirements) > 5
