"""The clients of one reranker, made when needed and again when its options have changed."""

import threading
from collections.abc import Callable
from typing import TypedDict

from pydantic import SecretStr

from openrouter_rerank._call.arguments import prepared
from openrouter_rerank._wire.headers import HeaderFields, session_header
from openrouter_rerank.budget import Budget
from openrouter_rerank.client import AsyncRerankClient, RerankClient
from openrouter_rerank.client_options import RequestOptions
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.rate_limiter import RateLimiter
from openrouter_rerank.score_store import ScoreStore

from .options import RerankOptions


class _Settings(TypedDict):
    api_key: SecretStr | None
    base_url: str | None
    app_url: str | None
    app_title: str | None
    app_categories: tuple[str, ...]
    default_headers: HeaderFields
    timeout: float
    max_retries: int
    max_concurrency: int
    budget: Budget | None
    score_store: ScoreStore | None
    score_ttl: float | None
    rate_limiter: RateLimiter | None
    on_response: Callable[[Ranking], object] | None


# Rerankers that were copied to differ in an option share their clients; few differ at a time.
_MOST = 8


class Clients:
    """
    Holds the clients of a reranker and of its shallow copies, by what they were made with.

    A deep copy or a pickle of it starts without any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._synchronous: list[tuple[object, RerankClient]] = []
        self._asynchronous: list[tuple[object, AsyncRerankClient]] = []

    def check(self, options: RerankOptions, request: RequestOptions) -> None:
        """
        Refuse whatever a client refuses, before there is anything to rank.

        Raises:
            OpenRouterRerankError: Naming the option and the way to mend it.
        """
        self.synchronous(options)
        self.asynchronous(options)
        prepared("any", (), model=options.model, top_n=options.top_n, **request)
        if options.session_id is not None:
            session_header(options.session_id)

    def synchronous(self, options: RerankOptions) -> RerankClient:
        """Return the client that `options` describe."""
        settings = _settings(options)
        key = (settings, options.http_client)
        with self._lock:
            for known, client in self._synchronous:
                if known == key:
                    return client
            made = RerankClient(http_client=options.http_client, **settings)
            self._synchronous = [(key, made), *self._synchronous[: _MOST - 1]]
            return made

    def asynchronous(self, options: RerankOptions) -> AsyncRerankClient:
        """Return the client that `options` describe."""
        settings = _settings(options)
        key = (settings, options.http_async_client)
        with self._lock:
            for known, client in self._asynchronous:
                if known == key:
                    return client
            made = AsyncRerankClient(http_client=options.http_async_client, **settings)
            self._asynchronous = [(key, made), *self._asynchronous[: _MOST - 1]]
            return made

    def close(self) -> None:
        """Close the synchronous clients; the next call makes another."""
        with self._lock:
            closing, self._synchronous = self._synchronous, []
        for _, client in closing:
            client.close()

    async def aclose(self) -> None:
        """Close the asynchronous clients; the next call makes another."""
        with self._lock:
            closing, self._asynchronous = self._asynchronous, []
        for _, client in closing:
            await client.aclose()

    def __eq__(self, other: object) -> bool:
        # Rerankers are equal by their options, whatever calls they have made.
        return isinstance(other, Clients)

    def __hash__(self) -> int:
        return hash(Clients)

    def __deepcopy__(self, memo: object) -> "Clients":
        return Clients()

    def __reduce__(self) -> tuple[type["Clients"], tuple[()]]:
        return Clients, ()


def _settings(options: RerankOptions) -> _Settings:
    return {
        "api_key": options.api_key,
        "base_url": options.base_url,
        "app_url": options.app_url,
        "app_title": options.app_title,
        "app_categories": options.app_categories,
        # A copy, so that a change in place is seen.
        "default_headers": HeaderFields(options.default_headers or {}),
        "timeout": options.timeout,
        "max_retries": options.max_retries,
        "max_concurrency": options.max_concurrency,
        "budget": options.budget,
        "score_store": options.score_store,
        "score_ttl": options.score_ttl,
        "rate_limiter": options.rate_limiter,
        "on_response": options.on_response,
    }
