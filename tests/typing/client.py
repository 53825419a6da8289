"""What type checkers make of the clients; never executed."""

from typing import assert_type

import httpx
import httpx2
from openrouter_rerank import (
    AsyncRerankClient,
    Budget,
    ProviderPreferences,
    RankedDocument,
    Ranking,
    RerankClient,
    RerankDocument,
    Usage,
)


def synchronous() -> None:
    """A ranking is typed down to its numbers."""
    with RerankClient(timeout=5, budget=Budget(1), http_client=httpx.Client()) as client:
        ranking = client.rerank("question", ["text", {"text": "text"}, RerankDocument(image="u")])
    assert_type(ranking, Ranking)
    assert_type(ranking.results, tuple[RankedDocument, ...])
    assert_type(ranking.results[0].relevance_score, float)
    assert_type(ranking.usage, Usage)
    assert_type(ranking.usage.cost, float | None)


async def asynchronous() -> None:
    """The asynchronous client takes the same arguments."""
    preferences: ProviderPreferences = {"sort": "price", "data_collection": "deny"}
    async with AsyncRerankClient(http_client=httpx2.AsyncClient()) as client:
        ranking = await client.rerank(
            "question", ["text"], model="m", top_n=1, provider=preferences, timeout=1
        )
    assert_type(ranking, Ranking)


def other_clients() -> None:
    """Clients of httpx2 are as good as those of httpx."""
    RerankClient(http_client=httpx2.Client())
    AsyncRerankClient(http_client=httpx.AsyncClient())


def mistakes() -> None:
    """Type checkers find what the clients would refuse."""
    client = RerankClient()
    client.rerank("question", ["text"], topn=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.rerank("question", [1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    RerankClient(http_client=httpx.AsyncClient())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
