"""
One slug, several providers: how to ask for one of them, and what to do with several names.

OpenRouter spreads the requests for a slug over its providers. Their responses may name the model
differently, and scores under two names may differ.
"""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from openrouter_rerank.ranking import Ranking

from .plan import Call

_CHOICES = ("order", "only", "sort")
"""Preferences with which a user chooses among the providers."""
_SORTING_VARIANTS = frozenset({"exacto", "floor", "nitro"})
"""Variants of slugs, such as `:nitro`, that have the effect of a `sort`."""
_PREFERENCES = TypeAdapter(dict[str, object])


def with_one_route(call: Call, model: str) -> Call:
    """
    Return `call` with a provider preference that sends all its requests to the same provider.

    A `sort` ends OpenRouter's load balancing. The preference is the lowest price, because the load
    balancer prefers cheap providers too. A user's own choice of providers is not changed.
    """
    preferences = _preferences(call)
    if call.provider is not None or preferences is None:
        return call
    if model.partition(":")[2] in _SORTING_VARIANTS:
        return call
    if any(preferences.get(name) is not None for name in _CHOICES):
        return call
    return replace(call, provider={**preferences, "sort": "price"})


def with_provider_of(call: Call, ranking: Ranking) -> Call:
    """Return `call` for the provider that has served `ranking`, if the response named it."""
    name = served_name(ranking)
    provider = next(each.provider for each in ranking.requests if each.served_model == name)
    preferences = _preferences(call)
    if provider is None or preferences is None:
        return call
    return replace(call, provider={**preferences, "only": [provider]})


def served_name(ranking: Ranking) -> str | None:
    """Return the first name that the responses have given the model; `None` if they have none."""
    names = (request.served_model for request in ranking.requests)
    return next((name for name in names if name is not None), None)


def name_of_most_documents(rankings: Sequence[Ranking], parts: Sequence[range]) -> str | None:
    """Return the served name of the rankings of most documents; of several, the first."""
    counts: dict[str, int] = {}
    for ranking, positions in zip(rankings, parts, strict=True):
        if (name := served_name(ranking)) is not None:
            counts[name] = counts.get(name, 0) + len(positions)
    return max(counts, key=lambda name: counts[name], default=None)


def several_names(rankings: Sequence[Ranking]) -> frozenset[str | None]:
    """Return the names of `rankings` if they have several. A response without a name has any."""
    names = frozenset(map(served_name, rankings)) - {None}
    return names if len(names) > 1 else frozenset()


def _preferences(call: Call) -> dict[str, object] | None:
    """Return the user's provider preferences; `None` if they are not an object."""
    given = call.extra.get("provider")
    if given is None:
        return {}
    try:
        return _PREFERENCES.validate_python(given)
    except ValidationError:
        return None
