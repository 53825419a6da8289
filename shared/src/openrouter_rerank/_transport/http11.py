"""The HTTP/1.1 state of one connection: the bytes of a request, and a response from bytes. Pure."""

from collections.abc import Iterable, Iterator

import h11

from openrouter_rerank._wire.endpoint import EncodedHeaders

from .bounds import ResponseBuilder

# Bytes; the same limit as in httpcore.
_LONGEST_HEAD = 100 * 1024
# Responses with a status of 1xx before the response. A server needs one or two.
_MOST_INFORMATIONAL = 20
# Events that are read one after another. Each takes some microseconds, and a piece of 64 KiB can
# have ten thousand: the caller must be able to run other code in between.
_EVENTS_PER_TURN = 100


class HTTP11:
    """The exchanges of one connection, one after another: a request, then its response."""

    def __init__(self) -> None:
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self.is_complete = False
        """Whether the response is complete."""
        self._informational = 0

    def request(
        self,
        target: bytes,
        headers: EncodedHeaders,
        body: Iterable[bytes],
        *,
        method: str = "POST",
    ) -> Iterator[bytes]:
        """Yield the bytes of a request: its head, then each piece of `body`."""
        yield self._head(method, target, headers)
        for piece in body:
            yield self._state.send(h11.Data(data=piece)) or b""
        self._state.send(h11.EndOfMessage())

    def _head(self, method: str, target: bytes, headers: EncodedHeaders) -> bytes:
        request = h11.Request(method=method, target=target, headers=[*headers])
        return self._state.send(request) or b""

    def receive(self, data: bytes, response: ResponseBuilder) -> Iterator[None]:
        """
        Add the bytes that were read to `response`, and see in `is_complete` if more are needed.

        Args:
            data: The bytes; empty at the end of the connection.
            response: Gets the status, the headers and the pieces of the body.

        Yields:
            After an informational response and after every hundred events, so that asynchronous
            callers let other tasks run.

        Raises:
            RemoteProtocolError: If the bytes are not an HTTP response, or end too early.
        """
        self._state.receive_data(data)
        events = 0
        while (event := self._state.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                response.begin(event.status_code, headers_by_name(event.headers))
            elif isinstance(event, h11.Data):
                response.add(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.is_complete = True
                return
            elif isinstance(event, h11.InformationalResponse):
                self._informational += 1
                if self._informational > _MOST_INFORMATIONAL:
                    raise h11.RemoteProtocolError("too many informational responses")
                yield
            else:
                raise h11.RemoteProtocolError("the server has changed to another protocol")
            events += 1
            if events % _EVENTS_PER_TURN == 0:
                yield

    def start_next(self) -> bool:
        """Prepare for the next exchange; return `False` if the connection allows no other one."""
        states = (self._state.our_state, self._state.their_state)
        # Bytes after the response, or the end of the connection, would be read as the response to
        # the next request.
        if states != (h11.DONE, h11.DONE) or self._state.trailing_data != (b"", False):
            return False
        self._state.start_next_cycle()
        self.is_complete = False
        self._informational = 0
        return True


def headers_by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of a response by their names in lower case."""
    # HTTP names no other encoding for values than Latin-1 (RFC 9110 section 5.5).
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
