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

from ._key import ApiKey

Headers = list[tuple[bytes, bytes]]


class _Request(Protocol):
    @property
    def headers(self) -> MutableMapping[str, str]: ...


_AnyRequest = TypeVar("_AnyRequest", bound=_Request)


class Bearer:
    """Puts the key into a request of httpx or httpx2, in place of the client's own `auth`."""

    __slots__ = ("_key",)

    def __init__(self, key: ApiKey | None) -> None:
        self._key = key

    def __call__(self, request: _AnyRequest) -> _AnyRequest:
        """Write the header, unless the user has given one."""
        if self._key is not None:
            request.headers["Authorization"] = self._key.authorization()
        return request


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
        auth: Bearer,
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
        auth: Bearer,
        follow_redirects: bool,
        extensions: dict[str, object],
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """Send a request; the answer is open inside the context."""
        ...
