"""
Writes the table of docs/guides/cost.md from the prices of the built-in models.

`make generate` runs it, and a test compares the page with what it writes.
"""

import re
from pathlib import Path

from openrouter_rerank.models import MODELS, SEARCH_UNIT

PAGE = Path(__file__).parents[1] / "docs/guides/cost.md"
CANDIDATES = (10, 25, 100, 200)
QUESTIONS = 1_000
PASSAGE_TOKENS = 200
QUESTION_TOKENS = 20

_MARKED = re.compile(r"(?<=<!-- generated: prices -->\n).*?(?=<!-- end -->)", re.DOTALL)
_PRICE = re.compile(r"\$(?P<dollars>[\d.]+).* per (?P<unit>million tokens|search unit)$")


def page() -> str:
    """Return the text of docs/guides/cost.md with the table of today's prices."""
    return _MARKED.sub(lambda _: f"\n{table()}\n\n", PAGE.read_text("utf-8"))


def table() -> str:
    """Return one row for each price, the cheapest for 25 candidates first."""
    models: dict[tuple[float, str], list[str]] = {}
    for model in MODELS.values():
        if (price := _PRICE.match(model.price or "")) is not None:
            key = float(price["dollars"]), price["unit"]
            models.setdefault(key, []).append(f"`{model.slug}`")
    rows = [["model", *(f"{count}" for count in CANDIDATES)], ["---", *["---:"] * len(CANDIDATES)]]
    for dollars, unit in sorted(models, key=lambda price: cost(price[0], price[1], CANDIDATES[1])):
        prices = [f"${cost(dollars, unit, count):,.2f}" for count in CANDIDATES]
        rows.append(["<br>".join(models[dollars, unit]), *prices])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cost(dollars: float, unit: str, candidates: int) -> float:
    """
    Return the price of all questions in US dollars.

    Args:
        dollars: The price of one unit.
        unit: What is paid for: "million tokens" or "search unit".
        candidates: The number of passages for each question.
    """
    if unit == "search unit":
        return QUESTIONS * -(-candidates // SEARCH_UNIT) * dollars
    return QUESTIONS * candidates * (PASSAGE_TOKENS + QUESTION_TOKENS) * dollars / 1e6
