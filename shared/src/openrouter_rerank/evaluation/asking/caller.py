"""Makes the calls of an evaluation: with the client of the user, or with a new one."""

import asyncio
import contextvars
import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from openrouter_rerank._transport.threads import Workers
from openrouter_rerank.budget import Budget
from openrouter_rerank.client import AsyncRerankClient, RerankClient
from openrouter_rerank.client_options import ClientKeywords, RequestOptions
from openrouter_rerank.client_options.long_documents import DEFAULT_RULES
from openrouter_rerank.errors import ConfigurationError, shown_value
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.rate_limiter import RateLimiter, WindowRateLimiter

from .chat import CHAT_PATH, ChatReply, achat, chat
from .matrix import Asked

_Result = TypeVar("_Result")

CHEAPEST: Mapping[str, object] = {"sort": "price"}
"""
The default provider preference. Without one, OpenRouter spreads the calls over providers, so that
price, time and even the served model change from call to call.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A ranking, and the seconds that the call took."""

    ranking: Ranking
    seconds: float


class Caller:
    """
    Makes calls within a budget.

    Args:
        client: A client of the user. It is not closed. By default, a new client with the key and
            the URL of the environment.
        keywords: The options of the new client, if `client` is `None`.
        budget: The limit for all calls of this object, in addition to that of `client`. `None`:
            none.
        concurrency: The number of calls that are made together.
        provider: The provider preferences of all calls. `None`: the cheapest provider.
        extra_body: Extra fields of all requests.

    Raises:
        ConfigurationError: If there is no API key, or `client` has a score store.
    """

    def __init__(
        self,
        client: RerankClient | AsyncRerankClient | None = None,
        *,
        keywords: ClientKeywords | None = None,
        budget: Budget | None = None,
        concurrency: int = 4,
        provider: Mapping[str, object] | None = None,
        extra_body: Mapping[str, object] | None = None,
    ) -> None:
        _check_client(client)
        if client is not None and client.has_score_store:
            raise ConfigurationError(
                "the client has a score_store, and a kept score has no price and no time: pass a "
                "client without one"
            )
        self._own = client is None
        own: ClientKeywords = {**(keywords or {}), "budget": budget, "max_concurrency": concurrency}
        self._client = AsyncRerankClient(**own) if client is None else client
        self.budget = budget if budget is not None else self._client.budget
        self._budget = budget
        self.concurrency = min(concurrency, self._client.route_to(CHAT_PATH).slots)
        """Requests to chat models that may be in flight together."""
        self._workers = Workers(concurrency)
        self.provider = CHEAPEST if provider is None else provider
        """The provider preferences. Empty: none are sent."""
        self._options: RequestOptions = {
            "provider": self.provider or None,
            "extra_body": extra_body,
        }
        # Passages of long documents have other scores than their starts.
        rules = self._client.long_document_rules
        scored = {**self._options, "long_documents": None if rules == DEFAULT_RULES else rules}
        self._options_key = _json(scored)
        self._free_limiter: RateLimiter | None = None
        if self._client.rate_limiter is None:
            self._free_limiter = WindowRateLimiter()

    def asked(self, model: str, question: str) -> Asked:
        """Return what identifies the calls of `model` for `question`."""
        return Asked(
            service=self.service,
            model=model,
            options=self._options_key,
            question=question,
        )

    @property
    def service(self) -> str:
        """Return the URL of the service. The same slug at another URL is another model."""
        return self._client.service_url

    def limiter(self, model: str) -> RateLimiter | None:
        """Return the limiter whose permission a call needs first: for `:free` models."""
        # The limiter of the client is not used, because a long wait for it would count towards
        # `timeout`.
        return self._free_limiter if model.endswith(":free") else None

    async def call(self, model: str, question: str, documents: Sequence[str]) -> Answer:
        """
        Rank `documents`, and measure the time.

        Raises:
            OpenRouterRerankError: If the call fails, or the budget is spent.
        """
        if self._budget is not None:
            self._budget.check()
        started = time.monotonic()
        ranking = await self._rerank(model, question, documents)
        seconds = time.monotonic() - started
        if self._budget is not None and not self._own:
            self._budget.charge(ranking.usage.cost)
        return Answer(ranking=ranking, seconds=seconds)

    async def chat(self, body: Mapping[str, object]) -> ChatReply:
        """
        Send a request to a chat model.

        Raises:
            OpenRouterRerankError: If the call fails, or the budget is spent.
        """
        if self._budget is not None:
            self._budget.check()
        client = self._client
        if isinstance(client, AsyncRerankClient):
            reply = await achat(client, body)
        else:
            reply = await self._in_worker(functools.partial(chat, client, body))
        if self._budget is not None and not self._own:
            self._budget.charge(reply.cost)
        return reply

    async def aclose(self) -> None:
        """Close the client, unless it is the user's."""
        if self._own and isinstance(self._client, AsyncRerankClient):
            await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _rerank(self, model: str, question: str, documents: Sequence[str]) -> Ranking:
        client = self._client
        if isinstance(client, AsyncRerankClient):
            return await client.rerank(question, documents, model=model, **self._options)
        return await self._in_worker(
            functools.partial(client.rerank, question, documents, model=model, **self._options)
        )

    async def _in_worker(self, call: Callable[[], _Result]) -> _Result:
        context = contextvars.copy_context()
        future = self._workers.submit(functools.partial(context.run, call))
        return call() if future is None else await asyncio.wrap_future(future)


def _check_client(client: object) -> None:
    if client is not None and not isinstance(client, RerankClient | AsyncRerankClient):
        raise ConfigurationError(
            f"client must be a RerankClient or an AsyncRerankClient, got {shown_value(client)}"
        )


def _json(options: Mapping[str, object]) -> str:
    try:
        return json.dumps(options, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"provider and extra_body must be JSON values ({error}): pass plain dicts and lists"
        ) from error
