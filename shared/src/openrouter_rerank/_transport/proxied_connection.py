"""
Connections through a proxy.

Each is a pool of httpcore with one connection, because httpcore implements HTTP and SOCKS proxies.
"""

import asyncio
import base64
import functools
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Generic, TypeVar

import httpcore
import httpx

from openrouter_rerank._attempt import Step
from openrouter_rerank._tracebacks import clear_frames
from openrouter_rerank._wire.endpoint import EncodedHeaders, Secrets

from .async_sockets import AsyncSockets
from .bounds import Bounds, ResponseBuilder
from .http11 import headers_by_name
from .sockets import Sockets

# Seconds. Longer than our own pool keeps an idle connection, so that our pool decides.
_EXPIRY = 3600.0

_Pool = TypeVar("_Pool", httpcore.ConnectionPool, httpcore.AsyncConnectionPool)


class _ProxiedConnection(Generic[_Pool]):
    """Shared by `ProxiedConnection` and `AsyncProxiedConnection`."""

    _pool: _Pool

    def _name_proxy(self, proxy: httpx.Proxy) -> None:
        self._proxy: str = str(proxy.url)
        # A proxy may echo the user name and the password, also as they were sent (RFC 7617).
        login: tuple[bytes, ...] = proxy.raw_auth or ()
        sent: bytes = base64.b64encode(b":".join(login))
        self._secrets = Secrets(each.decode("latin-1") for each in (*login, sent))

    def _note(self, bounds: Bounds) -> None:
        """Note what the failure of an exchange has to say about the proxy."""
        bounds.proxy, bounds.step = self._proxy, Step.RESPONSE
        bounds.mask_too(self._secrets)

    @property
    def is_idle(self) -> bool:
        """Whether the last exchange is complete, and another one may follow."""
        connections = self._pool.connections
        return bool(connections) and all(each.is_idle() for each in connections)

    def is_alive(self) -> bool:
        """Return `True` if the connection can be used again, as far as this side knows."""
        return self.is_idle and not any(each.has_expired() for each in self._pool.connections)


class ProxiedConnection(_ProxiedConnection[httpcore.ConnectionPool]):
    """A connection through `proxy` for synchronous calls."""

    def __init__(self, proxy: httpx.Proxy, context: ssl.SSLContext | None) -> None:
        self._name_proxy(proxy)
        kind = httpcore.SOCKSProxy if _is_socks(proxy) else httpcore.HTTPProxy
        self._sockets = Sockets()
        self._pool = kind(
            str(proxy.url),
            proxy_auth=proxy.raw_auth,
            ssl_context=context,
            max_connections=1,
            keepalive_expiry=_EXPIRY,
            network_backend=self._sockets,
        )

    def exchange(
        self,
        url: str,
        headers: EncodedHeaders,
        body: Iterable[bytes],
        response: ResponseBuilder,
        *,
        method: str = "POST",
    ) -> None:
        """Send a request and read `response`; every wait ends by the deadline of its bounds."""
        self._note(response.bounds)
        self._sockets.deadline = response.bounds.deadline
        received = self._pool.handle_request(
            httpcore.Request(method, _parsed(url), headers=[*headers], content=_Content(body))
        )
        response.begin(received.status, headers_by_name(received.headers))
        for piece in received.iter_stream():
            response.add(piece)
        received.close()

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


class AsyncProxiedConnection(_ProxiedConnection[httpcore.AsyncConnectionPool]):
    """A connection through `proxy` for asynchronous calls."""

    def __init__(self, proxy: httpx.Proxy, context: ssl.SSLContext | None) -> None:
        self._name_proxy(proxy)
        self._sockets = AsyncSockets()
        kind = httpcore.AsyncSOCKSProxy if _is_socks(proxy) else httpcore.AsyncHTTPProxy
        self._pool = kind(
            str(proxy.url),
            proxy_auth=proxy.raw_auth,
            ssl_context=context,
            max_connections=1,
            keepalive_expiry=_EXPIRY,
            network_backend=self._sockets,
        )

    async def exchange(
        self,
        url: str,
        headers: EncodedHeaders,
        body: Iterable[bytes],
        response: ResponseBuilder,
        *,
        method: str = "POST",
    ) -> None:
        """Send a request and read `response`; the caller ends it at the deadline."""
        self._note(response.bounds)
        # httpcore awaits something after every exception. If the call's coroutine is closed, it
        # cannot await any more; a task still can.
        task = asyncio.create_task(self._exchange(url, headers, body, response, method))
        try:
            await task
        except GeneratorExit:
            task.cancel()
            raise
        finally:
            # A traceback refers to this frame, and the task to the traceback.
            del task

    async def _exchange(
        self,
        url: str,
        headers: EncodedHeaders,
        body: Iterable[bytes],
        response: ResponseBuilder,
        method: str,
    ) -> None:
        try:
            received = await self._pool.handle_async_request(
                httpcore.Request(
                    method,
                    _parsed(url),
                    headers=[*headers],
                    content=_Content(body),
                    extensions={"timeout": response.bounds.timeouts},
                )
            )
            response.begin(received.status, headers_by_name(received.headers))
            async for piece in received.aiter_stream():
                response.add(piece)
            await received.aclose()
        except BaseException as error:
            # If the call's coroutine is closed, asyncio logs the exception with its traceback.
            clear_frames(error)
            raise

    async def aclose(self) -> None:
        """Close the connection."""
        try:
            await self._pool.aclose()
        finally:
            # httpcore does not know a connection that was interrupted in the handshake of a proxy.
            self._sockets.abort()

    def abort(self) -> None:
        """Close the connection without waiting; the loop closes its socket afterwards."""
        self._sockets.abort()


class _Content:
    """A request body that httpcore can send synchronously and asynchronously."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._body:
            yield piece


def _is_socks(proxy: httpx.Proxy) -> bool:
    return proxy.url.scheme.startswith("socks")


@functools.lru_cache(maxsize=64)
def _parsed(url: str) -> httpcore.URL:
    return httpcore.URL(url)
