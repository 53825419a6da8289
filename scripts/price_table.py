"""
Writes the table of docs/guides/cost.md from the prices of the built-in models.
"""

import re

from openrouter_rerank.models import MODELS, SEARCH_UNIT

from .pages import with_generated

_PATH = "docs/guides/cost.md"
CANDIDATES = (10, 25, 100, 200)
QUESTIONS = 1_000
PASSAGE_TOKENS = 200
QUESTION_TOKENS = 20

_PRICE = re.compile(r"\$(?P<dollars>[\d.]+).* per (?P<unit>million tokens|search unit)$")


def page_with_table() -> str:
    """Return the text of the page with the table of today's prices."""
    return with_generated(_PATH, "prices", _table())


def _table() -> str:
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


PAGES = {_PATH: page_with_table}
