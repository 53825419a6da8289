"""
The files of the repository, and the parts of pages that are generated.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def with_generated(path: str, name: str, text: str) -> str:
    """
    Return the text of a page with `text` between its comments `generated: NAME` and `end`.

    Args:
        path: The page, from the root of the repository.
        name: The name of the generated part.
        text: Its new text.

    Raises:
        ValueError: If the page has no such part.
    """
    begin, end = f"<!-- generated: {name} -->", "<!-- end -->"
    before, found_begin, rest = (ROOT / path).read_text("utf-8").partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"{path} has no place for the part: add {begin} and {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"
