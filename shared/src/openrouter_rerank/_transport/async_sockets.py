"""
Sockets of asyncio for asynchronous calls, as a backend of httpcore. This module only connects.

httpcore's own backend uses anyio, which costs a fifth of a call.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpcore

from openrouter_rerank._tracebacks import raise_if_from_signal

from .async_stream import AsyncStream
from .bounds import CONNECT_TIMEOUT
from .lookups import Address, addresses_of

# Seconds until the next address of a host is tried too (RFC 8305 section 5).
_NEXT_ADDRESS_DELAY = 0.25


class AsyncSockets(httpcore.AsyncNetworkBackend):
    """
    Opens the sockets of one connection in the running event loop.

    Args:
        connect_timeout: The longest time, in seconds, to look a host up and connect to it.
        resolve: Returns the addresses of a host.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        resolve: Callable[[str, int], Awaitable[list[Address]]] = addresses_of,
    ) -> None:
        self._connect_timeout = connect_timeout
        self._resolve = resolve
        self._stream: AsyncStream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore
        local_address: str | None = None,  # noqa: ARG002 - the client never sets it
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - httpcore's interface
    ) -> AsyncStream:
        """Connect to the first address of `host` that accepts."""
        longest = min(self._connect_timeout, timeout or self._connect_timeout)
        try:
            async with asyncio.timeout(longest):
                addresses = await self._resolve(host, port)
                delay = min(_NEXT_ADDRESS_DELAY, longest / len(addresses))
                connected = await _connected(addresses, delay)
                loop = asyncio.get_running_loop()
                transport, stream = await loop.create_connection(AsyncStream, sock=connected)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(error) from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(error) from error
        stream.transport = transport
        self._stream = stream
        return stream

    def abort(self) -> None:
        """Close the last connection; the loop closes its socket in its next iteration."""
        if self._stream is not None:
            self._stream.abort()


async def _connected(addresses: Sequence[Address], delay: float) -> socket.socket:
    """
    Return a socket that is connected to the first address that accepts.

    Each address is tried `delay` seconds after the one before it, or as soon as all those before
    it have failed.
    """
    *others, last = addresses
    if not others:
        return await _connect(last)
    tries: list[asyncio.Task[socket.socket]] = []
    connected: asyncio.Task[socket.socket] | None = None
    try:
        for address in addresses:
            tries.append(asyncio.create_task(_connect(address)))
            connected = await _first_success(tries, None if address is last else delay)
            if connected is not None:
                return connected.result()
        return tries[-1].result()
    finally:
        for each in tries:
            if each is not connected:
                each.cancel()
                each.add_done_callback(_close_unused)


async def _connect(address: Address) -> socket.socket:
    family, target = address
    # asyncio disables Nagle's algorithm (TCP_NODELAY) only on sockets with this protocol number.
    new = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        new.setblocking(False)
        await asyncio.get_running_loop().sock_connect(new, target)
    except BaseException:
        new.close()
        raise
    return new


async def _first_success(
    tries: Iterable[asyncio.Task[socket.socket]], seconds: float | None
) -> asyncio.Task[socket.socket] | None:
    """Return the first task to succeed within `seconds`, or `None` if none does."""
    pending = {each for each in tries if not each.done()}
    while pending:
        done, pending = await asyncio.wait(
            pending, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for each in done:
            error = each.exception()
            if error is None:
                return each
            raise_if_from_signal(error)
        if not done:
            break
    return None


def _close_unused(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
