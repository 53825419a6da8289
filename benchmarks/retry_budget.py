"""
Simulate the retry budget: `python benchmarks/retry_budget.py` rewrites a table and a plot in docs/.

The flow of a call and the budget are the real ones. Only the clock and the service are simulated.
An attempt fails with the probability of its row. Failed attempts cost no money, so only
`max_retries` (2, the default) and the budget limit the retries.
"""

import random
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from openrouter_rerank._attempt import Attempt, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._call.retry_budget import TokenBucket
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import OpenRouterRerankError

DOCS = Path(__file__).parents[1] / "docs"
RATES = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
TABLE = re.compile(r"(?<=<!-- retry budget -->\n).*?(?=<!-- end -->)", re.DOTALL)

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


def draw(figures: dict[str, list[Point]], file: Path) -> None:
    """Plot attempts per call and successful calls by the rate of failing attempts."""
    # Imported by name, because the type checkers' environment does not have matplotlib.
    mpl, plt = import_module("matplotlib"), import_module("matplotlib.pyplot")
    # The labels stay text, and equal figures produce equal files.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "retry budget"})
    figure, (attempts, successful) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    percent = [100 * rate for rate in RATES]
    for (user, points), style in zip(figures.items(), [":", "--", "-"], strict=True):
        attempts.plot(percent, [point[0] for point in points], style, label=user)
        successful.plot(percent, [100 * point[1] for point in points], style, label=user)
    attempts.set(ylabel="attempts per call", ylim=(0, 3.1))
    successful.set(ylabel="successful calls, %", ylim=(0, 104))
    for axes in (attempts, successful):
        axes.set(xlabel="failing attempts, %", xlim=(0, 100))
        axes.grid(alpha=0.3)
    attempts.legend(loc="upper left")
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    """Write the table and the plot."""
    figures = curves()
    page = DOCS / "explain/reliability.md"
    page.write_text(TABLE.sub(table(figures), page.read_text("utf-8")), "utf-8")
    draw(figures, DOCS / "images/retry-budget.svg")


if __name__ == "__main__":
    main()
