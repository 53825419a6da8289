"""Connections straight to a host, for one exchange after the other."""

import functools
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import httpcore

from openrouter_rerank._wire.headers import EncodedHeaders

from .async_sockets import AsyncSockets
from .bounds import Body
from .http11 import Dialogue
from .sockets import Sockets

_MOST_READ = 65_536

_Stream = TypeVar("_Stream", httpcore.NetworkStream, httpcore.AsyncNetworkStream)


class _Line(Generic[_Stream]):
    """
    What both kinds have.

    Args:
        url: Whose host it leads to. It connects when it is first used.
        context: Secures it; `None` leaves it as it is.
    """

    def __init__(self, url: str, context: ssl.SSLContext | None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (80 if context is None else 443)
        self._context = context
        self._dialogue = Dialogue()
        self._stream: _Stream | None = None
        self.is_idle = False
        """Whether another exchange may follow the last one."""

    def is_alive(self) -> bool:
        """Tell whether it can be used again, as far as this side knows."""
        # What can be read between two exchanges is the end.
        return (
            self.is_idle
            and self._stream is not None
            and not self._stream.get_extra_info("is_readable")
        )


class Line(_Line[httpcore.NetworkStream]):
    """A connection for synchronous calls."""

    def __init__(self, url: str, context: ssl.SSLContext | None) -> None:
        super().__init__(url, context)
        self._sockets = Sockets()

    def exchange(
        self, url: str, headers: EncodedHeaders, body: Iterable[bytes], answer: Body
    ) -> None:
        """Send a request and read its answer, both within the time of its watch."""
        self.is_idle = False
        self._sockets.deadline = answer.watch.deadline
        stream = self._stream or self._connected()
        # A server that takes no more may have said why.
        with suppress(httpcore.WriteError):
            for piece in self._dialogue.request(_target(url), headers, body):
                stream.write(piece)
        while not self._dialogue.receive(stream.read(_MOST_READ), answer):
            pass
        self.is_idle = self._dialogue.goes_on()

    def _connected(self) -> httpcore.NetworkStream:
        self._stream = self._sockets.connect_tcp(self._host, self._port)
        if self._context is not None:
            self._stream = self._stream.start_tls(self._context, self._host)
        return self._stream

    def close(self) -> None:
        """Hang up."""
        self.is_idle = False
        if self._stream is not None:
            self._stream.close()


class AsyncLine(_Line[httpcore.AsyncNetworkStream]):
    """A connection for asynchronous calls."""

    def __init__(self, url: str, context: ssl.SSLContext | None) -> None:
        super().__init__(url, context)
        self._sockets = AsyncSockets()

    async def exchange(
        self, url: str, headers: EncodedHeaders, body: Iterable[bytes], answer: Body
    ) -> None:
        """Send a request and read its answer; the caller watches the time."""
        self.is_idle = False
        stream = self._stream or await self._connected(answer.watch.timeouts["connect"])
        # A server that takes no more may have said why.
        with suppress(httpcore.WriteError):
            for piece in self._dialogue.request(_target(url), headers, body):
                await stream.write(piece)
        while not self._dialogue.receive(await stream.read(_MOST_READ), answer):
            pass
        self.is_idle = self._dialogue.goes_on()

    async def _connected(self, longest: float) -> httpcore.AsyncNetworkStream:
        self._stream = await self._sockets.connect_tcp(self._host, self._port, longest)
        if self._context is not None:
            self._stream = await self._stream.start_tls(self._context, self._host, longest)
        return self._stream

    async def aclose(self) -> None:
        """Hang up."""
        self.is_idle = False
        if self._stream is not None:
            await self._stream.aclose()

    def abort(self) -> None:
        """Hang up when the loop comes round."""
        self.is_idle = False
        self._sockets.abort()


@functools.lru_cache(maxsize=64)
def _target(url: str) -> bytes:
    return urlsplit(url).path.encode()
