"""The clients of one reranker, made when needed and again when its options have changed."""

import threading
from collections.abc import Callable
from typing import TypedDict

from pydantic import SecretStr

from .budget import Budget
from .client import AsyncRerankClient, RerankClient
from .options import RerankOptions
from .ranking import Ranking


class _Settings(TypedDict):
    api_key: SecretStr | None
    base_url: str | None
    app_url: str | None
    app_title: str | None
    app_categories: tuple[str, ...]
    default_headers: dict[str, str] | None
    timeout: float
    max_retries: int
    max_concurrency: int
    budget: Budget | None
    on_response: Callable[[Ranking], object] | None


class Clients:
    """Holds a client of each kind; a copy or a pickle of it starts without any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._synchronous: tuple[object, RerankClient] | None = None
        self._asynchronous: tuple[object, AsyncRerankClient] | None = None

    def synchronous(self, options: RerankOptions) -> RerankClient:
        """Return the client that `options` describe."""
        settings = _settings(options)
        key = (settings, options.http_client)
        with self._lock:
            if self._synchronous is None or self._synchronous[0] != key:
                client = RerankClient(http_client=options.http_client, **settings)
                self._synchronous = (key, client)
            return self._synchronous[1]

    def asynchronous(self, options: RerankOptions) -> AsyncRerankClient:
        """Return the client that `options` describe."""
        settings = _settings(options)
        key = (settings, options.http_async_client)
        with self._lock:
            if self._asynchronous is None or self._asynchronous[0] != key:
                client = AsyncRerankClient(http_client=options.http_async_client, **settings)
                self._asynchronous = (key, client)
            return self._asynchronous[1]

    def close(self) -> None:
        """Close the synchronous client; the next call makes another."""
        with self._lock:
            closing, self._synchronous = self._synchronous, None
        if closing is not None:
            closing[1].close()

    async def aclose(self) -> None:
        """Close the asynchronous client; the next call makes another."""
        with self._lock:
            closing, self._asynchronous = self._asynchronous, None
        if closing is not None:
            await closing[1].aclose()

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
        "default_headers": options.default_headers,
        "timeout": options.timeout,
        "max_retries": options.max_retries,
        "max_concurrency": options.max_concurrency,
        "budget": options.budget,
        "on_response": options.on_response,
    }
