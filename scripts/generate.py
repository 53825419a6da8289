"""
Writes all generated files: `python -m scripts.generate`, or `make generate`.

A test compares each of them with what is written here.
"""

from collections.abc import Callable, Mapping
from functools import partial

from . import (
    attempt_figures,
    command_page,
    error_table,
    keyword_descriptions,
    model_page,
    option_pages,
    price_table,
)
from .pages import ROOT

GENERATED: Mapping[str, Callable[[], str]] = {
    **{
        module: partial(keyword_descriptions.module_with_descriptions, module)
        for module in keyword_descriptions.KEYWORDS
    },
    **option_pages.PAGES,
    **command_page.PAGES,
    **error_table.PAGES,
    **attempt_figures.PAGES,
    **model_page.PAGES,
    **price_table.PAGES,
}
"""What writes the text of each file, by its path from the root of the repository."""


def main() -> None:
    """Write the files whose text has changed."""
    for path, text in GENERATED.items():
        file, new = ROOT / path, text()
        if not file.is_file() or file.read_text("utf-8") != new:
            file.write_text(new, "utf-8")


if __name__ == "__main__":
    main()
