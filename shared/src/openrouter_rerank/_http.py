"""The only code that performs HTTP: it makes the attempts of a flow and hands it what came back."""

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ._connections import async_connections, connections
from ._endpoint import Endpoint
from ._flow import Attempt, Failure, FailureKind, Flow
from ._messages import Response
from .ranking import Ranking

logger = logging.getLogger("openrouter_rerank")

Headers = list[tuple[str, str]]

# httpx takes its write timeout for the whole of a body that is one piece, and for each of several.
_PIECE = 256 * 1024
_MAX_TIMEOUT = threading.TIMEOUT_MAX


class StreamedResponse(Protocol):
    """An answer whose body is still to be read, as httpx and httpx2 have it."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    def iter_raw(self) -> Iterator[bytes]: ...
    def aiter_raw(self) -> AsyncIterator[bytes]: ...


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
    ) -> AbstractContextManager[StreamedResponse]: ...


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
    ) -> AbstractAsyncContextManager[StreamedResponse]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How the attempts of one call travel."""

    endpoint: Endpoint
    headers: tuple[tuple[str, str], ...]
    user: object
    """The client, for which connections are kept open."""


def drive(flow: Flow, exchange: Callable[[Attempt], Response | Failure]) -> Ranking:
    """Make the attempts that `flow` asks for until it has a ranking."""
    try:
        step = next(flow)
        while isinstance(step, Attempt):
            time.sleep(step.delay)
            started = time.monotonic()
            reply = exchange(step)
            _log(step, reply, started)
            step = flow.send(reply)
        return step
    finally:
        flow.close()


class Exchange:
    """Makes attempts, at most so many at a time, over `client` or over connections of our own."""

    def __init__(
        self, route: Route, slots: threading.BoundedSemaphore, client: HTTPClient | None
    ) -> None:
        self._route = route
        self._slots = slots
        self._client = client

    def __call__(self, attempt: Attempt) -> Response | Failure:
        """Make one attempt; whatever happens to it is returned, never raised."""
        watch = _Watch(time.monotonic() + attempt.timeout)
        if not self._slots.acquire(timeout=min(attempt.timeout, _MAX_TIMEOUT)):
            return Failure(kind=FailureKind.DEADLINE, detail="all slots were busy")
        try:
            with self._opened(attempt, watch) as response:
                watch.answered = True
                body = _Body(attempt, watch)
                for piece in response.iter_raw():
                    body.add(piece)
                return body.whole(response)
        except Exception as error:
            return watch.failure(error)
        finally:
            self._slots.release()

    def _opened(
        self, attempt: Attempt, watch: "_Watch"
    ) -> AbstractContextManager[StreamedResponse]:
        body = attempt.request.body
        content = body if len(body) <= _PIECE else _pieces(body)
        headers = _headers(self._route, body)
        extensions: dict[str, object] = {"timeout": watch.timeouts, "trace": watch.refresh}
        if self._client is None:
            return self._over_own(content, headers, extensions, watch)
        return self._client.stream(
            "POST",
            self._route.endpoint.url,
            content=content,
            headers=headers,
            follow_redirects=False,
            extensions=extensions,
        )

    @contextmanager
    def _over_own(
        self,
        content: bytes | Iterator[bytes],
        headers: Headers,
        extensions: dict[str, object],
        watch: "_Watch",
    ) -> Iterator[StreamedResponse]:
        import httpx

        url = self._route.endpoint.url
        kept = connections()
        transport, watch.reused = kept.take(url, self._route.user)
        try:
            yield transport.handle_request(
                httpx.Request("POST", url, headers=headers, content=content, extensions=extensions)
            )
        except BaseException:
            transport.close()
            raise
        kept.put(url, transport)


async def adrive(flow: Flow, exchange: "AsyncExchange") -> Ranking:
    """Make the attempts that `flow` asks for until it has a ranking."""
    try:
        step = next(flow)
        while isinstance(step, Attempt):
            await asyncio.sleep(step.delay)
            started = time.monotonic()
            reply = await exchange(step)
            _log(step, reply, started)
            step = flow.send(reply)
        return step
    finally:
        flow.close()


class AsyncExchange:
    """Makes attempts, at most so many at a time, over `client` or over connections of our own."""

    def __init__(
        self, route: Route, slots: asyncio.Semaphore, client: AsyncHTTPClient | None
    ) -> None:
        self._route = route
        self._slots = slots
        self._client = client

    async def __call__(self, attempt: Attempt) -> Response | Failure:
        """Make one attempt; whatever happens to it is returned, never raised."""
        watch = _Watch(time.monotonic() + attempt.timeout)
        try:
            async with asyncio.timeout(attempt.timeout), self._slots:
                async with self._opened(attempt, watch) as response:
                    watch.answered = True
                    body = _Body(attempt, watch)
                    async for piece in response.aiter_raw():
                        body.add(piece)
                    return body.whole(response)
        except Exception as error:
            return watch.failure(error)

    def _opened(
        self, attempt: Attempt, watch: "_Watch"
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        body = attempt.request.body
        content = body if len(body) <= _PIECE else _apieces(body)
        headers = _headers(self._route, body)
        extensions: dict[str, object] = {"timeout": watch.timeouts}
        if self._client is None:
            return self._over_own(content, headers, extensions, watch)
        return self._client.stream(
            "POST",
            self._route.endpoint.url,
            content=content,
            headers=headers,
            follow_redirects=False,
            extensions=extensions,
        )

    @asynccontextmanager
    async def _over_own(
        self,
        content: bytes | AsyncIterator[bytes],
        headers: Headers,
        extensions: dict[str, object],
        watch: "_Watch",
    ) -> AsyncIterator[StreamedResponse]:
        import httpx

        url = self._route.endpoint.url
        kept = await async_connections()
        transport, watch.reused = await kept.take(url, self._route.user)
        try:
            yield await transport.handle_async_request(
                httpx.Request("POST", url, headers=headers, content=content, extensions=extensions)
            )
        except BaseException:
            await transport.aclose()
            raise
        await kept.put(url, transport)


class _Abandoned(Exception):
    """The body is not read to its end."""

    def __init__(self, kind: FailureKind) -> None:
        self.kind = kind


class _Watch:
    """Keeps the time of one attempt, and tells what an exception during it means."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.reused = False
        self.answered = False
        self.timeouts: dict[str, float] = {}
        self._renew()

    def refresh(self, _event: str, _info: object) -> None:
        """Give the next step of the exchange the time that is left: httpx's timeouts are per read."""
        self._renew()

    def _renew(self) -> None:
        left = max(self.deadline - time.monotonic(), 0.001)
        self.timeouts.update(connect=left, read=left, write=left, pool=left)

    def is_over(self) -> bool:
        """Tell whether the time of the attempt is used up."""
        return time.monotonic() >= self.deadline - 0.001

    def failure(self, error: Exception) -> Failure:
        """Turn `error` into a value; raise it again if it is not about the exchange."""
        if isinstance(error, _Abandoned):
            return Failure(kind=error.kind)
        # By name, so that the errors of httpx2 and of httpx are understood without either.
        names = {kind.__name__ for kind in type(error).__mro__}
        kind = next((kind for name, kind in _KINDS.items() if name in names), None)
        if kind is None:
            raise error
        if names & {"TimeoutException", "TimeoutError"} and self.is_over():
            kind = FailureKind.DEADLINE
        elif kind is FailureKind.LOST and self.reused and not self.answered:
            kind = FailureKind.STALE
        elif kind is FailureKind.UNSENT and _is_untrusted(error):
            kind = FailureKind.UNTRUSTED
        return Failure(kind=kind, detail=type(error).__name__)


_KINDS = {
    "ConnectTimeout": FailureKind.UNSENT,
    "PoolTimeout": FailureKind.UNSENT,
    "ConnectError": FailureKind.UNSENT,
    "ProxyError": FailureKind.UNSENT,
    "LocalProtocolError": FailureKind.UNSENDABLE,
    "UnsupportedProtocol": FailureKind.UNSENDABLE,
    "TimeoutException": FailureKind.TIMEOUT,
    "TimeoutError": FailureKind.TIMEOUT,
    "TransportError": FailureKind.LOST,
}


class _Body:
    """Collects the body of an answer, within its bounds of size and time."""

    def __init__(self, attempt: Attempt, watch: _Watch) -> None:
        self._left = attempt.request.longest_answer
        self._watch = watch
        self._pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise _Abandoned(FailureKind.OVERSIZED)
        if self._watch.is_over():
            raise _Abandoned(FailureKind.DEADLINE)
        self._pieces.append(piece)

    def whole(self, response: StreamedResponse) -> Response:
        return Response(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=b"".join(self._pieces),
            received=time.time(),
        )


def _headers(route: Route, body: bytes) -> Headers:
    headers = [*route.headers, ("Content-Length", str(len(body)))]
    key = route.endpoint.api_key
    return headers if key is None else [*headers, ("Authorization", key.authorization())]


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


async def _apieces(body: bytes) -> AsyncIterator[bytes]:
    for piece in _pieces(body):
        yield piece


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _log(attempt: Attempt, reply: Response | Failure, started: float) -> None:
    logger.debug(
        "rerank: model=%s documents=%d bytes=%d answer=%s seconds=%.3f",
        attempt.request.model,
        attempt.request.documents,
        len(attempt.request.body),
        reply.status if isinstance(reply, Response) else reply.kind.name.lower(),
        time.monotonic() - started,
    )
