"""The generated pages, and the descriptions of keywords, are current."""

import pytest
from openrouter_rerank import RequestOptions

from scripts.generate import GENERATED
from scripts.option_pages import PAGES as OPTION_PAGES
from scripts.pages import ROOT, with_generated

FEWEST_WORDS = 5
# It needs the extras of all commands. Old versions of click wrap it in another way.
HELP = "docs/reference/command-line.md"


@pytest.mark.parametrize("path", GENERATED)
def test_a_generated_file_is_current(path):
    """A file has what its generator writes today; `make generate` updates it."""
    if path == HELP:
        pytest.importorskip("mcp", reason="the extra mcp is not installed")
    assert (ROOT / path).read_text("utf-8") == GENERATED[path]()


@pytest.mark.parametrize("page", OPTION_PAGES)
def test_an_option_has_a_description(page):
    """Each option on a page has a description of at least five words."""
    sections = OPTION_PAGES[page]().split("\n### ")[1:]
    descriptions = {section.split("`")[1]: section.split("\n\n")[1] for section in sections}

    assert [name for name, text in descriptions.items() if len(text.split()) < FEWEST_WORDS] == []


def test_the_python_page_has_each_option_of_a_call():
    """The page for plain Python lists every keyword of `rerank`."""
    page = OPTION_PAGES["docs/reference/options-python.md"]()
    calls = page.partition("## Options of a call")[2]

    assert [name for name in RequestOptions.__annotations__ if f"### `{name}`" not in calls] == []


def test_a_page_without_a_place_for_its_part_is_an_error():
    """If the comments around a generated part are deleted, the generator does not ignore it."""
    with pytest.raises(ValueError, match=r"README\.md has no place for the part"):
        with_generated("README.md", "prices", "| model |")
