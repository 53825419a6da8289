"""
What a rerank call returns.

The bounds of the fields are checked where a response is read (`_wire/response.py`), and nowhere
else: a `Ranking` that exists is valid.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar, cast, overload

from pydantic import Field

__all__ = ["AnsweredRequest", "Passage", "RankedDocument", "Ranking", "Usage"]

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, slots=True)
class RankedDocument:
    """The score of one document: how relevant it is to the query."""

    index: Annotated[int, Field(ge=0)]
    """The position of the document in the list that was passed to `rerank`."""
    relevance_score: Annotated[float, Field(allow_inf_nan=False)]
    """Finite; from 0 to 1 with most models. Scores of different models cannot be compared."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The part of a long document that its score is from."""

    start: int
    """The position of its first character in the text that was passed to `rerank`."""
    end: int
    """The position behind its last character."""
    is_cut: bool = False
    """`True` if the document has more than `max_passages` passages. The others were not ranked."""


_no_passages = cast("Callable[[], Mapping[int, Passage]]", dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The cost of a call. A field is `None` if the service did not report it."""

    cost: float | None = None
    """US dollars."""
    search_units: int | None = None
    """The number of search units: one for up to 100 documents; Cohere bills them up to v4."""
    total_tokens: int | None = None

    @classmethod
    def total(cls, parts: Iterable["Usage"]) -> "Usage":
        """Return the sum of `parts`. A field is `None` if no part reported it."""
        known = list(parts)
        return cls(
            cost=_sum(part.cost for part in known),
            search_units=_sum(part.search_units for part in known),
            total_tokens=_sum(part.total_tokens for part in known),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredRequest:
    """One HTTP request that contributed to a ranking, as the service described it."""

    id: str | None
    """The id of the generation, as OpenRouter calls it. Give it to OpenRouter's support."""
    served_model: str | None
    """The provider's name of the model, such as `rerank-v4.0-fast`."""
    provider: str | None
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Ranking(Sequence[RankedDocument]):
    """
    The documents of a call, best first. Documents with equal scores keep the input's order.

    It is a sequence of its `results`: `ranking[0]` is the best one, and an empty ranking is false.
    Its `repr` is one short line.
    """

    results: tuple[RankedDocument, ...]
    model: str
    """The slug of the model that made the ranking: `model`, or one of `fallback_models`."""
    requests: tuple[AnsweredRequest, ...]
    """The requests that succeeded. Empty if none had to be sent."""
    attempts: int = 0
    """
    The number of attempts, failed ones included. If one request of a call fails, the attempts of
    its other requests that are given up are not counted.
    """
    passages: Mapping[int, Passage] = field(default_factory=_no_passages, hash=False)
    """
    The passages that the scores of long documents are from, by the `index` of the document, if
    `long_documents` is `"split"`. Documents that are not in `results` are in it too.
    """

    @property
    def id(self) -> str | None:
        """The id of the first request."""
        return self.requests[0].id if self.requests else None

    @property
    def served_model(self) -> str | None:
        """
        The provider's name of the model, as the first of `requests` has it.

        If the responses have several names, the requests with the name that was kept come first.
        """
        return self.requests[0].served_model if self.requests else None

    @property
    def provider(self) -> str | None:
        """The provider that served the first request."""
        return self.requests[0].provider if self.requests else None

    @property
    def usage(self) -> Usage:
        """The cost of all requests together."""
        return Usage.total(request.usage for request in self.requests)

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[RankedDocument]:
        return iter(self.results)

    @overload
    def __getitem__(self, index: int) -> RankedDocument: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[RankedDocument, ...]: ...

    def __getitem__(self, index: int | slice) -> RankedDocument | tuple[RankedDocument, ...]:
        return self.results[index]

    def __repr__(self) -> str:
        count = len(self.results)
        parts = [f"{count} result{'' if count == 1 else 's'}", f"model={self.model!r}"]
        if self.results:
            best = self.results[0]
            parts.append(f"best={best.index} (score {best.relevance_score:.4g})")
        if (cost := self.usage.cost) is not None:
            parts.append(f"cost=${cost:g}")
        return f"Ranking({', '.join(parts)})"


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None
