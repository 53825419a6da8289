"""The table and the figure of the retry budget in docs/explain/reliability.md."""

from pathlib import Path

import pytest

from benchmarks.retry_budget import RATES, TABLE, USERS, drawing, figures_of, row, simulated
from tests.repetitions import repetitions

DOCS = Path(__file__).parents[2] / "docs"
SHOWN = TABLE.search((DOCS / "explain/reliability.md").read_text("utf-8"))[0]
TABLE_LINES = [line.strip() for line in SHOWN.splitlines()]


# A row takes five seconds.
@pytest.mark.parametrize("rate", repetitions(local=[1], ci=[0.2, 1]))
def test_a_row_of_the_table_is_what_the_code_does(rate):
    """A row of the table has the results of the simulation; `make retry-curve` updates it."""
    assert row(rate, [simulated(user, rate) for user in USERS]) in TABLE_LINES


def test_the_table_and_the_figure_are_complete():
    """The table has a row for each rate, and the figure shows the figures of the table."""
    figure = (DOCS / "images/retry-budget.svg").read_text("utf-8")

    assert [line.split()[1] for line in TABLE_LINES[2:]] == [f"{rate:.0%}" for rate in RATES]
    assert figure == drawing(figures_of(SHOWN))
