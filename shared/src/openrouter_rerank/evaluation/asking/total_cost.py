"""Adds costs, some of which may be unknown."""

from collections.abc import Iterable
from math import fsum


def total_cost(costs: Iterable[float | None]) -> float | None:
    """Return the sum of the costs in US dollars, or `None` if one of them is unknown."""
    known: list[float] = []
    for cost in costs:
        if cost is None:
            return None
        known.append(cost)
    # The sum must not depend on the order.
    return fsum(known)
