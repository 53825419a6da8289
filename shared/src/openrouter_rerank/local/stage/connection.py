"""The server's end of one TCP connection: HTTP where the script says so, bare bytes where not."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import h11

from openrouter_rerank.local.stage.request import RecordedRequest

if TYPE_CHECKING:
    from openrouter_rerank.local.stage.reply import Reply

_READ_SIZE = 65_536
_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Connection:
    """
    One client, from its connect to its end.

    Every wait ends with a `ConnectionError` as soon as the client goes away, so a client that
    gives up never leaves anything behind.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)
        self._hold: asyncio.Timeout | None = None
        self._wants_body = True
        self.busy = False
        """True from the end of a request until the last byte of its answer is about to go out."""

    async def opened(self) -> bool:
        """Wait for the first bytes of the next request; False when the client hung up instead."""
        if self._http.trailing_data[0]:
            return True
        data = await self._reader.read(_READ_SIZE)
        self._http.receive_data(data)
        return bool(data)

    async def receive(self) -> RecordedRequest:
        """
        Read one request to its end.

        Raises:
            h11.RemoteProtocolError: What arrived is not HTTP, or ended early.
        """
        head, body = None, bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    await self.send(self._http.send(go_on))
                self._http.receive_data(await self._reader.read(_READ_SIZE))
            elif isinstance(event, h11.Request):
                head, self._wants_body = event, event.method != b"HEAD"
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                self.busy = True
                return _recorded(head, bytes(body))
            else:
                raise ConnectionAbortedError

    def head(self, reply: Reply, **framing: str) -> bytes:
        """
        The status line and headers of a reply, as they go over the wire.

        With `framing`, they say that of the body's length in place of the truth.
        """
        said = {name.replace("_", "-"): value for name, value in framing.items()}
        truth = {"content-length": str(len(reply.content))}
        return self._http.send(reply.head(said or truth)) or b""

    def body(self, reply: Reply) -> bytes:
        """The body of a reply whose head was made, as it goes over the wire."""
        content = reply.content if self._wants_body else b""
        data = self._http.send(h11.Data(data=content)) or b""
        return data + (self._http.send(h11.EndOfMessage()) or b"")

    async def respond(self, reply: Reply) -> None:
        """Send a whole reply, after its delay."""
        await self.idle(reply.delay)
        await self.finish(self.head(reply) + self.body(reply))

    async def send(self, data: bytes | None) -> None:
        """Write bytes to the socket, whatever HTTP has to say about them."""
        self._writer.write(data or b"")
        await self._writer.drain()

    async def finish(self, data: bytes) -> None:
        """Write the last bytes of an answer."""
        # Before, not after: with the last byte in hand the client may send the next request on
        # another connection, and two would be counted where it never had more than one going.
        self.busy = False
        await self.send(data)

    async def idle(self, seconds: float | None) -> None:
        """Do nothing for some seconds, or until `release` when given None."""
        if seconds == 0:
            return
        try:
            async with asyncio.timeout(seconds) as self._hold:
                while data := await self._reader.read(_READ_SIZE):
                    self._http.receive_data(data)
                raise ConnectionAbortedError
        except TimeoutError:
            return
        finally:
            self._hold = None

    def release(self) -> None:
        """End a wait that has no end of its own."""
        if self._hold is not None and self._hold.when() is None:
            self._hold.reschedule(asyncio.get_running_loop().time())

    def again(self) -> bool:
        """Make ready for another request; False when this connection cannot carry one."""
        if self._http.our_state is self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            return True
        return False

    async def close(self) -> None:
        """Send what is left, then hang up in good order."""
        self.busy = False
        self._writer.close()
        await self._writer.wait_closed()

    def reset(self) -> None:
        """Hang up so that the client sees its connection reset."""
        plug: socket.socket = self._writer.get_extra_info("socket")
        # A client that has hung up meanwhile needs no reset.
        with suppress(OSError):
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.abort()

    def abort(self) -> None:
        """Hang up at once, sending nothing more."""
        self.busy = False
        self._writer.transport.abort()


def _recorded(head: h11.Request, body: bytes) -> RecordedRequest:
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
