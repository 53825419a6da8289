"""The curve of the retry budget in docs/reliability.md."""

from pathlib import Path

import pytest

from benchmarks.retry_budget import RATES, TABLE, USERS, row, simulated

DOCS = Path(__file__).parents[2] / "docs"
LINES = TABLE.search((DOCS / "reliability.md").read_text("utf-8"))[0].splitlines()


@pytest.mark.parametrize("rate", [0.2, 1])
def test_the_table_says_what_the_code_does(rate):
    """What the page says of the budget is what it does today; if not: `make retry-curve`."""
    assert row(rate, [simulated(user, rate) for user in USERS]) in LINES


def test_the_table_is_whole():
    """The table has a row for each rate, and the picture the name of each user."""
    picture = (DOCS / "retry-budget.svg").read_text("utf-8")

    assert [line.split()[1] for line in LINES[2:]] == [f"{rate:.0%}" for rate in RATES]
    assert [user for user in USERS if user not in picture] == []
