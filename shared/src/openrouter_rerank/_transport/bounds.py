"""Keeps one attempt within its bounds of time and size, and tells what an exception in it means."""

import io
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Protocol, runtime_checkable

from openrouter_rerank._attempt import Attempt, Failure, FailureKind, Response

# By name, so that the errors of httpcore, httpx and httpx2 are understood without an import. The
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
    "NetworkError": FailureKind.LOST,
    "ProtocolError": FailureKind.LOST,
    "TransportError": FailureKind.LOST,
    # httpcore's asynchronous reads let the errors of TLS through.
    "SSLError": FailureKind.LOST,
}


_STEPS = ("connect", "read", "write", "pool")
# Seconds. Sockets and locks refuse waits of some centuries.
LONGEST = 1e6
# Seconds, as in httpx. A host can have several addresses, and some networks swallow what is sent to
# the first ones: the later ones must get their chance, and so must another attempt.
LONGEST_CONNECT = 5.0
# Bytes of a request that wait for what follows. Joining more costs more than another packet does.
MOST_HELD = 131_072


class _AbandonedError(Exception):
    """The body is not read to its end."""

    def __init__(self, kind: FailureKind) -> None:
        self.kind = kind


class TimeLeft(Mapping[str, float]):
    """
    The timeouts of a request: for each step what is left when it begins.

    The timeouts of httpx are per read, so those of the start would add up.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def __getitem__(self, step: str) -> float:
        if step not in _STEPS:
            raise KeyError(step)
        left = max(self._deadline - time.monotonic(), 0.001)
        return min(left, LONGEST_CONNECT if step == "connect" else LONGEST)

    def __iter__(self) -> Iterator[str]:
        return iter(_STEPS)

    def __len__(self) -> int:
        return len(_STEPS)


@runtime_checkable
class _Closable(Protocol):
    """A stream of httpcore."""

    async def aclose(self) -> None:
        """Close it."""
        ...


class Watch:
    """Keeps the time of one attempt, and tells what an exception during it means."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.reused = False
        self.answered = False
        self.is_permitted = True
        """Whether no rate limiter stands before the exchange."""
        self.timeouts = TimeLeft(deadline)
        self.line: socket.socket | None = None
        """The socket of the exchange, as far as it is known."""
        self._stream: object = None

    def trace(self, event: str, info: Mapping[str, object]) -> None:
        """Follow the steps of a synchronous exchange: the `trace` extension of httpcore."""
        # With a proxy in between, the names of the events begin in other ways.
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self.line = _socket_of(info.get("return_value"))
            self.reused = False

    async def atrace(self, event: str, info: Mapping[str, object]) -> None:
        """Follow the steps of an asynchronous exchange."""
        if event.endswith(".connect_tcp.complete"):
            self.reused = False
            self._stream = info.get("return_value")
        elif event.endswith(".start_tls.failed") and isinstance(self._stream, _Closable):
            # httpcore forgets to close the connection when a handshake is cancelled.
            await self._stream.aclose()

    def check(self) -> None:
        """Send nothing when the time is up: it might be billed, and nobody would wait for it."""
        if self.is_over():
            raise _AbandonedError(FailureKind.DEADLINE)

    def end(self) -> None:
        """Shut the connection down, so that whoever waits for it goes on at once."""
        if self.line is not None:
            with suppress(OSError):
                # Past ssl's own method, which would take the TLS state from under the reader.
                socket.socket.shutdown(self.line, socket.SHUT_RDWR)

    def is_over(self) -> bool:
        """Tell whether the time of the attempt is used up."""
        return time.monotonic() >= self.deadline - 0.001

    def failure(self, error: Exception) -> Failure:
        """Turn `error` into a value; raise it again if it is not about the exchange."""
        if isinstance(error, _AbandonedError):
            return Failure(kind=error.kind)
        if not self.is_permitted:
            return Failure(kind=FailureKind.UNPERMITTED)
        names = {kind.__name__ for kind in type(error).__mro__}
        kind = next((kind for name, kind in _KINDS.items() if name in names), None)
        if kind is None and isinstance(error, RuntimeError) and "closed" in str(error):
            # A client of the user that is closed.
            kind = FailureKind.UNSENDABLE
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
    """Collects an answer, within the bounds of size and time for its body."""

    def __init__(self, attempt: Attempt, watch: Watch) -> None:
        self.watch = watch
        self._left = attempt.request.longest_answer
        self._status = 0
        self._headers: Mapping[str, str] = {}
        # Grows in place. Pieces that are joined at the end would be in memory twice.
        self._body = io.BytesIO()

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take what comes before the body."""
        self.watch.answered = True
        self._status, self._headers = status, headers

    def add(self, piece: bytes | bytearray) -> None:
        """Take the next piece, as long as there is room and time."""
        self._left -= len(piece)
        if self._left < 0:
            raise _AbandonedError(FailureKind.OVERSIZED)
        if self.watch.is_over():
            raise _AbandonedError(FailureKind.DEADLINE)
        self._body.write(piece)

    def whole(self) -> Response:
        """Return the answer."""
        return Response(
            status=self._status,
            headers=self._headers,
            body=self._body.getvalue(),
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
