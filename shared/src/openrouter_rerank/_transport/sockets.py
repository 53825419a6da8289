"""
Sockets for synchronous calls whose every wait ends at one deadline, as a backend of httpcore.

httpcore's own timeouts are for single steps: a server that sends a byte now and then, or a host
with many silent addresses, has each of them in turn.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import httpcore

from .bounds import LONGEST, LONGEST_CONNECT, MOST_HELD

_STEP = 262_144


def addresses_of(host: str, port: int) -> list[str]:
    """Return the numeric addresses of `host`, those to be tried first in front."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    return [socket.getnameinfo(address, numeric)[0] for *_, address in found]


class Sockets(httpcore.NetworkBackend):
    """Opens the sockets of one connection, which share its `deadline`."""

    def __init__(
        self,
        *,
        longest_connect: float = LONGEST_CONNECT,
        resolve: Callable[[str, int], list[str]] = addresses_of,
    ) -> None:
        self.deadline = 0.0
        """When the attempt that uses the connection ends, as `time.monotonic()`."""
        self._longest_connect = longest_connect
        self._resolve = resolve
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - there is one deadline
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that answers; each gets its share of the time."""
        try:
            # No system lets a name that is being looked up be given up.
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(error) from error
        failure: Exception = httpcore.ConnectError("no address")
        for at, address in enumerate(addresses):
            share = self.left_to_connect(len(addresses) - at)
            try:
                stream = self._backend.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self)
        raise failure

    def left_to_connect(self, tries: int = 1) -> float:
        """Return the seconds for each of so many tries to connect, or raise `ConnectTimeout`."""
        return min(self.left(httpcore.ConnectTimeout) / tries, self._longest_connect)

    def left(self, late: type[httpcore.TimeoutException]) -> float:
        """Return the seconds until the deadline, or raise `late`."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise late
        return min(left, LONGEST)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, sockets: Sockets) -> None:
        self._stream = stream
        self._sockets = sockets
        line = stream.get_extra_info("socket")
        self._line = line if isinstance(line, socket.socket) else None
        self._held = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        # As httpcore does: a server that takes no more may have said why.
        with suppress(httpcore.WriteError):
            self._flush()
        return self._stream.read(max_bytes, self._sockets.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        # The head of a request comes first, and a small body goes out with it: one packet, one TLS
        # record, one call of the system.
        if len(self._held) + len(buffer) <= MOST_HELD:
            self._held += buffer
            return
        self._flush()
        self._send(buffer)

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._send(held)

    def _send(self, buffer: bytes) -> None:
        if self._line is None:
            # Within each of these, it would wait as long again whenever some bytes were taken.
            for start in range(0, len(buffer), _STEP):
                left = self._sockets.left(httpcore.WriteTimeout)
                self._stream.write(buffer[start : start + _STEP], left)
            return
        # httpcore's stream would wait as long again whenever some bytes were taken.
        unsent = memoryview(buffer)
        try:
            while unsent:
                self._line.settimeout(self._sockets.left(httpcore.WriteTimeout))
                unsent = unsent[self._line.send(unsent) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(error) from error
        except OSError as error:
            raise httpcore.WriteError(error) from error

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        try:
            left = self._sockets.left_to_connect()
        except httpcore.ConnectTimeout:
            self.close()
            raise
        secured = _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._sockets)
        if isinstance(self._line, ssl.SSLSocket):
            # TLS within the TLS of a proxy: to write to the socket would bypass it.
            secured._line = None
        return secured

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
