"""
Sockets for synchronous calls: each wait of a socket ends at one deadline.

The timeouts of httpcore's own backend apply to each step. A server that sends a byte now and then,
or a host with many addresses that do not answer, can use the whole timeout again in each step.
"""

import socket
import ssl
import time
from collections.abc import Callable

import httpcore

from openrouter_rerank._tracebacks import raise_if_from_signal

from .bounds import CONNECT_TIMEOUT, HELD_BYTES, LONGEST_WAIT

_PIECE_BYTES = 262_144


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
        """Connect to the first address of `host` that accepts; each gets a share of the time."""
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
        found = stream.get_extra_info("socket")
        self._socket = found if isinstance(found, socket.socket) else None
        self._held = b""

    def read(self, max_bytes: int) -> bytes:
        """Return the next bytes as soon as there are any; `b""` at the end of the connection."""
        # As httpcore does: a server that stops reading may have sent a response that says why.
        try:
            self._flush()
        except httpcore.WriteError as error:
            raise_if_from_signal(error)
        return self._stream.read(max_bytes, self._sockets.time_left(httpcore.ReadTimeout))

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

    def _send(self, buffer: bytes) -> None:
        if self._socket is None:
            # Within one piece, httpcore's stream starts its timeout again after each partial write.
            for start in range(0, len(buffer), _PIECE_BYTES):
                left = self._sockets.time_left(httpcore.WriteTimeout)
                self._stream.write(buffer[start : start + _PIECE_BYTES], left)
            return
        # Not httpcore's stream, which would start its timeout again after each partial write.
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
        secured = Stream(self._stream.start_tls(context, host, left), self._sockets)
        if isinstance(self._socket, ssl.SSLSocket):
            # TLS within the TLS of a proxy: writing to the socket would bypass the inner one.
            secured._socket = None
        return secured

    def is_readable(self) -> bool:
        """Return `True` if a read would return without waiting: bytes, or the end."""
        if self._socket is not None:
            return bool(self._stream.get_extra_info("is_readable"))
        # Bytes may wait in the TLS of the proxy, where the socket does not show them.
        try:
            self._stream.read(1, 0.0)
        except httpcore.ReadError as error:
            return not isinstance(error.__cause__, BlockingIOError | ssl.SSLWantReadError)
        return True
