"""The only code that performs HTTP: it makes attempts and returns what came back."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from openrouter_rerank._attempt import Attempt, Failure, FailureKind, Request, Response
from openrouter_rerank._attempt import Body as RequestBody
from openrouter_rerank._wire.endpoint import ApiKey, Endpoint
from openrouter_rerank._wire.headers import EncodedHeaders
from openrouter_rerank.http_client import (
    AnyRequest,
    AsyncHTTPClient,
    Headers,
    HTTPClient,
    StreamedResponse,
)
from openrouter_rerank.rate_limiter import RateLimiter

from .bounds import Body, Watch
from .direct import aexchanged, exchanged
from .fair_semaphore import Slots
from .permission import arefusal, refusal
from .watchdog import sentinel

logger = logging.getLogger("openrouter_rerank")

_MAX_TIMEOUT = threading.TIMEOUT_MAX
# Bytes up to which a client of the user gets a body in one piece.
_WHOLE = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How the attempts of one call travel."""

    endpoint: Endpoint
    headers: EncodedHeaders
    user: object
    """The client, for which connections are kept open."""


class Exchange:
    """Makes attempts, at most so many at a time, over `client` or over connections of our own."""

    def __init__(
        self,
        route: Route,
        slots: Slots,
        client: HTTPClient | None,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._route = route
        self._slots = slots
        self._client = client
        self._limiter = limiter

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
            # Last, so that what is permitted is sent at once.
            if (refused := refusal(self._limiter, watch)) is not None:
                return refused
            if self._client is None:
                route, headers = self._route, _headers(self._route, attempt.request)
                return exchanged(route.endpoint, headers, route.user, attempt, watch)
            return self._over_injected(self._client, attempt, watch)
        except Exception as error:
            return watch.failure(error)
        finally:
            self._slots.release()

    def _over_injected(self, client: HTTPClient, attempt: Attempt, watch: Watch) -> Response:
        with (
            sentinel().guard(watch.deadline, watch.end),
            client.stream(
                "POST",
                self._route.endpoint.url,
                content=_content(attempt.request.body),
                headers=_headers(self._route, attempt.request),
                auth=Bearer(self._route.endpoint.api_key),
                follow_redirects=False,
                extensions={"timeout": watch.timeouts, "trace": watch.trace},
            ) as response,
        ):
            answer = _read(response, attempt, watch)
            # From here on the connection is that of another call.
            watch.line = None
            return answer


class AsyncExchange:
    """Makes attempts, at most so many at a time, over `client` or over connections of our own."""

    def __init__(
        self,
        route: Route,
        slots: asyncio.Semaphore,
        client: AsyncHTTPClient | None,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._route = route
        self._slots = slots
        self._client = client
        self._limiter = limiter

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
            async with asyncio.timeout(attempt.timeout), self._slots:
                # Last, so that what is permitted is sent at once.
                if (refused := await arefusal(self._limiter, watch)) is not None:
                    return refused
                if self._client is None:
                    route, headers = self._route, _headers(self._route, attempt.request)
                    return await aexchanged(route.endpoint, headers, route.user, attempt, watch)
                return await self._over_injected(self._client, attempt, watch)
        except Exception as error:
            return watch.failure(error)

    async def _over_injected(
        self, client: AsyncHTTPClient, attempt: Attempt, watch: Watch
    ) -> Response:
        async with client.stream(
            "POST",
            self._route.endpoint.url,
            content=_acontent(attempt.request.body),
            headers=_headers(self._route, attempt.request),
            auth=Bearer(self._route.endpoint.api_key),
            follow_redirects=False,
            extensions={"timeout": watch.timeouts, "trace": watch.atrace},
        ) as response:
            return await _aread(response, attempt, watch)


class Bearer:
    """Puts the key into a request of httpx or httpx2, in place of the client's own `auth`."""

    __slots__ = ("_key",)

    def __init__(self, key: ApiKey | None) -> None:
        self._key = key

    def __call__(self, request: AnyRequest) -> AnyRequest:
        """Write the header, unless the user has given one."""
        if self._key is not None:
            request.headers["Authorization"] = self._key.authorization()
        return request


def _read(response: StreamedResponse, attempt: Attempt, watch: Watch) -> Response:
    body = Body(attempt, watch)
    body.begin(response.status_code, response.headers)
    if response.is_stream_consumed:
        body.add(response.content)
    else:
        for piece in response.iter_raw():
            body.add(piece)
    return body.whole()


async def _aread(response: StreamedResponse, attempt: Attempt, watch: Watch) -> Response:
    body = Body(attempt, watch)
    body.begin(response.status_code, response.headers)
    if response.is_stream_consumed:
        body.add(response.content)
    else:
        async for piece in response.aiter_raw():
            body.add(piece)
    return body.whole()


def _headers(route: Route, request: Request) -> Headers:
    return [*route.headers, (b"Content-Length", b"%d" % request.body.size)]


# Whole where it can be: hooks and transports of a user may read it.
def _content(body: RequestBody) -> bytes | RequestBody:
    return b"".join(body) if body.size <= _WHOLE else body


def _acontent(body: RequestBody) -> "bytes | _AsyncBody":
    return b"".join(body) if body.size <= _WHOLE else _AsyncBody(body)


class _AsyncBody:
    # httpx takes what can be iterated both ways for a synchronous body.
    def __init__(self, body: RequestBody) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._body:
            yield piece


def _log(attempt: Attempt, reply: Response | Failure, started: float) -> None:
    logger.debug(
        "rerank: model=%s documents=%d bytes=%d answer=%s seconds=%.3f",
        attempt.request.model,
        attempt.request.documents,
        attempt.request.body.size,
        reply.status if isinstance(reply, Response) else reply.kind.name.lower(),
        time.monotonic() - started,
    )
