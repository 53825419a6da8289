"""
What the retry budget does, simulated: `python benchmarks/retry_budget.py` rewrites docs/.

The real flow of a call and the real budget decide; only the clock and the service are made up. An
attempt fails with the chance of its column, by an error that costs nothing, so that nothing but
`max_retries` (2, the default) and the budget ends the retries.
"""

import random
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from openrouter_rerank._attempt import Attempt, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._drive import drive
from openrouter_rerank._retry_budget import TokenBucket
from openrouter_rerank.errors import OpenRouterRerankError

DOCS = Path(__file__).parents[1] / "docs"
RATES = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
TABLE = re.compile(r"(?<=<!-- retry budget -->\n).*?(?=<!-- end -->)", re.DOTALL)

Point = tuple[float, float]
"""Requests a call, and the share of calls that are answered."""

CALL = Call(query="q", documents=("a",))
OK = Response(status=200, headers={}, body=b'{"results":[{"index":0,"relevance_score":1}]}')
DOWN = Response(status=503, headers={}, body=b"")


class Unlimited:
    """No budget: every retry is let through."""

    def spend(self) -> bool:
        """Let it through."""
        return True

    def earn(self) -> None:
        """Note nothing."""


# Who calls, with how many calls of one client in a row, how often that is repeated, and how.
USERS: dict[str, tuple[int, int, type[Unlimited | TokenBucket]]] = {
    "without a budget": (10_000, 1, Unlimited),
    "one user, 100 calls": (100, 100, TokenBucket),
    "busy client, 5,000 calls": (5000, 2, TokenBucket),
}


def requests_of(
    chance: random.Random, rate: float, budget: Unlimited | TokenBucket
) -> tuple[int, bool]:
    """Make one call; return how many requests it has sent and whether it was answered."""
    now = 0.0
    limits = Limits(
        timeout=30.0,
        max_retries=2,
        clock=lambda: now,
        jitter=chance.random,
        retry_budget=budget,
    )

    def exchange(attempt: Attempt) -> Response:
        nonlocal now
        now += attempt.delay + 0.5
        return DOWN if chance.random() < rate else OK

    try:
        return drive(call_flow(CALL, ("m",), limits), exchange).attempts, True
    except OpenRouterRerankError as failure:
        return failure.attempts, False


def simulated(user: str, rate: float) -> Point:
    """Return the requests a call, and the share of calls that are answered."""
    calls, times, budget_of = USERS[user]
    chance = random.Random(f"{user} {rate}")
    made = [
        requests_of(chance, rate, budget)
        for budget in (budget_of() for _ in range(times))
        for _ in range(calls)
    ]
    return sum(sent for sent, _ in made) / len(made), sum(ok for _, ok in made) / len(made)


def curves() -> dict[str, list[Point]]:
    """Return the figures of each user at each rate."""
    return {user: [simulated(user, rate) for rate in RATES] for user in USERS}


def row(rate: float, figures: Iterable[Point]) -> str:
    """Write the figures of all users at one rate as a row of Markdown."""
    cells = (f"{sent:.2f} / {answered:.1%}" for sent, answered in figures)
    return f"| {rate:.0%} | {' | '.join(cells)} |"


def table(figures: dict[str, list[Point]]) -> str:
    """Write the figures as a Markdown table."""
    lines = [
        f"| failing attempts | {' | '.join(figures)} |",
        f"|{' ---: |' * (1 + len(figures))}",
        *map(row, RATES, zip(*figures.values(), strict=True)),
    ]
    return "\n".join(lines) + "\n"


def draw(figures: dict[str, list[Point]], file: Path) -> None:
    """Draw requests a call and answered calls over the rate of failures."""
    # By name, for the type checkers' environment does not have it.
    mpl, plt = import_module("matplotlib"), import_module("matplotlib.pyplot")
    # Text stays text, and the same figures make the same file.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "retry budget"})
    figure, (sent, answered) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    percent = [100 * rate for rate in RATES]
    for (user, points), style in zip(figures.items(), [":", "--", "-"], strict=True):
        sent.plot(percent, [point[0] for point in points], style, label=user)
        answered.plot(percent, [100 * point[1] for point in points], style, label=user)
    sent.set(ylabel="requests a call", ylim=(0, 3.1))
    answered.set(ylabel="answered calls, %", ylim=(0, 104))
    for axes in (sent, answered):
        axes.set(xlabel="failing attempts, %", xlim=(0, 100))
        axes.grid(alpha=0.3)
    sent.legend(loc="upper left")
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    """Write the table and the picture."""
    figures = curves()
    page = DOCS / "reliability.md"
    page.write_text(TABLE.sub(table(figures), page.read_text("utf-8")), "utf-8")
    draw(figures, DOCS / "retry-budget.svg")


if __name__ == "__main__":
    main()
