"""
What a rerank call returns. A `Ranking` that exists is valid: nothing checks it again.

The bounds of the fields hold where an answer is read, which is the only place that checks them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import Field

__all__ = ["AnsweredRequest", "RankedDocument", "Ranking", "Usage"]

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, slots=True)
class RankedDocument:
    """One document of the request and how relevant it is to the query."""

    index: Annotated[int, Field(ge=0)]
    """The position of the document in the list that was passed in."""
    relevance_score: Annotated[float, Field(allow_inf_nan=False)]
    """Finite; most models use 0 to 1. Scores of two models cannot be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a call has used; a field that the service did not report is `None`."""

    cost: float | None = None
    """US dollars."""
    search_units: int | None = None
    """Cohere's unit up to v4: a query with up to 100 documents."""
    total_tokens: int | None = None

    @classmethod
    def total(cls, parts: Iterable["Usage"]) -> "Usage":
        """Add up what was reported."""
        known = list(parts)
        return cls(
            cost=_sum(part.cost for part in known),
            search_units=_sum(part.search_units for part in known),
            total_tokens=_sum(part.total_tokens for part in known),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredRequest:
    """One HTTP request whose answer is part of a ranking, as the service described it."""

    id: str | None
    """What OpenRouter calls the generation; quote it to their support."""
    served_model: str | None
    """The provider's own name of the model, such as `rerank-v4.0-fast`."""
    provider: str | None
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The documents of a call, the most relevant first; equal scores keep the input's order."""

    results: tuple[RankedDocument, ...]
    model: str
    """The slug that was asked for and answered: `model`, or one of `fallback_models`."""
    requests: tuple[AnsweredRequest, ...]
    """The answered requests; empty when nothing had to be sent."""
    attempts: int = 0
    """
    How many requests were sent, those that failed included; those of parts that were given up when
    another part of the call failed are not.
    """

    @property
    def id(self) -> str | None:
        """The id of the first answered request."""
        return self.requests[0].id if self.requests else None

    @property
    def served_model(self) -> str | None:
        """The provider's own name of the model."""
        return self.requests[0].served_model if self.requests else None

    @property
    def provider(self) -> str | None:
        """The provider that answered."""
        return self.requests[0].provider if self.requests else None

    @property
    def usage(self) -> Usage:
        """What all answered requests have used together."""
        return Usage.total(request.usage for request in self.requests)


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None
