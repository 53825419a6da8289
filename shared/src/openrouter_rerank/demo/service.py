"""
Selects who ranks: OpenRouter if there is an API key, otherwise the local scorer in this process.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from openrouter_rerank.budget import Budget
from openrouter_rerank.demo.embedding import Vector
from openrouter_rerank.demo.introduction import BUDGET, has_key
from openrouter_rerank.demo.pipeline import RerankerSettings
from openrouter_rerank.demo.vector_cache import VectorCache
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.local.minilm import VECTORS, EmbeddingModel, HybridScorer
from openrouter_rerank.local.transport import LocalTransport


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The options that select a service, and what to do at the end."""

    settings: RerankerSettings
    save: Callable[[], None]
    """Keeps what a later run can use."""


def select_service(cache: Path) -> Service:
    """
    Return OpenRouter if there is a key, otherwise the local scorer.

    Args:
        cache: The folder for the vectors of the local scorer.
    """
    if has_key():
        return Service(settings={"budget": Budget(BUDGET)}, save=lambda: None)
    vectors = VectorCache(cache, VECTORS)
    scorer = HybridScorer(_CachedVectors(vectors))
    service = LocalOpenRouter(scorers={"local/minilm": scorer})
    return Service(
        settings={
            "api_key": SecretStr("local"),
            # Nothing is sent to this address, because the transport answers.
            "base_url": "http://localhost/api/v1",
            # A busy machine may need a minute for the vectors of a question.
            "timeout": 600,
            "http_client": httpx.Client(transport=LocalTransport(service)),
        },
        save=vectors.save,
    )


class _CachedVectors:
    """
    Computes the vectors that are not in the cache.

    Several questions are ranked at the same time, so each vector is computed on one thread.
    """

    def __init__(self, cache: VectorCache) -> None:
        self._cache = cache
        self._model = EmbeddingModel(threads=1)

    def vector(self, text: str) -> Vector:
        """Return the vector of `text`."""
        if text not in self._cache:
            self._cache.add(text, self._model.vector(text))
        return self._cache[text]
