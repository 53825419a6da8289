"""Exchanges over connections of our own. The first call imports what speaks HTTP, none before."""

import functools
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ._asking import Attempt
from ._connections import async_connections, connections
from ._endpoint import Endpoint
from ._messages import Response
from ._watch import Body, Watch
from .http_client import Headers

if TYPE_CHECKING:
    import httpcore


def exchanged(
    endpoint: Endpoint, headers: Headers, user: object, attempt: Attempt, watch: Watch
) -> Response:
    """Make one attempt over a connection that is kept for `user`, or over a new one."""
    kept = connections()
    connection, watch.reused = kept.take(endpoint.url, user)
    connection.sockets.deadline = watch.deadline
    body = Body(attempt, watch)
    try:
        watch.check()
        response = connection.channel.handle_request(_request(endpoint, headers, attempt, {}))
        watch.answered = True
        for piece in response.iter_stream():
            body.add(piece)
        response.close()
    except BaseException:
        connection.channel.close()
        raise
    kept.put(endpoint.url, connection, user)
    return body.whole(response.status, _by_name(response.headers))


async def aexchanged(
    endpoint: Endpoint, headers: Headers, user: object, attempt: Attempt, watch: Watch
) -> Response:
    """Make one attempt over a connection that is kept for `user`, or over a new one."""
    kept = await async_connections()
    channel, watch.reused = await kept.take(endpoint.url, user)
    body = Body(attempt, watch)
    try:
        watch.check()
        response = await channel.handle_async_request(
            _request(endpoint, headers, attempt, {"timeout": watch.timeouts})
        )
        watch.answered = True
        async for piece in response.aiter_stream():
            body.add(piece)
        await response.aclose()
    except BaseException:
        await channel.aclose()
        raise
    await kept.put(endpoint.url, channel, user)
    return body.whole(response.status, _by_name(response.headers))


class _Stream:
    """A body that can be sent both ways."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._body:
            yield piece


def _request(
    endpoint: Endpoint,
    headers: Headers,
    attempt: Attempt,
    extensions: dict[str, object],
) -> "httpcore.Request":
    import httpcore

    url, key = _parsed(endpoint.url), endpoint.api_key
    # The whole headers get no name here, nor does the key as text: a traceback would show it.
    return httpcore.Request(
        "POST",
        url,
        headers=[
            (b"Host", _host(endpoint.url)),
            *headers,
            *(() if key is None else ((b"Authorization", key.authorization().encode()),)),
        ],
        content=_Stream(attempt.request.body),
        extensions=extensions,
    )


@functools.lru_cache(maxsize=64)
def _parsed(url: str) -> "httpcore.URL":
    import httpcore

    return httpcore.URL(url)


def _host(url: str) -> bytes:
    return url.split("/", 3)[2].encode()


def _by_name(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    # Header values are in Latin-1, as far as anybody knows (RFC 9110 section 5.5).
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
