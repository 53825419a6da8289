"""
Connects the sockets of asynchronous calls, with asyncio.

Not with httpcore's own backend, whose anyio makes a call slower.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpcore

from openrouter_rerank._tracebacks import raise_if_from_signal

from .async_stream import AsyncStream
from .lookups import Address, addresses_of

# Seconds until the next address of a host is tried too (RFC 8305 section 5).
_NEXT_ADDRESS_DELAY = 0.25


async def connect(
    host: str,
    port: int,
    timeout: float,  # noqa: ASYNC109 - it becomes a connect error
    *,
    resolve: Callable[[str, int], Awaitable[list[Address]]] = addresses_of,
) -> AsyncStream:
    """
    Connect to the first address of `host` that accepts, in the running event loop.

    Args:
        host: A name or an address.
        port: Its port.
        timeout: The longest time, in seconds, to look `host` up and connect to it.
        resolve: Returns the addresses of a host.
    """
    try:
        async with asyncio.timeout(timeout):
            addresses = await resolve(host, port)
            delay = min(_NEXT_ADDRESS_DELAY, timeout / len(addresses))
            connected = await _connected(addresses, delay)
            loop = asyncio.get_running_loop()
            transport, stream = await loop.create_connection(AsyncStream, sock=connected)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(error) from error
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(error) from error
    stream.transport = transport
    return stream


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
