"""
What a framework package offers to the demo: its own vector store, with its reranker behind it.

A package announces it as an entry point of the group `openrouter_rerank.demo`, under the name of
the framework.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypedDict

from pydantic import SecretStr

from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.http_client import HTTPClient
from openrouter_rerank.ranking import Ranking

GROUP = "openrouter_rerank.demo"

Embed: TypeAlias = Callable[[str], list[float]]
"""Turns a text, a passage or a question, into a vector; passages are known already, and cheap."""


class RerankerSettings(TypedDict, total=False):
    """
    The options that the reranker of a framework is made with.
    """

    model: str
    api_key: SecretStr
    base_url: str
    http_client: HTTPClient
    on_response: Callable[[Ranking], object]


@dataclass(frozen=True, slots=True)
class Hit:
    """
    A passage in a list, with the score that put it there.
    """

    id: str
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    The same passages twice, best first.
    """

    retrieved: tuple[Hit, ...]
    reranked: tuple[Hit, ...]


class Pipeline(Protocol):
    """
    A filled vector store, and a reranker for what it finds.
    """

    def __call__(self, question: str, *, k: int, settings: RerankerSettings) -> Outcome:
        """Fetch `k` passages for `question` and rerank them all."""
        ...


class Framework(Protocol):
    """
    What the entry point leads to.
    """

    def __call__(self, passages: Sequence[Passage], embed: Embed) -> Pipeline:
        """Fill the framework's own vector store with `passages`."""
        ...
