"""
Makes the attempts of a call: waits for a request slot and the rate limiter, then exchanges.

`Exchange` and `AsyncExchange` use the client that the user has injected, or connections from our
own pool. Every failure of an attempt is returned as a value.
"""

import asyncio
import logging
import time
from dataclasses import dataclass

from openrouter_rerank._attempt import Attempt, Failure, FailureKind, Response, Step
from openrouter_rerank._tracebacks import raise_if_from_signal
from openrouter_rerank._wire.endpoint import EncodedHeaders, Endpoint, Secrets
from openrouter_rerank._wire.headers import HeaderFields
from openrouter_rerank._wire.response import charge, charge_for_part
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.http_client import AsyncHTTPClient, HTTPClient
from openrouter_rerank.rate_limiter import RateLimiter, apermission, permission

from .bounds import Bounds, ResponseBuilder
from .fair_semaphore import FairSemaphore, Holder
from .injected import aexchange_over, exchange_over
from .pool import async_pool, pool

logger = logging.getLogger("openrouter_rerank")

_RESPONSE_LINE = "%s: model=%s documents=%d bytes=%d response=%s seconds=%.3f"
_FAILURE_LINE = f"{_RESPONSE_LINE} reason=%s"
# Seconds between two calls of a rate limiter's `acquire`: at first, and at most. The second is the
# interval of LangChain's own limiter.
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.1


class SentHeaders:
    """
    The headers of a client or of one call, and what has to be known of them to send them.

    Args:
        fields: The headers.
        client: The headers of the client, if these are of one call.
    """

    __slots__ = ("encoded", "fields", "has_key", "own", "secrets")

    def __init__(self, fields: HeaderFields, client: "SentHeaders | None" = None) -> None:
        self.fields = fields
        self.encoded = EncodedHeaders(fields.encoded())
        self.own = fields.own()
        """Those of the user, which may be secret."""
        self.has_key = any(name.lower() == "authorization" for name in self.own)
        """`True` if they have the key, so that no other key is sent."""
        self.secrets: Secrets
        """The values that a server must not be able to put into a message."""
        if client is not None and self.own == client.own:
            self.secrets = client.secrets
        else:
            # A server knows the values of the client's other calls, too.
            others = [] if client is None else client.own.secret_values()
            self.secrets = Secrets([*self.own.secret_values(), *others])

    def of_call(self, changes: HeaderFields) -> "SentHeaders":
        """Return the headers of a call that changes these."""
        return SentHeaders(self.fields.with_changes(changes), self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where the attempts of one call go, and with which headers."""

    endpoint: Endpoint
    headers: SentHeaders
    owner: object
    """The client that makes the call: the pool keeps connections while their client is open."""
    slots: int
    """The number of request slots of the client, for messages."""

    def bounds(self, attempt: Attempt) -> Bounds:
        """Return the bounds of an attempt that begins now."""
        bounds = Bounds(time.monotonic(), attempt.timeout, self.endpoint.url, self.masked)
        bounds.slots = self.slots
        return bounds

    def masked(self, text: str) -> str:
        """Mask the key and the headers of the user in a text of the server."""
        return self.headers.secrets.masked(text, self.endpoint.api_key)


class Exchange:
    """
    Makes the attempts of one synchronous call.

    Args:
        route: Where they go.
        slots: The request slots that all calls of a client share.
        client: The injected HTTP client; `None` to use connections from our own pool.
        limiter: Asked for permission before each attempt.
    """

    def __init__(
        self,
        route: Route,
        slots: FairSemaphore,
        client: HTTPClient | None,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._route = route
        self._slots = slots
        self._client = client
        self._limiter = limiter

    def __call__(self, attempt: Attempt) -> Response | Failure:
        """Wait for the delay of `attempt`, make it within its timeout, and return the outcome."""
        if attempt.delay:
            time.sleep(attempt.delay)
        bounds = self._route.bounds(attempt)
        outcome = self._outcome(attempt, bounds)
        _log(attempt, outcome, bounds.started)
        return outcome

    def _outcome(self, attempt: Attempt, bounds: Bounds) -> Response | Failure:
        holder = Holder()
        try:
            if self._slots.acquire(holder, attempt.timeout):
                return self._with_slot(attempt, bounds)
            return bounds.failed(FailureKind.BUSY)
        finally:
            self._slots.release(holder)

    def _with_slot(self, attempt: Attempt, bounds: Bounds) -> Response | Failure:
        try:
            # The limiter is asked last, so that a permitted request is sent immediately.
            if self._limiter is not None and not attempt.is_over_budget:
                bounds.go_on_to(Step.PERMISSION)
                if refused := _refusal(self._limiter, bounds):
                    return refused
            bounds.go_on_to(Step.CONNECTION)
            if attempt.is_over_budget:
                return bounds.failed(FailureKind.OVER_BUDGET)
            if self._client is None:
                return _over_own_connection(self._route, attempt, bounds)
            endpoint, headers = self._route.endpoint, self._route.headers.encoded
            return exchange_over(self._client, endpoint, headers, attempt, bounds)
        except Exception as error:
            return bounds.failure(error)


class AsyncExchange:
    """Makes the attempts of one asynchronous call: see `Exchange`."""

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
        """Wait for the delay of `attempt`, make it within its timeout, and return the outcome."""
        if attempt.delay:
            await asyncio.sleep(attempt.delay)
        bounds = self._route.bounds(attempt)
        outcome = await self._outcome(attempt, bounds)
        _log(attempt, outcome, bounds.started)
        return outcome

    async def _outcome(self, attempt: Attempt, bounds: Bounds) -> Response | Failure:
        try:
            async with asyncio.timeout(attempt.timeout), self._slots:
                # The limiter is asked last, so that a permitted request is sent immediately.
                if self._limiter is not None and not attempt.is_over_budget:
                    bounds.go_on_to(Step.PERMISSION)
                    if refused := await _arefusal(self._limiter, bounds):
                        return refused
                bounds.go_on_to(Step.CONNECTION)
                if attempt.is_over_budget:
                    return bounds.failed(FailureKind.OVER_BUDGET)
                if self._client is None:
                    return await _aover_own_connection(self._route, attempt, bounds)
                endpoint, headers = self._route.endpoint, self._route.headers.encoded
                return await aexchange_over(self._client, endpoint, headers, attempt, bounds)
        except Exception as error:
            return bounds.failure(error)


def _over_own_connection(route: Route, attempt: Attempt, bounds: Bounds) -> Response | Failure:
    """Make an attempt over a connection from our own pool."""
    url, request, connections = route.endpoint.url, attempt.request, pool()
    connection, bounds.is_reused = connections.take(
        url, route.owner, new=attempt.is_on_new_connection
    )
    response = ResponseBuilder(attempt, bounds)
    try:
        connection.exchange(
            url, _headers(route, attempt), request.body, response, method=request.method
        )
    except BaseException:
        connection.close()
        charge_for_part(attempt, response.build())
        raise
    # Charged first: the call may end while the connection is put back.
    received = response.build()
    charge(attempt, received)
    connections.put(url, connection, route.owner)
    return received


async def _aover_own_connection(
    route: Route, attempt: Attempt, bounds: Bounds
) -> Response | Failure:
    """Make an attempt over a connection from our own pool."""
    url, request, connections = route.endpoint.url, attempt.request, await async_pool()
    connection, bounds.is_reused = await connections.take(
        url, route.owner, new=attempt.is_on_new_connection
    )
    response = ResponseBuilder(attempt, bounds)
    try:
        await connection.exchange(
            url, _headers(route, attempt), request.body, response, method=request.method
        )
    except GeneratorExit:
        # The coroutine was closed, so it cannot await anything any more.
        connection.abort()
        charge_for_part(attempt, response.build())
        raise
    except BaseException:
        charge_for_part(attempt, response.build())
        await connection.aclose()
        raise
    # Charged first: the call may end while the connection is put back.
    received = response.build()
    charge(attempt, received)
    await connections.put(url, connection, route.owner)
    return received


def _headers(route: Route, attempt: Attempt) -> EncodedHeaders:
    url, key = route.endpoint.url, route.endpoint.api_key
    host = (b"Host", url.split("/", 3)[2].encode())
    has_body = attempt.request.method == "POST"
    length = ((b"Content-Length", b"%d" % attempt.request.body.size),) if has_body else ()
    # The header with the key is not a local variable, because a traceback would show it.
    if key is None:
        return EncodedHeaders((host, *route.headers.encoded, *length))
    return EncodedHeaders(
        (host, *route.headers.encoded, *length, (b"Authorization", key.authorization().encode()))
    )


def _refusal(limiter: RateLimiter, bounds: Bounds) -> Failure | None:
    """Wait for permission until the time is up; return a failure if there is none."""
    pause = _FIRST_PAUSE
    try:
        # `acquire(blocking=True)` could not be ended at the deadline.
        while not permission(limiter):
            if bounds.is_time_up():
                return bounds.failed(FailureKind.UNPERMITTED)
            time.sleep(min(pause, max(bounds.deadline - time.monotonic(), 0.0)))
            pause = min(2 * pause, _LONGEST_PAUSE)
    except ConfigurationError:
        raise
    except Exception as error:
        return _limiter_failure(error, bounds)
    return None


async def _arefusal(limiter: RateLimiter, bounds: Bounds) -> Failure | None:
    """Wait for permission, within the timeout of the caller; return a failure if there is none."""
    try:
        is_permitted = await apermission(limiter)
    except ConfigurationError:
        raise
    except Exception as error:
        return _limiter_failure(error, bounds)
    return None if is_permitted else bounds.failed(FailureKind.UNPERMITTED)


def _limiter_failure(error: Exception, bounds: Bounds) -> Failure:
    raise_if_from_signal(error)
    # Only the class of the error: its message may quote the password of a database.
    return bounds.failed(FailureKind.BROKEN_LIMITER, type(error).__name__)


def _log(attempt: Attempt, outcome: Response | Failure, started: float) -> None:
    request, seconds = attempt.request, time.monotonic() - started
    shown = (request.what, request.model, request.documents, request.body.size)
    if isinstance(outcome, Response):
        logger.debug(_RESPONSE_LINE, *shown, outcome.status, seconds)
    else:
        logger.debug(_FAILURE_LINE, *shown, outcome.kind.name.lower(), seconds, outcome.reason)
