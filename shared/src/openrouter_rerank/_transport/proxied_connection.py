"""Connections through a proxy: pools of httpcore of one connection each, for it knows proxies."""

import functools
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Generic, TypeVar

import httpcore
import httpx

from openrouter_rerank._wire.headers import EncodedHeaders

from .async_sockets import AsyncSockets
from .bounds import Body
from .http11 import by_name
from .sockets import Sockets

# Seconds, longer than connections are kept: those who keep them decide.
_EXPIRY = 3600.0

_Pool = TypeVar("_Pool", httpcore.ConnectionPool, httpcore.AsyncConnectionPool)


class _ProxiedLine(Generic[_Pool]):
    """What both kinds have."""

    _pool: _Pool

    @property
    def is_idle(self) -> bool:
        """Whether another exchange may follow the last one."""
        connections = self._pool.connections
        return bool(connections) and all(each.is_idle() for each in connections)

    def is_alive(self) -> bool:
        """Tell whether it can be used again, as far as this side knows."""
        return self.is_idle and not any(each.has_expired() for each in self._pool.connections)


class ProxiedLine(_ProxiedLine[httpcore.ConnectionPool]):
    """A connection through `proxy` for synchronous calls."""

    def __init__(self, proxy: httpx.Proxy, context: ssl.SSLContext | None) -> None:
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
        self, url: str, headers: EncodedHeaders, body: Iterable[bytes], answer: Body
    ) -> None:
        """Send a request and read its answer, both within the time of its watch."""
        self._sockets.deadline = answer.watch.deadline
        response = self._pool.handle_request(
            httpcore.Request("POST", _parsed(url), headers=headers, content=_Content(body))
        )
        answer.begin(response.status, by_name(response.headers))
        for piece in response.iter_stream():
            answer.add(piece)
        response.close()

    def close(self) -> None:
        """Hang up."""
        self._pool.close()


class AsyncProxiedLine(_ProxiedLine[httpcore.AsyncConnectionPool]):
    """A connection through `proxy` for asynchronous calls."""

    def __init__(self, proxy: httpx.Proxy, context: ssl.SSLContext | None) -> None:
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
        self, url: str, headers: EncodedHeaders, body: Iterable[bytes], answer: Body
    ) -> None:
        """Send a request and read its answer; the caller watches the time."""
        response = await self._pool.handle_async_request(
            httpcore.Request(
                "POST",
                _parsed(url),
                headers=headers,
                content=_Content(body),
                extensions={"timeout": answer.watch.timeouts},
            )
        )
        answer.begin(response.status, by_name(response.headers))
        async for piece in response.aiter_stream():
            answer.add(piece)
        await response.aclose()

    async def aclose(self) -> None:
        """Hang up."""
        await self._pool.aclose()

    def abort(self) -> None:
        """Hang up when the loop comes round."""
        self._sockets.abort()


class _Content:
    """A body that can be sent both ways."""

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
