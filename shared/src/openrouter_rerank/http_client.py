"""
The clients that can be passed as `http_client`: those of httpx and httpx2, as protocols.

Protocols, so that neither library has to be imported to describe them.
"""

from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
)
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol, TypeVar, runtime_checkable

from ._tracebacks import ErrorsSuppressed
from .errors import ConfigurationError

__all__ = ["AsyncHTTPClient", "HTTPClient"]

Headers = list[tuple[bytes, bytes]]


class OutgoingRequest(Protocol):
    """A request that an injected client is about to send."""

    @property
    def headers(self) -> MutableMapping[str, str]:
        """The headers of the request."""
        ...


AnyRequest = TypeVar("AnyRequest", bound=OutgoingRequest)


class RequestAuth(Protocol):
    """A function that adds the API key to a request; httpx and httpx2 accept it as `auth`."""

    def __call__(self, request: AnyRequest, /) -> AnyRequest:
        """Add the key to the headers of `request`, and return it."""
        ...


class StreamedResponse(Protocol):
    """A streamed response of httpx or httpx2."""

    @property
    def status_code(self) -> int:
        """The status code of the response."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response."""
        ...

    @property
    def is_stream_consumed(self) -> bool:
        """Whether the body has been read before, as in a response of a mock transport."""
        ...

    @property
    def content(self) -> bytes:
        """The body, if it has been read before."""
        ...

    def iter_raw(self) -> Iterator[bytes]:
        """Yield the pieces of the body as they are received, without decoding them."""
        ...

    def aiter_raw(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the body as they are received, without decoding them."""
        ...


@runtime_checkable
class HTTPClient(Protocol):
    """An `httpx.Client` or an `httpx2.Client`."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        content: bytes | Iterable[bytes],
        headers: Headers,
        auth: RequestAuth,
        follow_redirects: bool,
        extensions: dict[str, object],
    ) -> AbstractContextManager[StreamedResponse]:
        """Send a request; the response is open until the context ends."""
        ...


@runtime_checkable
class AsyncHTTPClient(Protocol):
    """An `httpx.AsyncClient` or an `httpx2.AsyncClient`."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        content: bytes | AsyncIterable[bytes],
        headers: Headers,
        auth: RequestAuth,
        follow_redirects: bool,
        extensions: dict[str, object],
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """Send a request; the response is open until the context ends."""
        ...


def refuse_async(http_client: object) -> None:
    """
    Refuse an asynchronous client where a synchronous one is needed.

    Raises:
        ConfigurationError: If `http_client` is asynchronous, or not a client.
    """
    _refuse_others("an httpx.Client or an httpx2.Client", http_client)
    if hasattr(http_client, "aclose"):
        raise ConfigurationError(
            "http_client is an asynchronous client: pass a synchronous one, or use "
            "AsyncRerankClient (in the framework classes: http_async_client)"
        )


def refuse_sync(http_client: object) -> None:
    """
    Refuse a synchronous client where an asynchronous one is needed.

    Raises:
        ConfigurationError: If `http_client` is synchronous, or not a client.
    """
    _refuse_others("an httpx.AsyncClient or an httpx2.AsyncClient", http_client)
    if http_client is not None and not hasattr(http_client, "aclose"):
        raise ConfigurationError(
            "the http_client of AsyncRerankClient is a synchronous client: pass an "
            "asynchronous one (in the framework classes: http_async_client)"
        )


def _refuse_others(accepted: str, http_client: object) -> None:
    # Only the type is shown: a client may contain a key.
    if http_client is not None and not _has_stream(http_client):
        is_class = issubclass(type(http_client), type)
        got = "a class" if is_class else f"an object of type {type(http_client).__name__}"
        raise ConfigurationError(f"http_client must be {accepted}, got {got}")


def _has_stream(http_client: object) -> bool:
    # The class `httpx.Client` has it too.
    if issubclass(type(http_client), type):
        return False
    # The attributes of a user's object may raise any exception.
    with ErrorsSuppressed():
        return hasattr(http_client, "stream")
    return False
