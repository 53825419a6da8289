"""
Sockets for synchronous calls: each wait of a socket ends at one deadline.

The timeouts of httpcore's own backend apply to each step. A server that sends a byte now and then,
or a host with many addresses that do not answer, can use the whole timeout again in each step.
"""

import functools
import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

import httpcore

from openrouter_rerank._tracebacks import raise_if_from_signal

from .bounds import CONNECT_TIMEOUT, HELD_BYTES, LONGEST_WAIT

# Bytes that are encrypted or received together, in the TLS within the TLS of a proxy.
_PIECE_BYTES = 262_144

_Result = TypeVar("_Result")


def addresses_of(host: str, port: int) -> list[str]:
    """Return the numeric addresses of `host`, in the order in which they are to be tried."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    return [socket.getnameinfo(address, numeric)[0] for *_, address in found]


class Sockets:
    """
    Opens the sockets of one connection, which share its `deadline`.

    Args:
        connect_timeout: The longest time, in seconds, to connect to one address, and for a TLS
            handshake.
        resolve: Returns the numeric addresses of a host.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        resolve: Callable[[str, int], list[str]] = addresses_of,
    ) -> None:
        self.deadline = 0.0
        """When the attempt that uses the connection must end, as `time.monotonic()`."""
        self._connect_timeout = connect_timeout
        self._resolve = resolve
        self._backend = httpcore.SyncBackend()

    def connect(self, host: str, port: int) -> "Stream":
        """Connect to the first address of `host` that accepts; the addresses share the time."""
        try:
            # No operating system can cancel the lookup of a name.
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(error) from error
        failure: Exception = httpcore.ConnectError("no address")
        for at, address in enumerate(addresses):
            share = self.time_to_connect(len(addresses) - at)
            try:
                stream = self._backend.connect_tcp(address, port, share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                raise_if_from_signal(error)
                failure = error
            else:
                return Stream(stream, self)
        raise failure

    def time_to_connect(self, addresses: int = 1) -> float:
        """Return the seconds for the next of `addresses`, or raise `ConnectTimeout`."""
        return min(self.time_left(httpcore.ConnectTimeout) / addresses, self._connect_timeout)

    def time_left(self, late: type[httpcore.TimeoutException]) -> float:
        """Return the seconds until the deadline, or raise `late` if there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise late
        return min(left, LONGEST_WAIT)


class Stream:
    """A connected socket; its waits end at the deadline of `sockets`."""

    def __init__(self, stream: httpcore.NetworkStream, sockets: Sockets) -> None:
        self._stream = stream
        self._sockets = sockets
        self._socket: socket.socket = stream.get_extra_info("socket")
        self._held = b""

    def read(self, max_bytes: int) -> bytes:
        """Return the next bytes as soon as there are any; `b""` at the end of the connection."""
        # As httpcore does: a server that stops reading may have sent a response that says why.
        try:
            self._flush()
        except httpcore.WriteError as error:
            raise_if_from_signal(error)
        return self._receive(max_bytes)

    def write(self, buffer: bytes) -> None:
        """Send `buffer`, or hold it back until the next read if it is small."""
        # The head of a request comes first. A small body is sent together with it: in one packet,
        # one TLS record and one system call.
        if len(self._held) + len(buffer) <= HELD_BYTES:
            self._held += buffer
            return
        self._flush()
        self._send(buffer)

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._send(held)

    def _receive(self, max_bytes: int) -> bytes:
        return self._stream.read(max_bytes, self._sockets.time_left(httpcore.ReadTimeout))

    def _send(self, buffer: bytes) -> None:
        # The stream of httpcore is not used, because it starts its timeout again after each partial
        # write.
        unsent = memoryview(buffer)
        try:
            while unsent:
                self._socket.settimeout(self._sockets.time_left(httpcore.WriteTimeout))
                unsent = unsent[self._socket.send(unsent) :]
        except TimeoutError as error:
            raise_if_from_signal(error)
            raise httpcore.WriteTimeout(error) from error
        except OSError as error:
            raise_if_from_signal(error)
            raise httpcore.WriteError(error) from error

    def close(self) -> None:
        """Close the connection."""
        self._held = b""
        self._stream.close()

    def start_tls(self, context: ssl.SSLContext, host: str) -> "Stream":
        """Secure the connection; return the stream to use from here on."""
        try:
            left = self._sockets.time_to_connect()
        except httpcore.ConnectTimeout:
            self.close()
            raise
        if isinstance(self._socket, ssl.SSLSocket):
            return _TLSInTLSStream(self._stream, self._sockets, context, host)
        return Stream(self._stream.start_tls(context, host, left), self._sockets)

    def is_readable(self) -> bool:
        """Return `True` if a read would return without waiting: bytes, or the end."""
        return bool(self._stream.get_extra_info("is_readable"))


class _TLSInTLSStream(Stream):
    """
    TLS within the TLS of a proxy.

    Not httpcore's stream, which would start its timeout again after each part of a TLS record. The
    errors of TLS itself are not translated: `Bounds` knows them.
    """

    def __init__(
        self, stream: httpcore.NetworkStream, sockets: Sockets, context: ssl.SSLContext, host: str
    ) -> None:
        super().__init__(stream, sockets)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        deadline = sockets.deadline
        try:
            sockets.deadline = time.monotonic() + sockets.time_to_connect()
            self._exchange(self._tls.do_handshake)
        except httpcore.TimeoutException as error:
            raise httpcore.ConnectTimeout(error) from error
        finally:
            sockets.deadline = deadline

    def _receive(self, max_bytes: int) -> bytes:
        return self._exchange(functools.partial(self._tls.read, max_bytes))

    def _send(self, buffer: bytes) -> None:
        for start in range(0, len(buffer), _PIECE_BYTES):
            piece = buffer[start : start + _PIECE_BYTES]
            self._exchange(functools.partial(self._tls.write, piece))

    def _exchange(self, step: Callable[[], _Result]) -> _Result:
        """Return the result of a `step` of the TLS, and send and receive what it needs."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                super()._send(self._outgoing.read())
                if received := super()._receive(_PIECE_BYTES):
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            else:
                super()._send(self._outgoing.read())
                return result

    def is_readable(self) -> bool:
        """Return `True` if a read would return without waiting: bytes, or the end."""
        # Bytes may wait in either TLS, where the socket does not show them.
        is_waiting = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0
        has_unread = self._incoming.pending > 0 or self._tls.pending() > 0
        return is_waiting or has_unread or super().is_readable()
