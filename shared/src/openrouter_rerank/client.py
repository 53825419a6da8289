"""The two clients: the shells around one flow."""

import asyncio
import functools
import os
from collections.abc import Sequence
from typing import Self, Unpack

from ._call.arguments import prepared
from ._configured_client import ConfiguredClient
from ._drive import adrive, drive
from ._transport.exchange import AsyncExchange, Exchange
from ._transport.fair_semaphore import Slots
from ._transport.pool import async_connections, connections
from .client_options import RequestOptions
from .documents import CheckedDocuments, Document
from .errors import ConfigurationError
from .http_client import AsyncHTTPClient, HTTPClient
from .models import DEFAULT_MODEL
from .ranking import Ranking
from .telemetry import traced


class RerankClient(ConfiguredClient[HTTPClient]):
    """The client for synchronous code: threads may share it."""

    def _open(self) -> None:
        if hasattr(self._http_client, "aclose"):
            raise ConfigurationError(
                "http_client is an asynchronous client: pass a synchronous one, or use "
                "AsyncRerankClient (in the framework classes: http_async_client)"
            )
        self._slots = (os.getpid(), Slots(self._max_concurrency))

    def _slots_of_this_process(self) -> Slots:
        # A forked child inherits the slots that its parent's calls had taken.
        if self._slots[0] != os.getpid():
            self._slots = (os.getpid(), Slots(self._max_concurrency))
        return self._slots[1]

    def rerank(
        self,
        query: str,
        documents: Sequence[Document] | CheckedDocuments,
        *,
        model: str = DEFAULT_MODEL,
        top_n: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> Ranking:
        """
        Rank `documents` by their relevance to `query`, best first.

        The call ends within `timeout` seconds, whatever the server does. Nothing is sent when
        `documents` is empty.

        Args:
            query: The question; not blank.
            documents: Strings, mappings with `text` and/or `image`, or `RerankDocument`s, mixed.
            model: The slug of the model; the one of OpenRouter's own examples by default.
            top_n: How many results to return, at least 1. All of them by default.
            **options: See `RequestOptions`.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        arguments = prepared(query, documents, model=model, top_n=top_n, **options)
        if not arguments.call.documents:
            return arguments.nothing()
        route = self._route(arguments.session_id)
        exchange = Exchange(
            route, self._slots_of_this_process(), self._http_client, self._rate_limiter
        )
        ask = functools.partial(drive, exchange=exchange, at_once=self._max_concurrency)
        with traced(model, documents=arguments.size, top_n=top_n) as note:
            question = self._question(arguments, route)
            if self._recall is None:
                ranking = ask(question.flow())
            else:
                ranking = self._recall.rank(question, ask)
            note(self._noted(ranking))
        return ranking

    def close(self) -> None:
        """Give the kept connections up for good; a second call does nothing."""
        self._is_closed = True
        connections().release(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncRerankClient(ConfiguredClient[AsyncHTTPClient]):
    """The client for asyncio: native, cancellable, and usable in several event loops."""

    def _open(self) -> None:
        if self._http_client is not None and not hasattr(self._http_client, "aclose"):
            raise ConfigurationError(
                "the http_client of AsyncRerankClient is a synchronous client: pass an "
                "asynchronous one (in the framework classes: http_async_client)"
            )
        self._slots: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}

    async def rerank(
        self,
        query: str,
        documents: Sequence[Document] | CheckedDocuments,
        *,
        model: str = DEFAULT_MODEL,
        top_n: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> Ranking:
        """
        Rank `documents` by their relevance to `query`, best first.

        The call ends within `timeout` seconds, whatever the server does. Nothing is sent when
        `documents` is empty.

        Args:
            query: The question; not blank.
            documents: Strings, mappings with `text` and/or `image`, or `RerankDocument`s, mixed.
            model: The slug of the model; the one of OpenRouter's own examples by default.
            top_n: How many results to return, at least 1. All of them by default.
            **options: See `RequestOptions`.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        arguments = prepared(query, documents, model=model, top_n=top_n, **options)
        if not arguments.call.documents:
            return arguments.nothing()
        route = self._route(arguments.session_id)
        exchange = AsyncExchange(
            route, self._slots_of_this_loop(), self._http_client, self._rate_limiter
        )
        ask = functools.partial(adrive, exchange=exchange, at_once=self._max_concurrency)
        with traced(model, documents=arguments.size, top_n=top_n) as note:
            question = self._question(arguments, route)
            if self._recall is None:
                ranking = await ask(question.flow())
            else:
                ranking = await self._recall.arank(question, ask)
            note(self._noted(ranking))
        return ranking

    async def aclose(self) -> None:
        """Give the kept connections up for good; a second call does nothing."""
        self._is_closed = True
        await (await async_connections()).release(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _slots_of_this_loop(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if loop not in self._slots:
            for ended in [each for each in list(self._slots) if each.is_closed()]:
                self._slots.pop(ended, None)
            self._slots[loop] = asyncio.Semaphore(self._max_concurrency)
        return self._slots[loop]
