"""The option tables and the descriptions of the keywords say what the fields say."""

import pytest

from docs.generate_options import KEYWORDS, ROOT, TABLES, module_with_descriptions, page_with_table


@pytest.mark.parametrize("page", TABLES)
def test_a_table_has_every_option_with_its_default(page):
    """A README lists the options that its class has, in the words of the fields: `make options`."""
    assert (ROOT / page).read_text("utf-8") == page_with_table(page)


@pytest.mark.parametrize("module", KEYWORDS)
def test_a_keyword_has_the_description_of_its_option(module):
    """An editor shows for a keyword what its option means: `make options`."""
    assert (ROOT / module).read_text("utf-8") == module_with_descriptions(module)
