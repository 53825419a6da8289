"""
A connection of asyncio: the protocol of its transport, and the stream that is read, in one class.

Reading and writing have no timeouts: callers wrap them in an `asyncio.timeout`.
"""

import asyncio
import select
import socket
import ssl

import httpcore

from openrouter_rerank._tracebacks import raise_if_from_signal

from .bounds import HELD_BYTES

# Bytes that are received ahead of the reader. Above this, the transport stops reading.
_READ_AHEAD_BYTES = 262_144


class AsyncStream(asyncio.Protocol):
    """Reads from and writes to a transport of the running loop, for one task at a time."""

    transport: asyncio.Transport
    """Set after connecting, and again by `start_tls`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._has_ended = False
        self._error: Exception | None = None
        self._is_reading = True
        self._held = b""
        self._is_full = False
        self._waiter: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Keep the bytes until they are read."""
        self._received = self._received + data if self._received else data
        if self._is_reading and len(self._received) > _READ_AHEAD_BYTES:
            self._is_reading = False
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Wake the reader; returning `None` lets the transport close."""
        self._has_ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake the task that waits, if any."""
        self._has_ended = True
        self._error = exc
        self._is_full = False
        self._wake()

    def pause_writing(self) -> None:
        """Make writers wait."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Let writers continue."""
        self._is_full = False
        self._wake()

    async def read(self, max_bytes: int) -> bytes:
        """Return the next bytes as soon as there are any; `b""` at the end of the connection."""
        if self._held:
            # As httpcore does: a server that stops reading may have sent a response that says why.
            try:
                await self._flush()
            except httpcore.WriteError as error:
                raise_if_from_signal(error)
        while not self._received and not self._has_ended:
            await self._change()
        if not self._received and self._error is not None:
            raise httpcore.ReadError(self._error) from self._error
        data, self._received = self._received[:max_bytes], self._received[max_bytes:]
        if not self._is_reading and not self._has_ended and not self._received:
            self._is_reading = True
            self.transport.resume_reading()
        return data

    async def write(self, buffer: bytes) -> None:
        """Send `buffer`, or hold it back until the next read if it is small."""
        # As in synchronous calls: the head of a request waits for the body that follows.
        if len(self._held) + len(buffer) <= HELD_BYTES:
            self._held += buffer
            return
        if self._held:
            await self._flush()
        await self._send(buffer)

    async def _flush(self) -> None:
        held, self._held = self._held, b""
        await self._send(held)

    async def _send(self, data: bytes) -> None:
        """Pass `data` to the transport, and wait while the transport's buffer is full."""
        self._check_open()
        self.transport.write(data)
        while self._is_full:
            await self._change()
        self._check_open()

    def _check_open(self) -> None:
        if self._has_ended:
            raise httpcore.WriteError("the connection is closed")

    async def aclose(self) -> None:
        """Close the connection, and let the loop close its socket."""
        self.abort()
        # The loop closes the socket in its next iteration.
        await asyncio.sleep(0)

    def abort(self) -> None:
        """Close the connection without waiting, not even to end TLS with its closing messages."""
        self._held = b""
        # The transport of a loop that was dropped and closed closes its socket without the loop.
        if not self._loop.is_closed():
            self.transport.abort()

    async def start_tls(
        self,
        context: ssl.SSLContext,
        host: str,
        timeout: float,  # noqa: ASYNC109 - it becomes a connect error
    ) -> None:
        """Secure the connection within `timeout` seconds; if that fails, the connection is lost."""
        try:
            async with asyncio.timeout(timeout):
                await self._secure(context, host)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(error) from error
        except OSError as error:
            raise httpcore.ConnectError(error) from error

    async def _secure(self, context: ssl.SSLContext, host: str) -> None:
        secured = None
        try:
            if not self._has_ended:
                secured = await self._loop.start_tls(
                    self.transport, self, context, server_hostname=host
                )
        except TypeError as error:
            # Python before 3.11.8 and 3.12.2 raises it while it handles an error of TLS within the
            # TLS of a proxy (gh-113214).
            self.transport.abort()
            raise ConnectionResetError from error
        except BaseException:
            self.transport.abort()
            raise
        # asyncio returns `None` if the connection was lost in the meantime. Bytes that were read
        # before came in clear text: anyone on the path can have sent them, so they must not be read
        # as a response within TLS.
        if secured is None or self._has_ended or self._received:
            self.transport.abort()
            raise ConnectionResetError
        self.transport = secured

    def is_readable(self) -> bool:
        """Return `True` if a read would return without waiting: bytes, or the end."""
        found = self.transport.get_extra_info("socket")
        if self._has_ended or self._received or found is None:
            return True
        # The loop may not have looked at the socket for a while.
        return _can_be_read(found)

    async def _change(self) -> None:
        """Wait until `_wake` is called."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _can_be_read(connected: socket.socket) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([connected], [], [], 0)[0])
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
