"""
What a framework package provides to the demo: a vector store of the framework, and its reranker.

A package registers its `PipelineFactory` as an entry point of the group `openrouter_rerank.demo`.
The name of the entry point is the name of the framework.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypedDict

from pydantic import SecretStr

from openrouter_rerank.budget import Budget
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.http_client import HTTPClient
from openrouter_rerank.ranking import Ranking

Embed: TypeAlias = Callable[[str], list[float]]
"""Returns the vector of a passage or a question. The vectors of the passages are precomputed."""


class RerankerSettings(TypedDict, total=False):
    """
    The options for the reranker of a framework.
    """

    api_key: SecretStr
    base_url: str
    http_client: HTTPClient
    timeout: float
    budget: Budget
    on_response: Callable[[Ranking], object]


@dataclass(frozen=True, slots=True)
class Hit:
    """
    A search result: the id of a passage, and its score.
    """

    id: str
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    The same passages in both orders, each best first.
    """

    retrieved: tuple[Hit, ...]
    reranked: tuple[Hit, ...]


class Pipeline(Protocol):
    """
    A vector store with all passages, and a reranker for its search results.
    """

    def __call__(self, question: str, *, k: int, settings: RerankerSettings) -> Outcome:
        """Fetch `k` passages for `question`, and rerank all of them."""
        ...


class PipelineFactory(Protocol):
    """
    Makes the pipeline of a framework. The entry point of its package refers to it.
    """

    def __call__(self, passages: Sequence[Passage], embed: Embed) -> Pipeline:
        """Add `passages` to a vector store of the framework, and return the pipeline."""
        ...
