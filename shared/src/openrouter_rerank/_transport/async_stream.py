"""The two directions of a connection of asyncio, to be awaited."""

import asyncio
import select
import socket
import ssl

# Bytes that are kept for a reader who is late.
_MOST_KEPT = 262_144


class Pipe(asyncio.Protocol):
    """Reads and writes a transport; one task at a time, each."""

    transport: asyncio.Transport
    """Set by whoever connects, and by `start_tls`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._ended = False
        self._error: Exception | None = None
        self._is_full = False
        self._is_reading = True
        self._waiting: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is read."""
        self._received = self._received + data if self._received else data
        if self._is_reading and len(self._received) > _MOST_KEPT:
            self._is_reading = False
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Let the reader know, and the transport close."""
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let whoever waits know."""
        self._ended = True
        self._error = exc
        self._is_full = False
        self._wake()

    def pause_writing(self) -> None:
        """Let writers wait."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._is_full = False
        self._wake()

    async def read(self, most: int) -> bytes:
        """Return the next bytes, as soon as there are any; none at the end."""
        while not self._received and not self._ended:
            await self._change()
        if not self._received and self._error is not None:
            raise OSError(self._error) from self._error
        data, self._received = self._received[:most], self._received[most:]
        if not self._is_reading and not self._ended and not self._received:
            self._is_reading = True
            self.transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send `data`, or most of it when the system has no room for all."""
        self._refuse_if_ended()
        self.transport.write(data)
        while self._is_full:
            await self._change()
        self._refuse_if_ended()

    async def start_tls(self, context: ssl.SSLContext, host: str | None) -> None:
        """Secure the connection; it is lost if that fails."""
        try:
            self._refuse_if_ended()
            secured = await self._loop.start_tls(
                self.transport, self, context, server_hostname=host
            )
            self._refuse_if_ended()
            self._refuse_clear_text()
        except BaseException:
            self.abort()
            raise
        # `None` is what start_tls() returns when the connection was lost meanwhile.
        if secured is None:
            raise ConnectionResetError
        self.transport = secured

    def abort(self) -> None:
        """Close the connection without waiting for anything, such as the farewells of TLS."""
        self.transport.abort()

    def is_readable(self) -> bool:
        """Tell whether reading would return something, or the end, at once."""
        line = self.transport.get_extra_info("socket")
        if self._ended or self._received or line is None:
            return True
        # The loop may not have looked for a while.
        return _is_readable(line)

    async def _change(self) -> None:
        self._waiting = self._loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _refuse_clear_text(self) -> None:
        # Whoever stands in between can have said it: it must not pass for an answer within TLS.
        if self._received:
            raise ConnectionResetError

    def _refuse_if_ended(self) -> None:
        if self._ended:
            raise ConnectionResetError


def _is_readable(line: socket.socket) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([line], [], [], 0)[0])
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(0))
