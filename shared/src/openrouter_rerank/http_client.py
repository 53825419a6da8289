"""What can be injected as `http_client`: the clients of httpx and of httpx2, by their shape."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol, runtime_checkable

Headers = list[tuple[str, str]]


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
        content: bytes | Iterator[bytes],
        headers: Headers,
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
        content: bytes | AsyncIterator[bytes],
        headers: Headers,
        follow_redirects: bool,
        extensions: dict[str, object],
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """Send a request; the answer is open inside the context."""
        ...
