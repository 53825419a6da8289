"""
What traces tell of a ranking, by the names of OpenTelemetry's conventions. Pure.

What a call has cost has no name in them yet and stands under `openrouter.`.
"""

from .ranking import Ranking


def span_attributes(ranking: Ranking) -> dict[str, str | int | float]:
    """Return the attributes of a span for `ranking`; what the service did not tell is left out."""
    usage = ranking.usage
    found = {
        "gen_ai.response.id": ranking.id,
        "gen_ai.response.model": ranking.served_model,
        "gen_ai.usage.input_tokens": usage.total_tokens,
        "openrouter.model": ranking.model,
        "openrouter.provider": ranking.provider,
        "openrouter.rerank.attempts": ranking.attempts,
        "openrouter.usage.cost": usage.cost,
        "openrouter.usage.search_units": usage.search_units,
    }
    return {name: value for name, value in found.items() if value is not None}
