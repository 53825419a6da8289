"""The exchanges on a connection as h11 knows them: bytes to send, and an answer from bytes."""

from collections.abc import Iterable, Iterator

import h11

from openrouter_rerank._wire.headers import EncodedHeaders

from .bounds import Body

# Bytes; httpcore takes as much.
_LONGEST_HEAD = 100 * 1024


class Dialogue:
    """What is said on a connection: requests, each followed by its answer."""

    def __init__(self) -> None:
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    def request(
        self, target: bytes, headers: EncodedHeaders, body: Iterable[bytes]
    ) -> Iterator[bytes]:
        """Yield the bytes of a request, one after the other."""
        yield self._state.send(h11.Request(method=b"POST", target=target, headers=headers)) or b""
        for piece in body:
            yield self._state.send(h11.Data(data=piece)) or b""
        self._state.send(h11.EndOfMessage())

    def receive(self, data: bytes, answer: Body) -> bool:
        """
        Take what was read, none at the end of the connection; tell whether `answer` is complete.

        Raises:
            RemoteProtocolError: If this is no answer, or it ends too early.
        """
        self._state.receive_data(data)
        while True:
            event = self._state.next_event()
            if event is h11.NEED_DATA:
                return False
            if isinstance(event, h11.Response):
                answer.begin(event.status_code, by_name(event.headers))
            elif isinstance(event, h11.Data):
                answer.add(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return True
            elif not isinstance(event, h11.InformationalResponse):
                raise h11.RemoteProtocolError("the server has changed to another protocol")

    def goes_on(self) -> bool:
        """Make ready for another request; `False` if none may follow on this connection."""
        states = (self._state.our_state, self._state.their_state)
        # What came behind an answer would be taken for that to the next request; so would the end.
        if states != (h11.DONE, h11.DONE) or self._state.trailing_data != (b"", False):
            return False
        self._state.start_next_cycle()
        return True


def by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of an answer by their names in lower case."""
    # Values are in Latin-1, as far as anybody knows (RFC 9110 section 5.5).
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
