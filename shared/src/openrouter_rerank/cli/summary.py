"""What a line says of rankings: which model and provider ranked, and the cost."""

from openrouter_rerank.budget import shown_dollars
from openrouter_rerank.ranking import Ranking


def ranked_by(ranking: Ranking) -> str:
    """Return the model and the provider that the response names."""
    return f"{ranking.served_model or ranking.model}, {ranking.provider or 'provider unknown'}"


def shown_cost(cost: float | None) -> str:
    """Return a cost in US dollars as text; `None` is a cost that the service did not report."""
    return "cost unknown" if cost is None else f"cost {shown_dollars(cost)}"
