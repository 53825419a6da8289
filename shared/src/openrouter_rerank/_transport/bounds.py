"""
The bounds of one attempt in time and size, and the failure that an exception in it means.

`Bounds` has the deadline of an attempt. `ResponseBuilder` collects the response, and ends the
attempt if the response is too large or comes too late.
"""

import errno
import io
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol, runtime_checkable

from openrouter_rerank._attempt import Attempt, Failure, FailureKind, Response, Step
from openrouter_rerank._tracebacks import (
    HTTP_LIBRARIES,
    error_from_signal,
    raise_if_from_signal,
    with_causes,
)
from openrouter_rerank._wire.endpoint import Secrets
from openrouter_rerank.errors import OpenRouterRerankError

# Looked up by class name, so that the errors of httpcore, httpx and httpx2 are understood without
# importing them. The first match counts: a ConnectTimeout is also a TimeoutException.
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
    # The asynchronous reads of httpcore do not translate TLS errors, nor does our TLS within TLS.
    "SSLError": FailureKind.LOST,
}
# Users have classes with the same names, such as a TimeoutException for another limit.
_KIND_PACKAGES = HTTP_LIBRARIES | {"builtins", "h11", "socket", "ssl"}

_LATE = {Step.SLOT: FailureKind.BUSY, Step.PERMISSION: FailureKind.UNPERMITTED}
# Seconds before the deadline at which the time is up.
_MARGIN = 0.001
# Seconds to decode a byte of the slowest responses. If it takes longer to decode a response than a
# call may be late, the response must arrive before the deadline: earlier by the difference.
_DECODING_TIME = 20e-9
_MOST_LATE = 0.05
# Seconds that an attempt must have left after a wait for its request slot.
_FAIR_CHANCE = 0.1
# The texts of OpenSSL that name its own states.
_TLS_REASONS: Mapping[str, str] = dict.fromkeys(
    ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"),
    "the server does not use TLS (https) there",
)
_SOCKS_REFUSALS = ("password", "not allow")
# Characters.
_LONGEST_REASON = 200
# What the system says if it has no room for another thread, file or socket.
_EXHAUSTED = frozenset({errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# Modules of the classes of the system's errors: those of others may need other arguments.
_SYSTEM_MODULES = frozenset({"builtins", "socket"})
# Ends of httpcore's events, when a request could not be sent.
_NOT_SENT = (".send_request_headers.failed", ".send_request_body.failed")
# Seconds. Sockets and locks refuse a timeout of several centuries.
LONGEST_WAIT = 1e6
# Seconds, as in httpx. A host can have several addresses, and some networks drop every packet to
# the first ones: there must be time left for the later addresses, and for another attempt.
CONNECT_TIMEOUT = 5.0
# Bytes of a request that a stream holds back, so that it can send them together with the bytes
# that follow. Above this, copying costs more than a second packet.
HELD_BYTES = 131_072


class _BoundExceededError(Exception):
    """The attempt ends before the whole response was read."""

    def __init__(self, kind: FailureKind) -> None:
        self.kind = kind


@runtime_checkable
class _Closable(Protocol):
    """A stream of httpcore."""

    async def aclose(self) -> None:
        """Close it."""
        ...


class Bounds:
    """
    The deadline of one attempt, and what is known about its connection.

    Args:
        started: When the attempt began, as `time.monotonic()`.
        timeout: Seconds after which it must end.
        url: Where its request is sent.
        masked: Masks the secrets of the request in a text of the server.
    """

    def __init__(
        self, started: float, timeout: float, url: str, masked: Callable[[str], str]
    ) -> None:
        self.started = started
        self.deadline = started + timeout
        self.url = url
        self.masked: Callable[[str], str] = masked
        self.step = Step.SLOT
        """What the attempt waits for."""
        self.proxy = ""
        """The proxy of the connection, without its user name and password."""
        self.slot_wait = 0.0
        """Seconds of the wait for a request slot."""
        self.slots = 0
        """The number of request slots of the client."""
        self.is_injected = False
        """Whether the exchange uses the `http_client` of the user."""
        self.is_reused = False
        """Whether the exchange uses a connection that an earlier exchange has used."""
        self.socket: socket.socket | None = None
        """The socket of a synchronous exchange over an injected client, once it is known."""
        self.request: object = None
        """httpcore's request of an exchange over an injected client, once it is known."""
        self._stream: object = None
        self._of_handler: BaseException | None = None

    def trace(self, event: str, info: Mapping[str, object]) -> None:
        """Note the step and the socket of an exchange: the `trace` extension of httpcore."""
        self._note_step(event)
        self.request = info.get("request", self.request)
        # The events of a connection through a proxy have another prefix.
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self.socket = _socket_of(info.get("return_value"))
        elif event.endswith(".response_closed.started"):
            # From here on, another call may use the connection.
            self.socket = None
        elif event.endswith(_NOT_SENT):
            self._end_if_from_signal(info)

    async def atrace(self, event: str, info: Mapping[str, object]) -> None:
        """Note the step of an exchange, and close its connection if the TLS handshake failed."""
        self._note_step(event)
        self.request = info.get("request", self.request)
        if event.endswith(".connect_tcp.complete"):
            self._stream = info.get("return_value")
        elif event.endswith(".start_tls.failed") and isinstance(self._stream, _Closable):
            # httpcore leaves the connection open when a handshake is cancelled.
            await self._stream.aclose()
        elif event.endswith(_NOT_SENT):
            self._end_if_from_signal(info)

    def _end_if_from_signal(self, info: Mapping[str, object]) -> None:
        # If sending fails, httpcore still reads the response, because the server may have sent one
        # and closed the connection. If a signal handler raised the error, none may come.
        error = info.get("exception")
        self._of_handler = error_from_signal(error) if isinstance(error, BaseException) else None
        if self._of_handler is not None:
            raise _BoundExceededError(FailureKind.LOST)

    def _note_step(self, event: str) -> None:
        if event.endswith(".connect_tcp.started"):
            self.step = Step.CONNECTION
        elif event.endswith(".send_request_headers.started"):
            self.step = Step.RESPONSE

    def seconds_for(self, step: str) -> float:
        """Return the seconds that a step may take; httpx's names are connect, read, write, pool."""
        left = max(self.deadline - time.monotonic(), 0.001)
        return min(left, CONNECT_TIMEOUT if step == "connect" else LONGEST_WAIT)

    def mask_too(self, secrets: Secrets) -> None:
        """Mask these secrets in texts of the server, too."""
        masked = self.masked

        def mask_all(text: str) -> str:
            return secrets.masked(masked(text), None)

        self.masked = mask_all

    def go_on_to(self, step: Step) -> None:
        """Note that a wait has ended, and that `step` is next; raise if the time is up."""
        now = time.monotonic()
        needed = _MARGIN
        if self.step is Step.SLOT:
            self.slot_wait = now - self.started
            # A request with less time rarely gets a response, but may be billed.
            needed = max(needed, min(self.slot_wait, _FAIR_CHANCE))
        if self.deadline - now <= needed:
            raise _BoundExceededError(_LATE.get(self.step, FailureKind.DEADLINE))
        self.step = step

    def shut_down(self) -> None:
        """Shut the connection down, so that a thread that waits for it continues immediately."""
        # Read once, because the thread of the exchange may set it to `None` at any time.
        if (connected := self.socket) is not None:
            with suppress(OSError):
                # The method of SSLSocket is not called, because it drops the TLS state while
                # another thread reads.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def is_time_up(self, needed: float = _MARGIN) -> bool:
        """Return `True` if the attempt has no time left, or only the seconds that are `needed`."""
        return time.monotonic() >= self.deadline - needed

    def failure(self, error: Exception) -> Failure:
        """Return the failure that `error` means; raise `error` if it is not about the exchange."""
        raise_if_from_signal(self._of_handler or error)
        if isinstance(error, _BoundExceededError):
            return self.failed(error.kind)
        cause = _system_error(error)
        kind = self._kind(error, cause)
        if kind is None:
            raise error
        if self.is_time_up():
            kind = _LATE.get(self.step, FailureKind.DEADLINE)
        elif kind is FailureKind.LOST:
            kind = self._loss()
        if kind is FailureKind.UNSENT and isinstance(cause, ssl.SSLCertVerificationError):
            kind = FailureKind.UNTRUSTED
        reason = self._reason(error, cause)
        if type(error).__name__ == "ProxyError" and _is_refusal(reason):
            kind = FailureKind.PROXY_REFUSED
        return self.failed(kind, reason, cause)

    def _kind(self, error: Exception, cause: OSError | None) -> FailureKind | None:
        kind = _kind_of(error)
        # Certificates that cannot be read for this reason are a `ConfigurationError`.
        is_opening = self.step is Step.CONNECTION and kind in {None, FailureKind.UNSENT}
        return FailureKind.EXHAUSTED if is_opening and _is_exhausted(cause) else kind

    def _loss(self) -> FailureKind:
        """Return what it means that the connection was lost."""
        if self.step is Step.CONNECTION:
            # In the handshake of a proxy.
            return FailureKind.UNSENT
        is_stale = self.is_reused and self.step is not Step.BODY
        return FailureKind.STALE if is_stale else FailureKind.LOST

    def failed(self, kind: FailureKind, reason: str = "", cause: OSError | None = None) -> Failure:
        """Return a failure of this attempt."""
        return Failure(
            kind=kind,
            url=self.url,
            step=self.step,
            proxy=self.proxy,
            is_injected=self.is_injected,
            reason=reason,
            cause=cause,
            waited=time.monotonic() - self.started,
            slot_wait=self.slot_wait,
            slots=self.slots,
        )

    def _reason(self, error: Exception, cause: OSError | None) -> str:
        """Return the reason in the words of the system, or of the library if it has no secret."""
        name = type(error).__name__
        if name == "LocalProtocolError":
            # h11 quotes the header that it refuses.
            return name
        if cause is not None:
            return _words(cause) or name
        if name == "ConnectTimeout":
            return f"no answer within {CONNECT_TIMEOUT:g} s"
        masked = self.masked(str(error))[:_LONGEST_REASON]
        if name == "RemoteProtocolError":
            # The texts of h11 are about its own states.
            closed = any(word in masked for word in ("ConnectionClosed", "closed", "disconnected"))
            return "the server closed it" if closed else f"invalid HTTP ({_one_line(masked)})"
        text = _one_line(masked)
        return f"HTTP {text}" if name == "ProxyError" and text[:3].isdigit() else text or name


class ResponseBuilder:
    """Collects the response to an attempt, within the bounds of its size and time."""

    def __init__(self, attempt: Attempt, bounds: Bounds) -> None:
        self.bounds = bounds
        self._bytes_left = attempt.request.longest_response
        self._status = 0
        self._headers: Mapping[str, str] = {}
        # A buffer that grows in place. A list of pieces would need twice the memory when joined.
        self._body = io.BytesIO()

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Set the status and the headers of the response."""
        self.bounds.step = Step.BODY
        self._status, self._headers = status, headers

    def add(self, piece: bytes | bytearray) -> None:
        """Append the next piece of the body; raise if the body is too large or too late."""
        self._bytes_left -= len(piece)
        if self._bytes_left < 0:
            raise _BoundExceededError(FailureKind.OVERSIZED)
        self._body.write(piece)
        decoding = self._body.tell() * _DECODING_TIME - _MOST_LATE
        if self.bounds.is_time_up(max(decoding, _MARGIN)):
            raise _BoundExceededError(FailureKind.DEADLINE)

    def build(self) -> Response:
        """Return the response."""
        return Response(
            status=self._status,
            headers=self._headers,
            body=self._body.getvalue(),
            received=time.time(),
            url=self.bounds.url,
            masked=self.bounds.masked,
        )


def _kind_of(error: Exception) -> FailureKind | None:
    if isinstance(error, OpenRouterRerankError):
        # Some of ours are built-in errors too. A hook of an injected client may raise them.
        return None
    kinds = type(error).__mro__
    names = {each.__name__ for each in kinds if each.__module__.partition(".")[0] in _KIND_PACKAGES}
    return next((kind for name, kind in _KINDS.items() if name in names), None)


def _is_exhausted(error: OSError | None) -> bool:
    """Return `True` if `error` says that the system has no room for another thread or file."""
    # The numbers of errors of TLS and of name lookups are not those of the system.
    has_other_number = isinstance(error, ssl.SSLError | socket.gaierror | socket.herror)
    return error is not None and error.errno in _EXHAUSTED and not has_other_number


def _socket_of(stream: object) -> socket.socket | None:
    get = getattr(stream, "get_extra_info", None)
    found = get("socket") if callable(get) else None
    return found if isinstance(found, socket.socket) else None


def _words(error: OSError) -> str | None:
    """Return the reason in the words of the system."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    if isinstance(error, ssl.SSLError):
        return _TLS_REASONS.get(error.reason, error.reason)
    return error.strerror


def _is_refusal(reason: str) -> bool:
    # The status of an HTTP proxy, or the texts of `tunnel.py` and httpcore for SOCKS proxies.
    return reason.startswith("HTTP 4") or any(each in reason for each in _SOCKS_REFUSALS)


def _one_line(text: str) -> str:
    # A library may quote bytes of the server, which must not forge a line of a log.
    return "".join(mark if mark.isprintable() else " " for mark in text).strip(". ")


def _system_error(error: Exception) -> OSError | None:
    """Return a new object of the system's error that caused `error`: without its traceback."""
    # A group has the errors of all addresses of a host: the first one counts.
    causes = (each for each in with_causes(error) if isinstance(each, OSError))
    found = next((each for each in causes if each.errno is not None), None)
    if found is None:
        return None
    if isinstance(found, ssl.SSLError):
        copy = type(found)(found.errno, found.strerror)
        copy.reason = found.reason
        if isinstance(copy, ssl.SSLCertVerificationError) and isinstance(
            found, ssl.SSLCertVerificationError
        ):
            copy.verify_message = found.verify_message
        return copy
    # The texts of asyncio have addresses in them. The numbers of errors of name lookups are not
    # those of the system.
    is_lookup = isinstance(found, socket.gaierror | socket.herror)
    text = found.strerror if is_lookup else os.strerror(found.errno or 0)
    kind = type(found) if type(found).__module__ in _SYSTEM_MODULES else OSError
    return kind(found.errno, text)
