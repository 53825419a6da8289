"""Connections to a host: one exchange after another, over h11 and our sockets."""

import asyncio
import functools
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import httpcore

from openrouter_rerank._attempt import Step
from openrouter_rerank._tracebacks import raise_if_from_signal
from openrouter_rerank._wire.endpoint import EncodedHeaders

from .async_sockets import connect
from .async_stream import AsyncStream
from .bounds import ResponseBuilder
from .http11 import HTTP11
from .proxy import Proxy
from .sockets import Sockets, Stream
from .tunnel import Handshake

_READ_BYTES = 65_536
_READ_BYTES_OF_PROXY = 4_096

_Stream = TypeVar("_Stream", Stream, AsyncStream)


class _Connection(Generic[_Stream]):
    """
    Shared by `Connection` and `AsyncConnection`.

    Args:
        url: A URL of the host. The connection is opened by its first exchange.
        context: Secures the connection; `None` for plain HTTP.
        proxy: The proxy that leads to the host; `None` if there is none.
    """

    def __init__(
        self, url: str, context: ssl.SSLContext | None, proxy: Proxy | None = None
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (80 if context is None else 443)
        self._context = context
        self._proxy = proxy
        # An HTTP proxy opens tunnels for TLS, and forwards requests in plain HTTP.
        self._is_forwarded = proxy is not None and proxy.is_http and context is None
        self._http = HTTP11()
        self._stream: _Stream | None = None
        self.is_idle = False
        """Whether the last exchange is complete, and another one may follow."""

    def _request(
        self,
        url: str,
        headers: EncodedHeaders,
        body: Iterable[bytes],
        method: str,
    ) -> Iterator[bytes]:
        """Return the bytes of a request, in pieces."""
        target = _target(url)
        if self._is_forwarded and self._proxy is not None:
            target, headers = url.encode(), self._proxy.with_login(headers)
        return self._http.request(target, headers, body, method=method)

    def is_alive(self) -> bool:
        """Return `True` if the connection can be used again, as far as this side knows."""
        # Between two exchanges there is nothing to read but the end of the connection.
        return self.is_idle and self._stream is not None and not self._stream.is_readable()


class Connection(_Connection[Stream]):
    """A connection for synchronous calls."""

    def __init__(
        self, url: str, context: ssl.SSLContext | None, proxy: Proxy | None = None
    ) -> None:
        super().__init__(url, context, proxy)
        self._sockets = Sockets()

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
        self.is_idle = False
        self._sockets.deadline = response.bounds.deadline
        if self._proxy is not None:
            self._proxy.note(response.bounds)
        stream = self._stream or self._connected()
        # A request that is sent too late might be billed, and its response unread.
        response.bounds.go_on_to(Step.RESPONSE)
        # A server that stops reading may have sent a response that says why.
        try:
            for piece in self._request(url, headers, body, method):
                stream.write(piece)
        except httpcore.WriteError as error:
            raise_if_from_signal(error)
        while not self._http.is_complete:
            for _ in self._http.receive(stream.read(_READ_BYTES), response):
                pass
        self.is_idle = self._http.start_next()

    def _connected(self) -> Stream:
        proxy = self._proxy
        host, port = (self._host, self._port) if proxy is None else (proxy.host, proxy.port)
        self._stream = self._sockets.connect(host, port)
        if proxy is not None:
            if proxy.context is not None:
                self._stream = self._stream.start_tls(proxy.context, proxy.host)
            if not self._is_forwarded:
                _open_tunnel(self._stream, proxy.tunnel(self._host, self._port))
        if self._context is not None:
            self._stream = self._stream.start_tls(self._context, self._host)
        return self._stream

    def close(self) -> None:
        """Close the connection."""
        self.is_idle = False
        if self._stream is not None:
            self._stream.close()


class AsyncConnection(_Connection[AsyncStream]):
    """A connection for asynchronous calls."""

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
        self.is_idle = False
        if self._proxy is not None:
            self._proxy.note(response.bounds)
        stream = self._stream or await self._connected(response.bounds.seconds_for("connect"))
        # A request that is sent too late might be billed, and its response unread.
        response.bounds.go_on_to(Step.RESPONSE)
        # A server that stops reading may have sent a response that says why.
        try:
            for piece in self._request(url, headers, body, method):
                await stream.write(piece)
        except httpcore.WriteError as error:
            raise_if_from_signal(error)
        while not self._http.is_complete:
            for _ in self._http.receive(await stream.read(_READ_BYTES), response):
                await asyncio.sleep(0)
        self.is_idle = self._http.start_next()

    async def _connected(self, timeout: float) -> AsyncStream:  # noqa: ASYNC109 - for each step
        proxy = self._proxy
        host, port = (self._host, self._port) if proxy is None else (proxy.host, proxy.port)
        self._stream = await connect(host, port, timeout)
        if proxy is not None:
            if proxy.context is not None:
                await self._stream.start_tls(proxy.context, proxy.host, timeout)
            if not self._is_forwarded:
                await _aopen_tunnel(self._stream, proxy.tunnel(self._host, self._port))
        if self._context is not None:
            await self._stream.start_tls(self._context, self._host, timeout)
        return self._stream

    async def aclose(self) -> None:
        """Close the connection."""
        self.is_idle = False
        if self._stream is not None:
            await self._stream.aclose()

    def abort(self) -> None:
        """Close the connection without waiting; the loop closes its socket afterwards."""
        self.is_idle = False
        if self._stream is not None:
            self._stream.abort()


def _open_tunnel(stream: Stream, handshake: Handshake) -> None:
    with suppress(StopIteration):
        stream.write(next(handshake))
        while True:
            stream.write(handshake.send(stream.read(_READ_BYTES_OF_PROXY)))


async def _aopen_tunnel(stream: AsyncStream, handshake: Handshake) -> None:
    with suppress(StopIteration):
        await stream.write(next(handshake))
        while True:
            await stream.write(handshake.send(await stream.read(_READ_BYTES_OF_PROXY)))


@functools.lru_cache(maxsize=64)
def _target(url: str) -> bytes:
    parts = urlsplit(url)
    return (f"{parts.path}?{parts.query}" if parts.query else parts.path).encode()
