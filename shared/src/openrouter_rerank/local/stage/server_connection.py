"""The server's side of one TCP connection: it speaks HTTP, and can send any other bytes too."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import h11

from openrouter_rerank.local.stage.recorded_request import RecordedRequest

if TYPE_CHECKING:
    from openrouter_rerank.local.stage.reply import Reply

_READ_SIZE = 65_536
_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class ServerConnection:
    """
    The connection of one client, from its start to its end.

    Every wait ends with a `ConnectionError` as soon as the client closes the connection, so no task
    is left behind when a client gives up.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)
        self._wait_timeout: asyncio.Timeout | None = None
        self._wants_body = True
        self.busy = False
        """True from the end of a request until just before the last byte of its response."""

    async def wait_for_request(self) -> bool:
        """
        Wait for the first bytes of the next request.

        Return `False` if the client closed the connection instead.
        """
        if self._http.trailing_data[0]:
            return True
        data = await self._reader.read(_READ_SIZE)
        self._http.receive_data(data)
        return bool(data)

    async def read_request(self) -> RecordedRequest:
        """
        Read one request to its end.

        Raises:
            h11.RemoteProtocolError: The received bytes are not HTTP, or the request is incomplete.
        """
        # Both loops end when the client closes the connection, because h11 raises an error then.
        while not isinstance(head := self._http.next_event(), h11.Request):
            await self._receive()
        self._wants_body = head.method != b"HEAD"
        body = bytearray()
        while not isinstance(event := self._http.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                body += event.data
            else:
                await self._receive()
        self.busy = True
        return _recorded_request(head, bytes(body))

    async def _receive(self) -> None:
        """Read more of a request. Some clients wait for status 100 before they send its body."""
        if self._http.they_are_waiting_for_100_continue:
            continue_response = h11.InformationalResponse(status_code=100, headers=[])
            await self.send(self._http.send(continue_response))
        self._http.receive_data(await self._reader.read(_READ_SIZE))

    def head_bytes(self, reply: Reply, **framing: str) -> bytes:
        """
        Return the bytes of a reply's status line and headers.

        Args:
            reply: The reply.
            **framing: Headers that replace the correct `content-length`, with `_` for `-`.
        """
        wrong = {name.replace("_", "-"): value for name, value in framing.items()}
        correct = {"content-length": str(len(reply.content))}
        return self._http.send(reply.head(wrong or correct)) or b""

    def body_bytes(self, reply: Reply) -> bytes:
        """Return the bytes of a reply's body. Call `head_bytes` first."""
        content = reply.content if self._wants_body else b""
        data = self._http.send(h11.Data(data=content)) or b""
        return data + (self._http.send(h11.EndOfMessage()) or b"")

    async def send_reply(self, reply: Reply) -> None:
        """Send a whole reply, after its delay."""
        await self.wait(reply.delay)
        await self.send_last(self.head_bytes(reply) + self.body_bytes(reply))

    async def send(self, data: bytes | None) -> None:
        """Send bytes, whether they are valid HTTP or not."""
        self._writer.write(data or b"")
        await self._writer.drain()

    async def send_last(self, data: bytes) -> None:
        """Send the last bytes of a response."""
        # This must come first. A client that has received the last byte may send its next request
        # over another connection, and then two requests would be counted as in flight.
        self.busy = False
        await self.send(data)

    async def wait(self, seconds: float | None) -> None:
        """Wait for `seconds`, or with `None` until `release`."""
        if seconds == 0:
            return
        try:
            async with asyncio.timeout(seconds) as self._wait_timeout:
                while data := await self._reader.read(_READ_SIZE):
                    self._http.receive_data(data)
                raise ConnectionAbortedError
        except TimeoutError:
            return
        finally:
            self._wait_timeout = None

    def release(self) -> None:
        """End the current wait, if it is one without a number of seconds."""
        if self._wait_timeout is not None and self._wait_timeout.when() is None:
            self._wait_timeout.reschedule(asyncio.get_running_loop().time())

    def start_next_request(self) -> bool:
        """Prepare for another request; return `False` if the connection cannot carry one."""
        if self._http.our_state is self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            return True
        return False

    async def close(self) -> None:
        """Send what is still buffered, then close the connection normally."""
        self.busy = False
        self._writer.close()
        await self._writer.wait_closed()

    def reset(self) -> None:
        """Close the connection so that the client sees a connection reset."""
        sock: socket.socket = self._writer.get_extra_info("socket")
        # If the client has already closed the connection, a reset is not needed.
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.abort()

    def abort(self) -> None:
        """Close the connection immediately, without sending what is still buffered."""
        self.busy = False
        self._writer.transport.abort()


def _recorded_request(head: h11.Request, body: bytes) -> RecordedRequest:
    headers: dict[str, str] = {}
    for raw_name, raw_value in head.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return RecordedRequest(
        method=head.method.decode("ascii"),
        path=head.target.decode("latin-1"),
        headers=headers,
        body=body,
    )
