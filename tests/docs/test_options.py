"""The option tables and the keywords have the descriptions of the option fields."""

import pytest

from scripts.generate_options import (
    KEYWORDS,
    ROOT,
    TABLES,
    module_with_descriptions,
    page_with_table,
)


@pytest.mark.parametrize("page", TABLES)
def test_a_table_has_every_option_with_its_default(page):
    """A README lists every option of its class with its default; `make options` updates it."""
    assert (ROOT / page).read_text("utf-8") == page_with_table(page)


@pytest.mark.parametrize("module", KEYWORDS)
def test_a_keyword_has_the_description_of_its_option(module):
    """A keyword has the description of its option for editors; `make options` updates it."""
    assert (ROOT / module).read_text("utf-8") == module_with_descriptions(module)
