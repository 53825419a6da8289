"""The only code that performs HTTP: it makes attempts and returns what came back."""

import asyncio
import functools
import logging
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._connections import Connection, async_connections, connections
from ._endpoint import Endpoint
from ._flow import Attempt, Failure, FailureKind
from ._messages import Response
from ._sentinel import sentinel
from ._watch import Body, Watch
from .http_client import (
    AsyncHTTPClient,
    AsyncPieces,
    Bearer,
    Headers,
    HTTPClient,
    Pieces,
    StreamedResponse,
)

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger("openrouter_rerank")

_MAX_TIMEOUT = threading.TIMEOUT_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How the attempts of one call travel."""

    endpoint: Endpoint
    headers: tuple[tuple[str, str], ...]
    user: object
    """The client, for which connections are kept open."""


class Exchange:
    """Makes attempts, at most so many at a time, over `client` or over connections of our own."""

    def __init__(
        self,
        route: Route,
        slots: threading.BoundedSemaphore,
        client: HTTPClient | None,
    ) -> None:
        self._route = route
        self._slots = slots
        self._client = client

    def __call__(self, attempt: Attempt) -> Response | Failure:
        """Make one attempt in due time; whatever happens to it is returned, never raised."""
        if attempt.delay:
            time.sleep(attempt.delay)
        started = time.monotonic()
        reply = self._reply(attempt, Watch(started + attempt.timeout))
        _log(attempt, reply, started)
        return reply

    def _reply(self, attempt: Attempt, watch: Watch) -> Response | Failure:
        if not self._slots.acquire(timeout=min(attempt.timeout, _MAX_TIMEOUT)):
            return Failure(kind=FailureKind.BUSY)
        try:
            with self._opened(attempt, watch) as response:
                watch.answered = True
                body = Body(attempt, watch)
                if response.is_stream_consumed:
                    body.add(response.content)
                else:
                    for piece in response.iter_raw():
                        body.add(piece)
                return body.whole(response)
        except Exception as error:
            return watch.failure(error)
        finally:
            self._slots.release()

    def _opened(self, attempt: Attempt, watch: Watch) -> AbstractContextManager[StreamedResponse]:
        body = attempt.request.body
        if self._client is None:
            return self._over_own(body, watch)
        return self._over_injected(self._client, body, watch)

    @contextmanager
    def _over_injected(
        self, client: HTTPClient, body: bytes, watch: Watch
    ) -> Generator[StreamedResponse]:
        with (
            sentinel().guard(watch.deadline, watch.end),
            client.stream(
                "POST",
                self._route.endpoint.url,
                content=_content(body),
                headers=_headers(self._route, body),
                auth=Bearer(self._route.endpoint.api_key),
                follow_redirects=False,
                extensions={"timeout": watch.timeouts, "trace": watch.trace},
            ) as response,
        ):
            yield response
            # From here on the connection is that of another call.
            watch.line = None

    @contextmanager
    def _over_own(self, body: bytes, watch: Watch) -> Generator[StreamedResponse]:
        url = self._route.endpoint.url
        kept = connections()
        connection = kept.take(url, self._route.user)
        import httpx

        watch.line = connection.line
        watch.reused = connection.line is not None
        try:
            with sentinel().guard(watch.deadline, watch.end):
                watch.check()
                # The headers get no name here: a traceback would show the key in them.
                yield connection.transport.handle_request(
                    httpx.Request(
                        "POST",
                        _parsed(url),
                        headers=_with_key(self._route, body),
                        content=_content(body),
                        extensions={"timeout": watch.timeouts, "trace": watch.trace},
                    )
                )
        except BaseException:
            connection.transport.close()
            raise
        if watch.ended:
            connection.transport.close()
        else:
            kept.put(url, Connection(connection.transport, watch.line), self._route.user)


class AsyncExchange:
    """Makes attempts, at most so many at a time, over `client` or over connections of our own."""

    def __init__(
        self, route: Route, slots: asyncio.Semaphore, client: AsyncHTTPClient | None
    ) -> None:
        self._route = route
        self._slots = slots
        self._client = client

    async def __call__(self, attempt: Attempt) -> Response | Failure:
        """Make one attempt in due time; whatever happens to it is returned, never raised."""
        if attempt.delay:
            await asyncio.sleep(attempt.delay)
        started = time.monotonic()
        reply = await self._reply(attempt, Watch(started + attempt.timeout))
        _log(attempt, reply, started)
        return reply

    async def _reply(self, attempt: Attempt, watch: Watch) -> Response | Failure:
        try:
            async with (
                asyncio.timeout(attempt.timeout),
                self._slots,
                self._opened(attempt, watch) as response,
            ):
                watch.answered = True
                body = Body(attempt, watch)
                if response.is_stream_consumed:
                    body.add(response.content)
                else:
                    async for piece in response.aiter_raw():
                        body.add(piece)
                return body.whole(response)
        except Exception as error:
            return watch.failure(error)

    def _opened(
        self, attempt: Attempt, watch: Watch
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        body = attempt.request.body
        if self._client is None:
            return self._over_own(body, watch)
        return self._client.stream(
            "POST",
            self._route.endpoint.url,
            content=_acontent(body),
            headers=_headers(self._route, body),
            auth=Bearer(self._route.endpoint.api_key),
            follow_redirects=False,
            extensions={"timeout": watch.timeouts, "trace": watch.atrace},
        )

    @asynccontextmanager
    async def _over_own(self, body: bytes, watch: Watch) -> AsyncGenerator[StreamedResponse]:
        url = self._route.endpoint.url
        kept = await async_connections()
        transport, watch.reused = await kept.take(url, self._route.user)
        # Imported by now, off the loop.
        import httpx

        try:
            watch.check()
            # The headers get no name here: a traceback would show the key in them.
            yield await transport.handle_async_request(
                httpx.Request(
                    "POST",
                    _parsed(url),
                    headers=_with_key(self._route, body),
                    content=_acontent(body),
                    extensions={"timeout": watch.timeouts, "trace": watch.atrace},
                )
            )
        except BaseException:
            await transport.aclose()
            raise
        await kept.put(url, transport, self._route.user)


@functools.lru_cache(maxsize=64)
def _parsed(url: str) -> "httpx.URL":
    import httpx

    return httpx.URL(url)


def _headers(route: Route, body: bytes) -> Headers:
    return [*route.headers, ("Content-Length", str(len(body)))]


def _with_key(route: Route, body: bytes) -> Headers:
    key = route.endpoint.api_key
    own = [] if key is None else [("Authorization", key.authorization())]
    return [*_headers(route, body), *own]


def _content(body: bytes) -> bytes | Pieces:
    return body if len(body) <= Pieces.SIZE else Pieces(body)


def _acontent(body: bytes) -> bytes | AsyncPieces:
    return body if len(body) <= Pieces.SIZE else AsyncPieces(body)


def _log(attempt: Attempt, reply: Response | Failure, started: float) -> None:
    logger.debug(
        "rerank: model=%s documents=%d bytes=%d answer=%s seconds=%.3f",
        attempt.request.model,
        attempt.request.documents,
        len(attempt.request.body),
        reply.status if isinstance(reply, Response) else reply.kind.name.lower(),
        time.monotonic() - started,
    )
