"""The request as a transport of httpx takes it. Imported with the first call: it imports httpx."""

import functools
from collections.abc import AsyncIterator, Iterator, Mapping

import httpx

from ._endpoint import Endpoint
from .http_client import Headers, Pieces


class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body, in pieces if it is large."""

    def __init__(self, body: bytes) -> None:
        self._pieces = Pieces(body)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def httpx_request(
    endpoint: Endpoint, headers: Headers, body: bytes, extensions: Mapping[str, object]
) -> httpx.Request:
    """Make the request that sends `body`, with the key."""
    url, key = _parsed(endpoint.url), endpoint.api_key
    # With `content` in place of `stream`, httpx would look through the headers and copy them, to
    # complete them: a fiftieth of a call. The headers get no name here, nor does the key as text: a
    # traceback would show it.
    return httpx.Request(
        "POST",
        url,
        headers=[
            (b"Host", url.netloc),
            *((name.encode(), value.encode()) for name, value in headers),
            *(() if key is None else ((b"Authorization", key.authorization().encode()),)),
        ],
        stream=_Stream(body),
        extensions=dict(extensions),
    )


@functools.lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)
