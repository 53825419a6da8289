"""What can be injected as `http_client`: the clients of httpx and of httpx2, by their shape."""

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

__all__ = ["AsyncHTTPClient", "HTTPClient"]

Headers = list[tuple[bytes, bytes]]


class OutgoingRequest(Protocol):
    """A request that the injected client is about to send."""

    @property
    def headers(self) -> MutableMapping[str, str]:
        """The headers of the request."""
        ...


AnyRequest = TypeVar("AnyRequest", bound=OutgoingRequest)


class RequestAuth(Protocol):
    """Adds the API key to a request: what httpx and httpx2 accept as `auth`."""

    def __call__(self, request: AnyRequest, /) -> AnyRequest:
        """Return `request` with the key in its headers."""
        ...


class StreamedResponse(Protocol):
    """An answer whose body is still to be read, as httpx and httpx2 have it."""

    @property
    def status_code(self) -> int:
        """The status of the answer."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer."""
        ...

    @property
    def is_stream_consumed(self) -> bool:
        """Whether the body has been read already, as that of a mock transport's answer."""
        ...

    @property
    def content(self) -> bytes:
        """The body, if it has been read already."""
        ...

    def iter_raw(self) -> Iterator[bytes]:
        """Yield the body as it comes."""
        ...

    def aiter_raw(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
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
        """Send a request; the answer is open inside the context."""
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
        """Send a request; the answer is open inside the context."""
        ...
