"""What users of the clients may write. Type checkers read this file; it is never executed."""

from typing import assert_type

import httpx
import httpx2
from langchain_classic.storage import LocalFileStore
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import (
    AsyncRerankClient,
    Budget,
    ModelListing,
    ProviderPreferences,
    RankedDocument,
    Ranking,
    RerankClient,
    RerankDocument,
    RerankModel,
    Usage,
    WindowRateLimiter,
)


def synchronous() -> None:
    """A ranking and all its fields have types."""
    with RerankClient(timeout=5, budget=Budget(1), http_client=httpx.Client()) as client:
        ranking = client.rerank("question", ["text", {"text": "text"}, RerankDocument(image="u")])
    assert_type(ranking, Ranking)
    assert_type(ranking.results, tuple[RankedDocument, ...])
    assert_type(ranking.results[0].relevance_score, float)
    assert_type(ranking[0], RankedDocument)
    assert_type(ranking[:2], tuple[RankedDocument, ...])
    for result in ranking:
        assert_type(result, RankedDocument)
    assert_type(ranking.usage, Usage)
    assert_type(ranking.usage.cost, float | None)
    listing = client.models(timeout=1)
    assert_type(listing, ModelListing)
    assert_type(listing[0], RerankModel)
    assert_type(listing[:2], tuple[RerankModel, ...])


async def asynchronous() -> None:
    """The asynchronous client takes the same arguments."""
    preferences: ProviderPreferences = {"sort": "price", "data_collection": "deny"}
    async with AsyncRerankClient(http_client=httpx2.AsyncClient()) as client:
        ranking = await client.rerank(
            "question", ["text"], model="m", top_n=1, provider=preferences, timeout=1
        )
        await client.rerank("question", ["text"], fallback_models=None, user=None, trace={"a": 1})
        await client.rerank(
            "question",
            ["text"],
            max_retries=0,
            app_url="https://a.example",
            app_title="a",
            app_categories=["rag"],
            extra_headers={"X-Tenant": "a"},
        )
    assert_type(ranking, Ranking)


def other_clients() -> None:
    """Clients of httpx2 and of httpx are accepted."""
    RerankClient(http_client=httpx2.Client())
    AsyncRerankClient(http_client=httpx.AsyncClient())


def stores_and_limiters() -> None:
    """LangChain's byte stores and rate limiters are accepted, and so are ours."""
    RerankClient(score_store=InMemoryByteStore(), score_ttl=60)
    AsyncRerankClient(score_store=LocalFileStore("scores"), rate_limiter=WindowRateLimiter(20))
    RerankClient(rate_limiter=InMemoryRateLimiter())


def mistakes() -> None:
    """Type checkers find the arguments that the clients refuse."""
    client = RerankClient()
    RerankClient(score_store={})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.rerank("question", ["text"], base_url="u")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.rerank("question", ["text"], topn=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.rerank("question", [1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    RerankClient(http_client=httpx.AsyncClient())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
