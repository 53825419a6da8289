"""The two calls of a reranker, sync and async, and the clients that make them."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from openrouter_rerank._call.long_documents import LongDocuments, long_documents
from openrouter_rerank._call.plan import parts, without_copies
from openrouter_rerank._forks import new_lock
from openrouter_rerank._transport.threads import in_thread
from openrouter_rerank._wire.headers import HeaderFields
from openrouter_rerank.client import AsyncRerankClient, RerankClient
from openrouter_rerank.client_options import ClientOptions, RequestOptions
from openrouter_rerank.client_options.keywords import ClientOverrides, RequestFields
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import (
    ConfigurationError,
    InvalidRequestError,
    OpenRouterRerankError,
)
from openrouter_rerank.models import model_for
from openrouter_rerank.ranking import Ranking
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
from .refused_documents import is_refusal, refused_documents
from .situations import report_blank_query, report_refused, report_unsent

HTTP = TypeVar("HTTP")
CLIENT = TypeVar("CLIENT", RerankClient, AsyncRerankClient)

logger = logging.getLogger("openrouter_rerank")

# Clients of one reranker. Copies that differ in an option of the client share them; few such copies
# are in use at a time.
_MOST_CLIENTS = 8
# Options that each call passes on need no other client.
_PASSED_ON = frozenset({"default_headers", *RequestFields.__annotations__})
_COMPARED = tuple(name for name in ClientOptions.model_fields if name not in _PASSED_ON)


class Clients:  # noqa: PLW1641 - Nothing hashes clients
    """
    The clients of a reranker and of its shallow copies, by the options that they were made with.

    A client is made by the first call that needs it, and again when its options have changed. A
    deep copy and a restored pickle start without clients, and warn of each situation again.

    Args:
        is_restored: `True` if the reranker was unpickled, so that its key was left out.
    """

    def __init__(self, *, is_restored: bool = False) -> None:
        self._is_restored = is_restored
        self.situations = SituationLog()
        """What the reranker and its copies have warned of."""
        self._lock = new_lock()
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
                        # Move it to the front, so that a client in use is not the next to be
                        # dropped.
                        kept.insert(0, kept.pop(at))
                    return client
            if self._is_restored:
                _check_restored_key(options)
            made = create(options, http_client)
            made.situations.share(self.situations)
            kept.insert(0, (wanted, made))
            del kept[_MOST_CLIENTS:]
            return made

    def for_call(self, options: ClientOverrides) -> "Clients":
        """Return the same clients, for one call with `options`."""
        same = Clients.__new__(Clients)
        vars(same).update(vars(self))
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

    def of_restored(self) -> "Clients":
        """Return the clients of a reranker that was unpickled: none."""
        return Clients(is_restored=True)

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


class _Call:
    """One call of a reranker: the decisions that are the same in sync and async calls."""

    def __init__(
        self, options: RerankOptions, clients: Clients, query: str, contents: Sequence[Content]
    ) -> None:
        self._options = options
        self._situations = clients.situations
        self._call_options = clients.call_options
        self._query = query
        self._size = len(contents)
        self._is_repeated = False
        # Seconds for the next call of the client. `None`: the `timeout` of its options.
        self._time_left: float | None = None
        self.sent = _sendable(options, contents)
        _refuse_long_documents(options, query, self.sent)
        self._started = time.monotonic()
        if self.sent.unscorable or self.sent.without_image:
            report_unsent(self._situations, self.sent)

    def request_options(self) -> RequestOptions:
        """Return the options of the call of the client that is made next."""
        options: RequestOptions = {**self._options.request_fields(), **self._call_options}
        if self._time_left is not None:
            options["timeout"] = self._time_left
        return options

    def placed(self, ranking: Ranking) -> Placement:
        """Return the placement that `ranking` means."""
        options = self._options
        return self.sent.placed(
            ranking, top_n=options.top_n, score_threshold=options.score_threshold
        )

    def unranked(self) -> Placement:
        """Return the placement of a call that has nothing to send."""
        return self.sent.unranked(top_n=self._options.top_n)

    def after(self, error: OpenRouterRerankError) -> Placement | None:
        """
        Return the placement after a failure, or `None` if the call is to be made once more.

        Raises:
            OpenRouterRerankError: If the failure may not pass.
        """
        if is_refusal(error):
            if self._leaves_out_refused(error):
                return None
            self._explain_images(error)
        return _passed_through(self._options, self._size, error)

    def _leaves_out_refused(self, error: OpenRouterRerankError) -> bool:
        """Leave out what the service refused. Return `True` if the rest is to be sent once more."""
        options, sent = self._options, self.sent
        timeout = self._call_options.get("timeout") or options.timeout
        left = timeout - (time.monotonic() - self._started)
        if self._is_repeated or options.unscorable == "raise" or left <= 0:
            return False
        if options.long_documents == "split" and _long_documents(options, self._query, sent):
            # The service counts passages.
            return False
        distinct, copies = without_copies(sent.documents)
        ranges = parts(
            distinct, self._query, model_for(options.model), options.max_documents_per_request
        )
        # If there were other requests, they may have been billed, and would be billed again.
        if error.attempts != 1 or len(ranges) != 1:
            return False
        # Documents whose scores are in the store were not sent.
        refused = refused_documents(error, distinct, are_all=options.score_store is None)
        if copies.copies:
            refused = {at for each in refused for at in copies.copies[each]}
        if not refused:
            return False
        rest = sent.without(refused, "the service refused it")
        report_refused(self._situations, [sent.positions[at] for at in refused], rest, error)
        self.sent, self._time_left, self._is_repeated = rest, left, True
        return True

    def _explain_images(self, error: OpenRouterRerankError) -> None:
        """Add to the message how many images were sent: one of them may be the reason."""
        images = sum(isinstance(document, RerankDocument) for document in self.sent.documents)
        if images:
            error.message += (
                f" Images were sent with {images} of {len(self.sent.documents)} documents: check "
                "that they are PNG or JPEG images and that their URLs can be fetched, or set "
                "image_mode='never'."
            )
            error.args = (error.message,)


def place(
    options: RerankOptions, clients: Clients, query: str, contents: Sequence[Content]
) -> Placement:
    """
    Rank `contents` as `options` say, and place every one of them.

    Raises:
        OpenRouterRerankError: Unless `on_error` lets the failure pass.
    """
    if _is_blank(query):
        return _blank(options, clients, contents)
    call = _Call(options, clients, query, contents)
    while call.sent.documents:
        client = clients.sync_client(options)
        try:
            ranking = client.rerank(
                query,
                call.sent.documents,
                model=options.model,
                top_n=options.top_n,
                **call.request_options(),
            )
        except OpenRouterRerankError as error:
            placement = call.after(error)
        else:
            placement = call.placed(ranking)
        if placement is not None:
            return placement
    return call.unranked()


async def aplace(
    options: RerankOptions, clients: Clients, query: str, contents: Sequence[Content]
) -> Placement:
    """
    Rank `contents` as `options` say, and place every one of them.

    Raises:
        OpenRouterRerankError: Unless `on_error` lets the failure pass.
    """
    if _is_blank(query):
        return _blank(options, clients, contents)
    if LocalImageDocument in set(map(type, contents)):
        # Reading files would block the event loop.
        call = await in_thread(_Call, options, clients, query, contents)
    else:
        call = _Call(options, clients, query, contents)
    while call.sent.documents:
        client = clients.async_client(options)
        try:
            ranking = await client.rerank(
                query,
                call.sent.documents,
                model=options.model,
                top_n=options.top_n,
                **call.request_options(),
            )
        except OpenRouterRerankError as error:
            placement = call.after(error)
        else:
            placement = call.placed(ranking)
        if placement is not None:
            return placement
    return call.unranked()


def _sendable(options: RerankOptions, contents: Sequence[Content]) -> Sendable:
    return sendable(
        contents,
        partial(_image_policy, options),
        options.unscorable,
        score_threshold=options.score_threshold,
    )


def _image_policy(options: RerankOptions) -> ImagePolicy:
    return ImagePolicy(
        refusal=options.image_refusal(),
        is_refused_by_user=options.image_mode == "never",
        max_bytes=options.max_image_bytes,
        formats=options.image_formats(),
        read=partial(read_image, root=options.image_root, max_bytes=options.max_image_bytes),
    )


def _blank(options: RerankOptions, clients: Clients, contents: Sequence[Content]) -> Placement:
    report_blank_query(clients.situations, len(contents))
    return in_input_order(len(contents), top_n=options.top_n)


def _refuse_long_documents(options: RerankOptions, query: str, sent: Sendable) -> None:
    # The client does it too, but it does not know the positions in the caller's list.
    if options.long_documents == "raise" and (long := _long_documents(options, query, sent)):
        raise long.refusal(sent.positions)


def _long_documents(options: RerankOptions, query: str, sent: Sendable) -> LongDocuments | None:
    models = (options.model, *options.fallback_models)
    return long_documents(sent.documents, query, models, options.long_document_rules())


def _passed_through(options: RerankOptions, size: int, error: OpenRouterRerankError) -> Placement:
    # A wrong argument or option is always raised, because worse results would hide the mistake.
    # Other lasting failures, such as a wrong key, pass only if the user chose that.
    is_mistake = isinstance(error, ConfigurationError | InvalidRequestError)
    passes = options.on_error == "passthrough_all" or error.retryable
    if options.on_error == "raise" or is_mistake or not passes:
        raise error
    # A lasting failure does not end without an action of the user.
    logger.log(
        logging.WARNING if error.retryable else logging.ERROR,
        "reranking failed, returning the retriever's order: error=%s message=%s",
        type(error).__name__,
        error.message,
    )
    return in_input_order(size, top_n=options.top_n, error=error)


def _is_blank(query: object) -> bool:
    return isinstance(query, str) and not query.strip()
