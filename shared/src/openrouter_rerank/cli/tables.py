"""
Tables on a terminal. No number is ever cut.

If a terminal is too narrow for all columns, columns are left out in a given order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from .escapes import one_line
from .output import console

_GAP = 2
# Characters. A column of text is not made narrower than this for the last column.
_NARROWEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table, and how it changes on a narrow terminal."""

    heading: str
    is_number: bool = False
    left_out: int | None = None
    """Its place in the order in which columns are left out. `None`: it never is."""
    longest: int | None = None
    """Characters of a cell, of which the last ones are shown. `None`: all are."""


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, least: int, wraps: bool
) -> None:
    """
    Print a table. The last column has the width that the others leave.

    Args:
        columns: The columns, of which the last one is text.
        rows: The cells.
        least: The width of the last column below which other columns are left out.
        wraps: Continue a long cell of the last column on the next line, instead of cutting it.
    """
    screen = console()
    cells = [
        [_end(one_line(cell), column.longest) for cell, column in zip(row, columns, strict=True)]
        for row in rows
    ]
    widths = [
        max(cell_len(cell) for cell in (column.heading, *(row[at] for row in cells)))
        for at, column in enumerate(columns)
    ]
    shown = _that_fit(columns, widths, screen.width - least)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1))
    for at, width in zip(shown, _widths(columns, widths, shown, screen.width, least), strict=True):
        is_last = at == shown[-1]
        table.add_column(
            columns[at].heading,
            justify="right" if columns[at].is_number else "left",
            width=width,
            no_wrap=is_last and not wraps,
            overflow="ellipsis" if is_last and not wraps else "fold",
        )
    for row in cells:
        table.add_row(*(Text(row[at]) for at in shown))
    screen.print(table)


def _that_fit(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """Return the positions of the columns to show."""
    shown = list(range(len(columns)))
    order = sorted(
        (column.left_out, at) for at, column in enumerate(columns) if column.left_out is not None
    )
    for _, at in order:
        if sum(widths[each] + _GAP for each in shown[:-1]) <= room:
            break
        shown.remove(at)
    return shown


def _widths(
    columns: Sequence[Column], widths: Sequence[int], shown: Sequence[int], room: int, least: int
) -> list[int]:
    """
    Return the widths of the shown columns: a column of text may be made narrower, a number never.
    """
    found = [widths[at] for at in shown[:-1]]
    left = room - sum(width + _GAP for width in found)
    for place, at in enumerate(shown[:-1]):
        if left < least and not columns[at].is_number:
            given = min(least - left, max(0, found[place] - _NARROWEST))
            found[place] -= given
            left += given
    return [*found, max(1, min(left, widths[shown[-1]]))]


def _end(text: str, longest: int | None) -> str:
    if longest is None or cell_len(text) <= longest:
        return text
    while cell_len(text) >= longest:
        text = text[1:]
    return f"…{text}"
