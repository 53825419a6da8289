"""
Simulate the retry budget: `make retry-curve` rewrites a table and a figure in docs/.

The flow of a call and the budget are the real ones. Only the clock and the service are simulated.
An attempt fails with the probability of its row. Failed attempts cost no money, so only
`max_retries` (2, the default) and the budget limit the retries.
"""

import random
import re
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent

from openrouter_rerank._attempt import Attempt, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._call.retry_budget import TokenBucket
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import OpenRouterRerankError

from scripts.svg import figure, line, text

DOCS = Path(__file__).parents[1] / "docs"
RATES = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
TABLE = re.compile(r"(?<=<!-- retry budget -->\n).*?(?=    <!-- end -->)", re.DOTALL)

Point = tuple[float, float]
"""Attempts per call, and the share of calls that succeed."""

CALL = Call(query="q", documents=("a",))
OK = Response(status=200, headers={}, body=b'{"results":[{"index":0,"relevance_score":1}]}')
DOWN = Response(status=503, headers={}, body=b"")


class Unlimited:
    """No budget: it allows every retry."""

    def spend(self) -> bool:
        """Allow the retry."""
        return True

    def earn(self) -> None:
        """Do nothing."""


# For each kind of user: the calls of one client, the number of clients, and the budget of each.
USERS: dict[str, tuple[int, int, type[Unlimited | TokenBucket]]] = {
    "without a budget": (10_000, 1, Unlimited),
    "one user, 100 calls": (100, 100, TokenBucket),
    "busy client, 5,000 calls": (5000, 2, TokenBucket),
}


def simulated_call(
    rng: random.Random, rate: float, budget: Unlimited | TokenBucket
) -> tuple[int, bool]:
    """Make one call. Return how many attempts it took, and `True` if it succeeded."""
    now = 0.0
    limits = Limits(
        timeout=30.0,
        max_retries=2,
        clock=lambda: now,
        started=now,
        jitter=rng.random,
        retry_budget=budget,
    )

    def exchange(attempt: Attempt) -> Response:
        nonlocal now
        now += attempt.delay + 0.5
        return DOWN if rng.random() < rate else OK

    try:
        return drive(call_flow(CALL, ("m",), limits), exchange).attempts, True
    except OpenRouterRerankError as failure:
        return failure.attempts, False


def simulated(user: str, rate: float) -> Point:
    """Return the attempts per call, and the share of calls that succeed."""
    calls, clients, make_budget = USERS[user]
    rng = random.Random(f"{user} {rate}")
    made = [
        simulated_call(rng, rate, budget)
        for budget in (make_budget() for _ in range(clients))
        for _ in range(calls)
    ]
    attempts = sum(attempts for attempts, _ in made) / len(made)
    return attempts, sum(succeeded for _, succeeded in made) / len(made)


def curves() -> dict[str, list[Point]]:
    """Return the figures of each user at each rate."""
    return {user: [simulated(user, rate) for rate in RATES] for user in USERS}


def row(rate: float, figures: Iterable[Point]) -> str:
    """Return the figures of all users at one rate, as a row of Markdown."""
    cells = (f"{attempts:.2f} / {successful:.1%}" for attempts, successful in figures)
    return f"| {rate:.0%} | {' | '.join(cells)} |"


def table(figures: dict[str, list[Point]]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        f"| failing attempts | {' | '.join(figures)} |",
        f"|{' ---: |' * (1 + len(figures))}",
        *map(row, RATES, zip(*figures.values(), strict=True)),
    ]
    return "\n".join(lines) + "\n"


def figures_of(table: str) -> dict[str, list[Point]]:
    """Return the figures of a table, as they are rounded there."""
    titles, _, *rows = [line.strip("| ").split(" | ") for line in table.strip().splitlines()]
    points = [
        [(float(attempts), float(rankings.strip("%")) / 100) for attempts, _, rankings in cells]
        for cells in ([cell.split() for cell in row[1:]] for row in rows)
    ]
    return dict(zip(titles[1:], map(list, zip(*points, strict=True)), strict=True))


_KINDS = ("green", "orange", "blue")
_LEFT, _RIGHT, _TALL = 44.0, 348.0, 120.0


def _chart(title: str, top: float, highest: float, lines: dict[str, list[float]]) -> list[str]:
    """Return one chart: a line for each user, by the percentage of failing attempts."""
    bottom = top + _TALL

    def at(percent: float, value: float) -> tuple[float, float]:
        return _LEFT + (_RIGHT - _LEFT) * percent / 100, bottom - _TALL * value / highest

    parts = [text(8, top - 12, title, "bold")]
    for share in (0.0, 1 / 3, 2 / 3, 1.0) if highest == 3 else (0.0, 0.25, 0.5, 0.75, 1.0):
        value = highest * share
        parts.append(line([at(0, value), at(100, value)], "grid"))
        parts.append(text(_LEFT - 6, at(0, value)[1] + 4.5, f"{value:g}", "soft", anchor="end"))
    for percent in (0, 25, 50, 75, 100):
        anchor = "end" if percent == 100 else "middle"
        parts.append(text(at(percent, 0)[0], bottom + 17, f"{percent} %", "soft", anchor=anchor))
    for kind, values in zip(_KINDS, lines.values(), strict=True):
        points = zip(RATES, values, strict=True)
        parts.append(line([at(100 * rate, value) for rate, value in points], kind))
    return parts


def drawing(figures: dict[str, list[Point]]) -> str:
    """Return the figure: attempts per call and successful calls by the rate of failing attempts."""
    attempts = {user: [point[0] for point in points] for user, points in figures.items()}
    rankings = {user: [100 * point[1] for point in points] for user, points in figures.items()}
    legend = [
        part
        for number, (kind, user) in enumerate(zip(_KINDS, figures, strict=True))
        for part in (
            line([(8, 16 + 20 * number), (38, 16 + 20 * number)], kind),
            text(46, 20.5 + 20 * number, user),
        )
    ]
    at_half = RATES.index(0.5)
    spoken = ", ".join(
        f"{user}: {attempts[user][at_half]:.2f} and {rankings[user][at_half]:.0f} %"
        for user in figures
    )
    return figure(
        436,
        "Attempts per call, and calls with a ranking, by the percentage of attempts that fail. "
        f"If half of the attempts fail: {spoken}.",
        [
            *legend,
            *_chart("attempts per call", 96, 3, attempts),
            *_chart("calls with a ranking, %", 266, 100, rankings),
            text((_LEFT + _RIGHT) / 2, 425, "failing attempts", anchor="middle"),
        ],
    )


def main() -> None:
    """Write the table and the figure."""
    figures = table(curves())
    page = DOCS / "explain/reliability.md"
    page.write_text(TABLE.sub(indent(figures, "    "), page.read_text("utf-8")), "utf-8")
    (DOCS / "images/retry-budget.svg").write_text(drawing(figures_of(figures)), "utf-8")


if __name__ == "__main__":
    main()
