"""
Exchanges over an httpx or httpx2 client that the user has passed as `http_client`.

The client brings its own connections, pool and proxies; here it gets the timeouts, the key and the
request, and its response is read within the bounds of the attempt.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from traceback import walk_tb
from typing import Protocol, runtime_checkable

from openrouter_rerank._attempt import Attempt, Body, Failure, FailureKind, Response, Step
from openrouter_rerank._tracebacks import HTTP_LIBRARIES, clear_headers
from openrouter_rerank._wire.endpoint import ApiKey, EncodedHeaders, Endpoint
from openrouter_rerank._wire.response import charge, charge_for_part
from openrouter_rerank.http_client import (
    AnyRequest,
    AsyncHTTPClient,
    HTTPClient,
    StreamedResponse,
)

from .bounds import Bounds, ResponseBuilder
from .watchdog import Watched, watchdog

# Bytes up to which the client gets a body as one `bytes` object.
_LONGEST_JOINED = 512 * 1024
# The errors of httpx and httpx2 that are not about the connection.
_LIBRARY_ERRORS = frozenset({"HTTPError", "StreamError", "InvalidURL", "CookieConflict"})
# The packages that raise a `RuntimeError` if the client, or the loop of a connection, is closed.
_RUNTIME_PACKAGES = HTTP_LIBRARIES | {"anyio", "asyncio", "uvloop"}
# Pieces of a body that are read one after another.
_PIECES_PER_TURN = 100
_STEPS = ("connect", "read", "write", "pool")


class TimeLeft(Mapping[str, float]):
    """
    The timeouts of a request, as httpx and httpcore read them: the seconds left for each step.

    They are computed when a step begins. The timeouts of httpx apply to each read, so values
    computed once at the start would add up to more than the attempt has.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    def __getitem__(self, step: str) -> float:
        if step not in _STEPS:
            raise KeyError(step)
        return self._bounds.seconds_for(step)

    def __iter__(self) -> Iterator[str]:
        return iter(_STEPS)

    def __len__(self) -> int:
        return len(_STEPS)


def exchange_over(
    client: HTTPClient,
    endpoint: Endpoint,
    headers: EncodedHeaders,
    attempt: Attempt,
    bounds: Bounds,
) -> Response | Failure:
    """Send the request of `attempt` and return the outcome, within `bounds`."""
    bounds.is_injected, bounds.step = True, Step.RESPONSE
    auth = Bearer(endpoint.api_key)
    try:
        with (
            _Cleared(bounds),
            Watched(watchdog(), bounds.deadline, bounds.shut_down),
            client.stream(
                attempt.request.method,
                endpoint.url,
                content=_content(attempt.request.body),
                headers=_headers(headers, attempt),
                auth=auth,
                follow_redirects=False,
                extensions={"timeout": TimeLeft(bounds), "trace": bounds.trace},
            ) as response,
        ):
            return _read(response, attempt, bounds)
    except Exception as error:
        return _outcome_of(error, auth, attempt, bounds)


async def aexchange_over(
    client: AsyncHTTPClient,
    endpoint: Endpoint,
    headers: EncodedHeaders,
    attempt: Attempt,
    bounds: Bounds,
) -> Response | Failure:
    """Send the request of `attempt` and return the outcome; the caller ends it at the deadline."""
    bounds.is_injected, bounds.step = True, Step.RESPONSE
    auth = Bearer(endpoint.api_key)
    try:
        with _Cleared(bounds):
            async with client.stream(
                attempt.request.method,
                endpoint.url,
                content=_acontent(attempt.request.body),
                headers=_headers(headers, attempt),
                auth=auth,
                follow_redirects=False,
                extensions={"timeout": TimeLeft(bounds), "trace": bounds.atrace},
            ) as response:
                return await _aread(response, attempt, bounds)
    except Exception as error:
        return _outcome_of(error, auth, attempt, bounds)


@runtime_checkable
class _StatusError(Protocol):
    """The error of `raise_for_status`."""

    request: object
    response: StreamedResponse


class _Cleared:
    """
    A context that removes the headers of the request if the exchange fails.

    httpcore's pool, which belongs to the user's client, keeps some requests that were cancelled.
    """

    __slots__ = ("_bounds",)

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            clear_headers(self._bounds.request)


class Bearer:
    """Adds the API key to a request of httpx or httpx2; it replaces the client's own `auth`."""

    __slots__ = ("_key", "request")

    def __init__(self, key: ApiKey | None) -> None:
        self._key = key
        self.request: object = None
        """The request that was last given to this object."""

    def __call__(self, request: AnyRequest) -> AnyRequest:
        """Set the `Authorization` header, unless the headers of the user contain one."""
        self.request = request
        if self._key is not None:
            request.headers["Authorization"] = self._key.authorization()
        return request


def _outcome_of(
    error: Exception, auth: Bearer, attempt: Attempt, bounds: Bounds
) -> Response | Failure:
    """
    Return the outcome of an exchange that a closed client, a hook or a transport has ended.

    Raises:
        Exception: `error`, if it is about the connection, or is not an error of the HTTP library.
    """
    names = {
        each.__name__
        for each in type(error).__mro__
        if each.__module__.partition(".")[0] in HTTP_LIBRARIES
    }
    if _is_of_closed_client(error):
        return bounds.failed(FailureKind.UNSENDABLE, "http_client is closed")
    if "TransportError" in names or names.isdisjoint(_LIBRARY_ERRORS):
        raise error
    if (
        "HTTPStatusError" in names
        and isinstance(error, _StatusError)
        and error.request is auth.request
    ):
        response = error.response
        # From `raise_for_status`, so the response says more than the error.
        builder = ResponseBuilder(attempt, bounds)
        builder.begin(response.status_code, response.headers)
        # If the hook has not read the body, it is lost: httpx has closed the response.
        with suppress(RuntimeError):
            builder.add(response.content)
        return _charged(attempt, builder)
    return bounds.failed(FailureKind.BROKEN_CLIENT, type(error).__name__)


def _is_of_closed_client(error: Exception) -> bool:
    """Return `True` if a library refuses to use a closed client, or one of a closed event loop."""
    if not isinstance(error, RuntimeError) or "closed" not in str(error):
        return False
    # A hook or a transport of the user may raise the same class with any text.
    names = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    return names[-1].partition(".")[0] in _RUNTIME_PACKAGES


def _headers(headers: EncodedHeaders, attempt: Attempt) -> list[tuple[bytes, bytes]]:
    if attempt.request.method == "GET":
        return [*headers]
    return [*headers, (b"Content-Length", b"%d" % attempt.request.body.size)]


def _read(response: StreamedResponse, attempt: Attempt, bounds: Bounds) -> Response:
    builder = ResponseBuilder(attempt, bounds)
    builder.begin(response.status_code, response.headers)
    try:
        if response.is_stream_consumed:
            builder.add(response.content)
        else:
            for piece in response.iter_raw():
                builder.add(piece)
    except BaseException:
        # After the last piece, the iterator closes the response, which may fail.
        charge_for_part(attempt, builder.build())
        raise
    return _charged(attempt, builder)


async def _aread(response: StreamedResponse, attempt: Attempt, bounds: Bounds) -> Response:
    builder = ResponseBuilder(attempt, bounds)
    builder.begin(response.status_code, response.headers)
    try:
        if response.is_stream_consumed:
            builder.add(response.content)
        else:
            pieces = 0
            async for piece in response.aiter_raw():
                builder.add(piece)
                pieces += 1
                if pieces % _PIECES_PER_TURN == 0:
                    # A body of very many pieces must not keep other tasks waiting.
                    await asyncio.sleep(0)
    except BaseException:
        # After the last piece, the iterator closes the response, which may take time.
        charge_for_part(attempt, builder.build())
        raise
    return _charged(attempt, builder)


def _charged(attempt: Attempt, builder: ResponseBuilder) -> Response:
    # Before the response is closed, because the call may end while it is.
    received = builder.build()
    charge(attempt, received)
    return received


# One object if the body is small: event hooks and transports of the user may read `content`.
def _content(body: Body) -> bytes | Body:
    return b"".join(body) if body.size <= _LONGEST_JOINED else body


def _acontent(body: Body) -> "bytes | _AsyncBody":
    return b"".join(body) if body.size <= _LONGEST_JOINED else _AsyncBody(body)


class _AsyncBody:
    # Only an asynchronous iterator: httpx treats an object with both kinds as a synchronous body.
    def __init__(self, body: Body) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._body:
            yield piece
