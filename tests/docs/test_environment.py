"""The page of environment variables lists what the code reads."""

import re
from pathlib import Path

import pytest
from openrouter_rerank.cli.diagnosis import _IGNORED_CERTIFICATES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/environment.md").read_text("utf-8")
READ, NOT_READ = PAGE.split("## Not read")
SOURCES = [*ROOT.glob("shared/src/**/*.py"), *ROOT.glob("packages/*/src/**/*.py")]
# The code composes these names, or a library reads them.
COMPOSED = {
    "OPENROUTER_APP_URL",
    "OPENROUTER_APP_TITLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "NO_COLOR",
}
PATTERN = re.compile(r'"((?:OPENROUTER|SSL|XDG)_[A-Z_]+|LOCALAPPDATA)"')


def named_in(text):
    """Return the names of variables in a text."""
    return set(re.findall(r"`([A-Z][A-Z_]{4,})`", text))


def test_the_page_lists_each_variable_that_the_code_names():
    """Each name of a variable in the code is on the page, and the page lists no others."""
    named = {name for source in SOURCES for name in PATTERN.findall(source.read_text("utf-8"))}

    assert named_in(READ) == named | COMPOSED


@pytest.mark.parametrize("name", _IGNORED_CERTIFICATES)
def test_the_page_says_which_variables_of_certificates_are_not_read(name):
    """A variable that `openrouter-rerank check` reports as not read is listed as such."""
    assert name in named_in(NOT_READ)


@pytest.mark.parametrize("name", sorted(named_in(NOT_READ) - named_in(READ)))
def test_a_variable_that_is_not_read_is_not_in_the_code(name):
    """No module reads a variable of the last table."""
    reading = re.compile(rf"environ\S*[\"']{name}")

    assert [source for source in SOURCES if reading.search(source.read_text("utf-8"))] == []
