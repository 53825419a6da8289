"""Keeps one attempt within its bounds of time and size, and tells what an exception in it means."""

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from weakref import WeakSet

from ._flow import Attempt, Failure, FailureKind
from ._messages import Response
from .http_client import StreamedResponse

# By name, so that the errors of httpx and of httpx2 are understood without importing either. The
# first that fits counts: a ConnectTimeout is a TimeoutException too.
_KINDS = {
    "ConnectTimeout": FailureKind.UNSENT,
    "PoolTimeout": FailureKind.UNSENT,
    "ConnectError": FailureKind.UNSENT,
    "ProxyError": FailureKind.UNSENT,
    "LocalProtocolError": FailureKind.UNSENDABLE,
    "UnsupportedProtocol": FailureKind.UNSENDABLE,
    "TimeoutException": FailureKind.TIMEOUT,
    "TimeoutError": FailureKind.TIMEOUT,
    "TransportError": FailureKind.LOST,
}


# Seconds. Sockets and locks refuse waits of more than some centuries.
_LONGEST = 1e6
_CONNECTED = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})


class _AbandonedError(Exception):
    """The body is not read to its end."""

    def __init__(self, kind: FailureKind) -> None:
        self.kind = kind


class KeptLines:
    """The sockets that the synchronous client of a user keeps, as far as our calls opened them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: WeakSet[socket.socket] = WeakSet()

    def add(self, line: socket.socket | None) -> None:
        """Note the socket of an exchange that has ended."""
        if line is not None:
            with self._lock:
                self._lines.add(line)

    def all(self) -> list[socket.socket]:
        """Return those that still exist."""
        with self._lock:
            return list(self._lines)


class Watch:
    """Keeps the time of one attempt, and tells what an exception during it means."""

    def __init__(self, deadline: float, kept: KeptLines | None = None) -> None:
        self.deadline = deadline
        self._kept = kept
        self.reused = False
        self.answered = False
        self.timeouts: dict[str, float] = {}
        self.line: socket.socket | None = None
        """The socket of the exchange, as far as it is known."""
        self._renew()

    def trace(self, event: str, info: Mapping[str, object]) -> None:
        """Follow the steps of a synchronous exchange: the `trace` extension of httpcore."""
        # httpx's timeouts are per read: each step gets what is left.
        self._renew()
        if event in _CONNECTED:
            self.line = _socket_of(info.get("return_value"))

    def end(self) -> None:
        """Shut the connection down, so that whoever waits for it goes on at once."""
        if self.line is not None:
            lines = [self.line]
        else:
            # A user's client goes on with a connection it has kept, and does not tell with which.
            lines = [] if self._kept is None else self._kept.all()
        for line in lines:
            with suppress(OSError):
                # Past ssl's own method, which would take the TLS state from under the reader.
                socket.socket.shutdown(line, socket.SHUT_RDWR)

    def _renew(self) -> None:
        left = min(max(self.deadline - time.monotonic(), 0.001), _LONGEST)
        self.timeouts.update(connect=left, read=left, write=left, pool=left)

    def is_over(self) -> bool:
        """Tell whether the time of the attempt is used up."""
        return time.monotonic() >= self.deadline - 0.001

    def failure(self, error: Exception) -> Failure:
        """Turn `error` into a value; raise it again if it is not about the exchange."""
        if isinstance(error, _AbandonedError):
            return Failure(kind=error.kind)
        # By name, so that the errors of httpx2 and of httpx are understood without either.
        names = {kind.__name__ for kind in type(error).__mro__}
        kind = next((kind for name, kind in _KINDS.items() if name in names), None)
        if kind is None:
            raise error
        if self.is_over():
            kind = FailureKind.DEADLINE
        elif kind is FailureKind.LOST and self.reused and not self.answered:
            kind = FailureKind.STALE
        elif kind is FailureKind.UNSENT and _is_untrusted(error):
            kind = FailureKind.UNTRUSTED
        return Failure(kind=kind, detail=type(error).__name__)


class Body:
    """Collects the body of an answer, within its bounds of size and time."""

    def __init__(self, attempt: Attempt, watch: Watch) -> None:
        self._left = attempt.request.longest_answer
        self._watch = watch
        self._pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        """Take the next piece, as long as there is room and time."""
        self._left -= len(piece)
        if self._left < 0:
            raise _AbandonedError(FailureKind.OVERSIZED)
        if self._watch.is_over():
            raise _AbandonedError(FailureKind.DEADLINE)
        self._pieces.append(piece)

    def whole(self, response: StreamedResponse) -> Response:
        """Return the answer whose body was collected."""
        return Response(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=b"".join(self._pieces),
            received=time.time(),
        )


def _socket_of(stream: object) -> socket.socket | None:
    get = getattr(stream, "get_extra_info", None)
    found = get("socket") if callable(get) else None
    return found if isinstance(found, socket.socket) else None


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
