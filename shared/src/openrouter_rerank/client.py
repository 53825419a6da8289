"""The synchronous and the asynchronous client."""

import asyncio
import functools
import logging
import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, Self, TypeVar, Unpack

from ._call.arguments import Arguments, checked_arguments, checked_timeout, hide_arguments
from ._call.flow import Limits, call_flow
from ._call.listing_flow import ListingFlow, listing_flow
from ._call.long_documents import are_long
from ._call.retry_budget import TokenBucket
from ._drive import adrive, aoutcome_of, drive, outcome_of, warn_of_mixed_scores
from ._score_cache.cache import CachedCall, ScoreCache
from ._tracebacks import clear_frames
from ._transport.exchange import AsyncExchange, Exchange, Route, SentHeaders
from ._transport.fair_semaphore import FairSemaphore
from ._transport.loops import PerLoop
from ._transport.pool import async_pool, pool
from ._transport.threads import in_thread
from ._wire.endpoint import MODELS_PATH, endpoint, key_of
from ._wire.model_listing import ModelChanges
from .client_options import ClientKeywords, ClientOptions, RequestOptions
from .client_options.display import show_options
from .client_options.of_keywords import options_of
from .client_options.values import warn_of_milliseconds
from .documents import CheckedDocuments, Document
from .errors import ConfigurationError
from .http_client import AsyncHTTPClient, HTTPClient, refuse_async, refuse_sync
from .models import DEFAULT_MODEL, ModelListing
from .ranking import Ranking
from .telemetry import SituationLog, traced

__all__ = ["AsyncRerankClient", "RerankClient"]

logger = logging.getLogger("openrouter_rerank")

HTTP = TypeVar("HTTP")


class _Client(ABC, Generic[HTTP]):
    """Shared by both clients: their options, and what a call takes from them."""

    _check_http_client: Callable[[object], None]
    """Refuses an HTTP client of the other kind."""

    def _open(self, options: ClientOptions, http_client: HTTP | None) -> None:
        self._check_http_client(http_client)
        self._headers = SentHeaders(options.request_headers())
        key, url = key_of(options.api_key), options.base_url
        insecure = options.allow_insecure_http
        self._endpoint = functools.partial(endpoint, key, url, allow_insecure_http=insecure)
        self._timeout, self._max_retries = options.timeout, options.max_retries
        self._max_concurrency, self.budget = options.max_concurrency, options.budget
        store = options.score_store
        self._score_cache = None if store is None else ScoreCache(store, options.score_ttl)
        self.has_score_store = store is not None
        self.rate_limiter, self._on_response = options.rate_limiter, options.on_response
        self.http_client, self._retry_budget = http_client, TokenBucket()
        self._is_closed, self._changes, self.situations = False, ModelChanges(), SituationLog()
        self.long_document_rules = rules = options.long_document_rules()
        log = self.situations
        self._arguments = functools.partial(checked_arguments, rules=rules, situations=log)
        self._reset_slots()
        self.service_url = self._route(self._headers).endpoint.url  # Refuses a missing key

    @abstractmethod
    def _reset_slots(self) -> None:
        """Make all request slots free."""

    def _create(self, options: dict[str, object], http_client: HTTP | None) -> None:
        """Check `options`, hide the secrets in this dict, and create this client."""
        try:
            self._open(options_of(type(self).__name__, options, ClientOptions), http_client)
        except BaseException as error:
            clear_frames(error, options)
            raise

    @classmethod
    def from_options(cls, options: ClientOptions, http_client: HTTP | None = None) -> Self:
        """
        Create a client from an object with its options.

        Args:
            options: The options, which are read once.
            http_client: An httpx or httpx2 client to use as it is. It is never closed.

        Raises:
            ConfigurationError: If an option cannot be used, or there is no API key.
        """
        # Checked again, because Pydantic's `model_copy` and `model_construct` check nothing.
        values = {name: getattr(options, name) for name in ClientOptions.model_fields}
        client = cls.__new__(cls)
        cls._create(client, values, http_client)
        return client

    def limits(self, timeout: float | None, retries: int | None, started: float) -> Limits:
        """Return the limits of a call that began at `started`, by `time.monotonic`."""
        return Limits(
            timeout=self._seconds(timeout),
            max_retries=self._max_retries if retries is None else retries,
            clock=time.monotonic,
            jitter=random.random,
            retry_budget=self._retry_budget,
            budget=self.budget,
            started=started,
            on_mixed_scores=warn_of_mixed_scores,
        )

    def _seconds(self, timeout: float | None) -> float:
        if timeout is not None:
            warn_of_milliseconds(timeout)
        return timeout or self._timeout

    def _cached_call(self, arguments: Arguments, route: Route, limits: Limits) -> CachedCall:
        call, models, url = arguments.call, arguments.models, route.endpoint.url
        sender = (self, route.headers.own)
        return CachedCall(call=call, models=models, service=url, limits=limits, sender=sender)

    def _call_route(self, arguments: Arguments) -> Route:
        changes = arguments.headers
        route = self._route(self._headers if changes is None else self._headers.of_call(changes))
        for slug in arguments.models:
            if slug not in self._changes.checked and (text := self._changes.text_once(slug)):
                logger.warning("%s", text)
        return route

    def _listing(self, timeout: float | None) -> tuple[ListingFlow, Route]:
        seconds = self._seconds(None if timeout is None else checked_timeout(timeout))
        return listing_flow(seconds, time.monotonic), self.route_to(MODELS_PATH, needs_key=False)

    def route_to(self, path: str, *, needs_key: bool = True) -> Route:
        """Return where requests to another path of the service go, such as `models`."""
        route = self._route(self._headers, needs_key=needs_key)
        return replace(route, endpoint=route.endpoint.at(path))

    def _route(self, headers: SentHeaders, *, needs_key: bool = True) -> Route:
        if self._is_closed:
            raise ConfigurationError("this client is closed: create a new one")
        target = self._endpoint(os.environ, key_in_headers=headers.has_key, needs_key=needs_key)
        return Route(endpoint=target, headers=headers, owner=self, slots=self._max_concurrency)


class RerankClient(_Client[HTTPClient]):
    """
    The client for synchronous code.

    Threads may share it. Connections are opened when they are needed, kept for a minute, and shared
    by all clients of the process.

    Args:
        http_client: An httpx or httpx2 client to use as it is. It is never closed. On a connection
            that it has kept, only each single read is bounded, so a server that sends its response
            slowly can hold up a call for longer than `timeout`.
        **options: All are optional. `help()` and editors show what each one means.

    Raises:
        ConfigurationError: If an option cannot be used, or there is no API key.
        TypeError: If there is no such option; the message names the option that is meant.
    """

    _check_http_client = staticmethod(refuse_async)

    if TYPE_CHECKING:

        def __init__(
            self, *, http_client: HTTPClient | None = None, **options: Unpack[ClientKeywords]
        ) -> None: ...

    else:

        def __init__(self, *, http_client: object = None, **options: object) -> None:
            self._create(options, http_client)
            warn_of_milliseconds(self._timeout)

    def _reset_slots(self) -> None:
        self._slots = (os.getpid(), FairSemaphore(self._max_concurrency))

    def _request_slots(self) -> FairSemaphore:
        # A forked child inherits the slots that the calls of its parent had taken.
        if self._slots[0] != os.getpid():
            self._reset_slots()
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

        The call ends within `timeout` seconds, even if the server responds slowly or not at all.
        If `documents` is empty, no request is sent.

        Args:
            query: The question; not blank.
            documents: Strings, mappings with `text` and/or `image`, or `RerankDocument`s, mixed.
            model: The slug of the model. Default: the model of OpenRouter's own examples.
            top_n: How many results to return, at least 1. Default: all of them.
            **options: `fallback_models`, `provider`, `session_id`, `user`, `trace`, `extra_body`,
                `max_documents_per_request`, `long_documents`, `passage_tokens`, `max_passages`,
                `timeout`, `max_retries`, `app_url`, `app_title`, `app_categories` and
                `extra_headers` of this call: see `RequestOptions`.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        try:
            hide_arguments(options)
            started = time.monotonic()
            arguments = self._arguments(query, documents, model=model, top_n=top_n, **options)
            if not arguments.call.documents:
                return arguments.empty_ranking()
            route = self._call_route(arguments)
            exchange = Exchange(route, self._request_slots(), self.http_client, self.rate_limiter)
            run = functools.partial(drive, exchange=exchange, max_in_flight=self._max_concurrency)
            with traced(
                arguments.models[0], documents=arguments.size, top_n=arguments.top_n
            ) as note:
                limits = self.limits(arguments.timeout, arguments.max_retries, started)
                if self._score_cache is None:
                    ranking = run(call_flow(arguments.call, arguments.models, limits))
                else:
                    cached = self._cached_call(arguments, route, limits)
                    ranking = self._score_cache.rank(cached, run)
                if arguments.split is not None:
                    ranking = arguments.split.whole(ranking)
                if self._on_response is not None:
                    self._on_response(ranking)
                note(ranking)
        except BaseException as error:
            clear_frames(error, options)
            raise
        return ranking

    def models(self, *, timeout: float | None = None) -> ModelListing:
        """
        Return the rerank models that the service lists, with the built-in data of each.

        Without a network, or if the response is not a listing, the result is the built-in data:
        `is_live` is `False`, and `problem` says why. Later calls of this client warn once about
        each model that the listing says is renamed or will be removed.

        Args:
            timeout: Seconds, more than 0. Default: the `timeout` of the client.

        Raises:
            ConfigurationError: If the client is closed, or a setting cannot be used.
        """
        try:
            flow, route = self._listing(timeout)
            exchange = Exchange(route, self._request_slots(), self.http_client)
            return self._changes.remembered(outcome_of(flow, exchange))
        except BaseException as error:
            clear_frames(error)
            raise

    def close(self) -> None:
        """
        Close the client; a second call does nothing. Later calls raise `ConfigurationError`.

        Idle connections to hosts that no other open client has called are closed.
        """
        self._is_closed = True
        pool().release(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncRerankClient(_Client[AsyncHTTPClient]):
    """
    The client for asyncio: native, cancellable, and usable in several event loops.

    Connections are opened when needed, kept for a minute, and shared by the clients of a loop.

    Args:
        http_client: An asynchronous httpx or httpx2 client to use as it is. It is never closed.
        **options: The same as those of `RerankClient`, all optional.

    Raises:
        ConfigurationError: If an option cannot be used, or there is no API key.
        TypeError: If there is no such option.
    """

    _check_http_client = staticmethod(refuse_sync)

    if TYPE_CHECKING:

        def __init__(
            self, *, http_client: AsyncHTTPClient | None = None, **options: Unpack[ClientKeywords]
        ) -> None: ...

    else:

        def __init__(self, *, http_client: object = None, **options: object) -> None:
            self._create(options, http_client)
            warn_of_milliseconds(self._timeout)

    def _reset_slots(self) -> None:
        self._slots = PerLoop(functools.partial(asyncio.Semaphore, self._max_concurrency))

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
        Rank `documents`, as `RerankClient.rerank` does, without blocking the event loop.

        A cancelled call ends immediately and leaves no task and no connection behind.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        try:
            hide_arguments(options)
            started = time.monotonic()
            check = functools.partial(self._arguments, query, documents, model=model, top_n=top_n)
            is_long = are_long(documents, self.long_document_rules, options)
            arguments = await in_thread(check, **options) if is_long else check(**options)
            if not arguments.call.documents:
                return arguments.empty_ranking()
            route = self._call_route(arguments)
            exchange = AsyncExchange(route, self._slots.get(), self.http_client, self.rate_limiter)
            run = functools.partial(adrive, exchange=exchange, max_in_flight=self._max_concurrency)
            with traced(
                arguments.models[0], documents=arguments.size, top_n=arguments.top_n
            ) as note:
                limits = self.limits(arguments.timeout, arguments.max_retries, started)
                if self._score_cache is None:
                    ranking = await run(call_flow(arguments.call, arguments.models, limits))
                else:
                    cached = self._cached_call(arguments, route, limits)
                    ranking = await self._score_cache.arank(cached, run)
                if arguments.split is not None:
                    ranking = arguments.split.whole(ranking)
                if self._on_response is not None:
                    self._on_response(ranking)
                note(ranking)
        except BaseException as error:
            clear_frames(error, options)
            raise
        return ranking

    async def models(self, *, timeout: float | None = None) -> ModelListing:  # noqa: ASYNC109
        """
        Return the rerank models that the service lists, as `RerankClient.models` does.

        Raises:
            ConfigurationError: If the client is closed, or a setting cannot be used.
        """
        try:
            flow, route = self._listing(timeout)
            exchange = AsyncExchange(route, self._slots.get(), self.http_client)
            return self._changes.remembered(await aoutcome_of(flow, exchange))
        except BaseException as error:
            clear_frames(error)
            raise

    async def aclose(self) -> None:
        """
        Close the client; a second call does nothing. Later calls raise `ConfigurationError`.

        Idle connections of the running event loop to hosts that no other open client has called are
        closed.
        """
        self._is_closed = True
        await (await async_pool()).release(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # A coroutine that is being closed cannot await anything, and its loop may be gone.
        self._is_closed = True
        if kind is not GeneratorExit:
            await self.aclose()


show_options(RerankClient, HTTPClient, ClientOptions.model_fields)
show_options(AsyncRerankClient, AsyncHTTPClient, ClientOptions.model_fields)
