"""
Sockets of asyncio for asynchronous calls, as a backend of httpcore.

httpcore's own go through anyio, which costs a fifth of a call. Reading and writing have no
timeouts here: whoever waits for them does so within an `asyncio.timeout`.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

import httpcore

from .async_stream import Pipe
from .bounds import LONGEST_CONNECT, MOST_HELD

# Seconds until the next address of a host is tried as well (RFC 8305 section 5).
_HEAD_START = 0.25

Address = tuple[int, tuple[object, ...]]
"""The family of an address, and what a socket of it connects to."""


async def addresses_of(host: str, port: int) -> list[Address]:
    """Return the addresses of `host`, those to be tried first in front."""
    # An address needs no thread in which it would be looked up.
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return [(family, (host, port))]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, *_, address in found]


class AsyncSockets(httpcore.AsyncNetworkBackend):
    """Opens sockets of the running loop, for one connection."""

    def __init__(
        self,
        *,
        longest_connect: float = LONGEST_CONNECT,
        resolve: Callable[[str, int], Awaitable[list[Address]]] = addresses_of,
    ) -> None:
        self._longest_connect = longest_connect
        self._resolve = resolve
        self._pipe: Pipe | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore
        local_address: str | None = None,  # noqa: ARG002 - never asked for
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of `host` that answers."""
        longest = min(self._longest_connect, timeout or self._longest_connect)
        try:
            async with asyncio.timeout(longest):
                addresses = await self._resolve(host, port)
                line = await _connected(addresses, min(_HEAD_START, longest / len(addresses)))
                loop = asyncio.get_running_loop()
                transport, pipe = await loop.create_connection(Pipe, sock=line)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(error) from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(error) from error
        pipe.transport = transport
        self._pipe = pipe
        return _Stream(pipe)

    def abort(self) -> None:
        """Close the last connection; its socket is closed when the loop comes round."""
        if self._pipe is not None:
            self._pipe.abort()


async def _connected(addresses: Sequence[Address], head_start: float) -> socket.socket:
    """Return a socket to the first address that answers; all are asked, one after the other."""
    *others, last = addresses
    if not others:
        return await _connecting(last)
    attempts: list[asyncio.Task[socket.socket]] = []
    won: asyncio.Task[socket.socket] | None = None
    try:
        for address in addresses:
            attempts.append(asyncio.create_task(_connecting(address)))
            won = await _first(attempts, None if address is last else head_start)
            if won is not None:
                return won.result()
        return attempts[-1].result()
    finally:
        for attempt in attempts:
            if attempt is not won:
                attempt.cancel()
                attempt.add_done_callback(_discard)


async def _connecting(address: Address) -> socket.socket:
    family, target = address
    # asyncio sends small pieces at once (TCP_NODELAY) where the protocol is told.
    line = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, target)
    except BaseException:
        line.close()
        raise
    return line


async def _first(
    attempts: Iterable[asyncio.Task[socket.socket]], wait: float | None
) -> asyncio.Task[socket.socket] | None:
    """Return the first that succeeds within `wait` seconds, if any does."""
    pending = {attempt for attempt in attempts if not attempt.done()}
    while pending:
        done, pending = await asyncio.wait(
            pending, timeout=wait, return_when=asyncio.FIRST_COMPLETED
        )
        for attempt in done:
            if attempt.exception() is None:
                return attempt
        if not done:
            break
    return None


def _discard(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._held = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        # As httpcore does: a server that takes no more may have said why.
        with suppress(httpcore.WriteError):
            await self._flush()
        try:
            return await self._pipe.read(max_bytes)
        except OSError as error:
            raise httpcore.ReadError(error) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        # As in synchronous calls: the head of a request waits for what follows.
        if len(self._held) + len(buffer) <= MOST_HELD:
            self._held += buffer
            return
        await self._flush()
        await self._send(buffer)

    async def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            await self._send(held)

    async def _send(self, buffer: bytes) -> None:
        try:
            await self._pipe.write(buffer)
        except OSError as error:
            raise httpcore.WriteError(error) from error

    async def aclose(self) -> None:
        self._pipe.abort()
        # The socket is closed when the loop comes round.
        await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                await self._pipe.start_tls(ssl_context, server_hostname)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(error) from error
        except OSError as error:
            raise httpcore.ConnectError(error) from error
        return self

    def get_extra_info(self, info: str) -> object:
        match info:
            case "ssl_object":
                return self._pipe.transport.get_extra_info("ssl_object")
            case "is_readable":
                return self._pipe.is_readable()
            case _:
                return None
