"""The two calls of a reranker, sync and async, and the clients that make them."""

import asyncio
import copy
import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from openrouter_rerank._call.long_documents import long_documents
from openrouter_rerank._wire.headers import HeaderFields
from openrouter_rerank.client import AsyncRerankClient, RerankClient
from openrouter_rerank.client_options import ClientOptions
from openrouter_rerank.client_options.keywords import ClientOverrides, RequestFields
from openrouter_rerank.errors import ConfigurationError, OpenRouterRerankError
from openrouter_rerank.telemetry import SituationLog

from .image_files import read_image
from .options import RerankOptions
from .placement import (
    Content,
    ImagePolicy,
    LocalImageDocument,
    Placement,
    Sendable,
    in_input_order,
    sendable,
)

HTTP = TypeVar("HTTP")
CLIENT = TypeVar("CLIENT", RerankClient, AsyncRerankClient)

logger = logging.getLogger("openrouter_rerank")

# Clients of one reranker. Copies that differ in an option of the client share them; few such copies
# are in use at a time.
_MOST_CLIENTS = 8
# Options that each call passes on need no other client.
_PASSED_ON = frozenset({"default_headers", *RequestFields.__annotations__})
_COMPARED = tuple(name for name in ClientOptions.model_fields if name not in _PASSED_ON)


class Clients:
    """
    The clients of a reranker and of its shallow copies, by the options that they were made with.

    A client is made by the first call that needs it, and again when its options have changed. A
    deep copy and a restored pickle start without clients.

    Args:
        is_restored: `True` if the reranker was unpickled, so that its key was left out.
    """

    def __init__(self, *, is_restored: bool = False) -> None:
        self._is_restored = is_restored
        self.situations = SituationLog()
        """What the reranker and its copies have warned of."""
        self._lock = threading.Lock()
        self._sync: list[tuple[object, RerankClient]] = []
        self._async: list[tuple[object, AsyncRerankClient]] = []
        self.call_options: ClientOverrides = {}
        """Passed to a client with each call. For other values of them no other client is made."""

    def sync_client(self, options: RerankOptions) -> RerankClient:
        """Return the client that `options` describe."""
        return self._client(self._sync, RerankClient.from_options, options, options.http_client)

    def async_client(self, options: RerankOptions) -> AsyncRerankClient:
        """Return the client that `options` describe."""
        return self._client(
            self._async, AsyncRerankClient.from_options, options, options.http_async_client
        )

    def _client(
        self,
        kept: list[tuple[object, CLIENT]],
        create: Callable[[RerankOptions, HTTP | None], CLIENT],
        options: RerankOptions,
        http_client: HTTP | None,
    ) -> CLIENT:
        wanted = _compared(options, http_client)
        with self._lock:
            for at, (known, client) in enumerate(kept):
                if known == wanted:
                    if at:
                        # To the front, so that a client in use is not the next to be dropped.
                        kept.insert(0, kept.pop(at))
                    return client
            if self._is_restored:
                _check_restored_key(options)
            made = create(options, http_client)
            made.situations = self.situations
            kept.insert(0, (wanted, made))
            del kept[_MOST_CLIENTS:]
            return made

    def for_call(self, options: ClientOverrides) -> "Clients":
        """Return the same clients, for one call with `options`."""
        same = copy.copy(self)
        same.call_options = {**self.call_options, **options}
        return same

    def close(self) -> None:
        """Close the sync clients; the next call makes another."""
        with self._lock:
            closing = self._sync.copy()
            self._sync.clear()
        for _, client in closing:
            client.close()

    async def aclose(self) -> None:
        """Close the async clients; the next call makes another."""
        with self._lock:
            closing = self._async.copy()
            self._async.clear()
        for _, client in closing:
            await client.aclose()

    def __eq__(self, other: object) -> bool:
        # Rerankers with equal options are equal, even if they have made different calls.
        return isinstance(other, Clients)

    def __hash__(self) -> int:
        return hash(Clients)

    def of_restored(self) -> "Clients":
        """Return the clients of a reranker that was unpickled: none."""
        return Clients(is_restored=True)

    def __copy__(self) -> "Clients":
        same = Clients.__new__(Clients)
        vars(same).update(vars(self))
        return same

    def __deepcopy__(self, memo: object) -> "Clients":
        return Clients(is_restored=self._is_restored)

    def __reduce__(self) -> tuple[type["Clients"], tuple[()]]:
        return Clients, ()


def _check_restored_key(options: RerankOptions) -> None:
    try:
        options.check_key()
    except ConfigurationError as error:
        problem = error.message
    else:
        return
    raise ConfigurationError(
        "the reranker was restored from a pickle, which leaves api_key and default_headers out: "
        f"{problem}"
    )


def _compared(options: RerankOptions, http_client: object) -> list[object]:
    # The headers are copied, so that a change in place is seen.
    given = options.default_headers
    headers = None if given is None else HeaderFields(given)
    return [*(getattr(options, name) for name in _COMPARED), headers, http_client]


def place(
    options: RerankOptions, clients: Clients, query: str, contents: Sequence[Content]
) -> Placement:
    """
    Rank `contents` as `options` say, and place every one of them.

    Raises:
        OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure is temporary.
    """
    if _is_blank(query):
        return in_input_order(len(contents), top_n=options.top_n)
    sent = _sendable(options, contents)
    if not sent.documents:
        return sent.unranked(top_n=options.top_n)
    _refuse_long_documents(options, query, sent)
    client = clients.sync_client(options)
    try:
        ranking = client.rerank(
            query,
            sent.documents,
            model=options.model,
            top_n=options.top_n,
            **options.request_fields(),
            **clients.call_options,
        )
    except OpenRouterRerankError as error:
        return _passed_through(options, len(contents), error)
    return sent.placed(ranking, top_n=options.top_n, score_threshold=options.score_threshold)


async def aplace(
    options: RerankOptions, clients: Clients, query: str, contents: Sequence[Content]
) -> Placement:
    """
    Rank `contents` as `options` say, and place every one of them.

    Raises:
        OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure is temporary.
    """
    if _is_blank(query):
        return in_input_order(len(contents), top_n=options.top_n)
    if LocalImageDocument in set(map(type, contents)):
        # Reading files would block the event loop.
        sent = await asyncio.to_thread(_sendable, options, contents)
    else:
        sent = _sendable(options, contents)
    if not sent.documents:
        return sent.unranked(top_n=options.top_n)
    _refuse_long_documents(options, query, sent)
    client = clients.async_client(options)
    try:
        ranking = await client.rerank(
            query,
            sent.documents,
            model=options.model,
            top_n=options.top_n,
            **options.request_fields(),
            **clients.call_options,
        )
    except OpenRouterRerankError as error:
        return _passed_through(options, len(contents), error)
    return sent.placed(ranking, top_n=options.top_n, score_threshold=options.score_threshold)


def _sendable(options: RerankOptions, contents: Sequence[Content]) -> Sendable:
    images = ImagePolicy(
        takes_images=options.sends_images(),
        max_bytes=options.max_image_bytes,
        read=partial(read_image, root=options.image_root, max_bytes=options.max_image_bytes),
    )
    return sendable(contents, images, options.unscorable)


def _refuse_long_documents(options: RerankOptions, query: str, sent: Sendable) -> None:
    # The client does it too, but it does not know the positions in the caller's list.
    if options.long_documents == "raise":
        models, rules = (options.model, *options.fallback_models), options.long_document_rules()
        long = long_documents(sent.documents, query, models, rules)
        if long is not None:
            raise long.refusal(sent.positions)


def _passed_through(options: RerankOptions, size: int, error: OpenRouterRerankError) -> Placement:
    # Never for a wrong key or argument: worse results would hide the mistake.
    if options.on_error == "raise" or not error.retryable:
        raise error
    logger.warning(
        "reranking failed, returning the retriever's order: %s: %s",
        type(error).__name__,
        error.message,
    )
    return in_input_order(size, top_n=options.top_n, error=error)


def _is_blank(query: object) -> bool:
    return isinstance(query, str) and not query.strip()
