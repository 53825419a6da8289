"""
The connections of this process: stacks of one-connection httpx transports, shared by all clients.

httpx's own pool walks all its connections for each request, stops keeping connections alive above
twenty in flight, and never recovers from calls that were cancelled at its limit (encode/httpcore
issue 1093). A stack of transports with one connection each has none of these faults: take one from
the top, use it, put it back; whatever ends in an exception is closed and dropped.
"""

import asyncio
import atexit
import functools
import os
import socket
import ssl
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit
from weakref import WeakSet

from ._endpoint import is_loopback
from .errors import ConfigurationError

if TYPE_CHECKING:
    import httpx

# Seconds. Longer than httpx's 5, after which a caller who asks every ten seconds pays for a TCP and
# a TLS handshake each time.
KEEP_ALIVE = 60.0


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection for synchronous calls."""

    transport: "httpx.HTTPTransport"
    line: socket.socket | None
    """Its socket, once it has been used."""


class Connections:
    """The idle connections of this process for synchronous calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[str, list[tuple[float, Connection]]] = {}
        self._users: defaultdict[str, WeakSet[object]] = defaultdict(WeakSet)

    def take(self, url: str, user: object) -> Connection:
        """Take a connection to the host of `url`, which may be a new one."""
        origin = _origin(url)
        with self._lock:
            self._users[origin].add(user)
            stack = self._idle.get(origin)
            if stack:
                return stack.pop()[1]
        return Connection(_new_transport(url), None)

    def put(self, url: str, connection: Connection, user: object) -> None:
        """Put a connection back that has done its work."""
        now, origin = time.monotonic(), _origin(url)
        with self._lock:
            self._idle.setdefault(origin, []).append((now, connection))
            old = [each for stack in self._idle.values() for each in _pop_old(stack, now)]
            if user not in self._users[origin]:
                # Its client was closed meanwhile.
                old.append(self._idle[origin].pop())
        for _, each in old:
            each.transport.close()

    def release(self, user: object) -> None:
        """Close the idle connections to hosts that no other client in use has asked."""
        with self._lock:
            unused = _released(self._users, user)
            closing = [each for origin in unused for each in self._idle.pop(origin, [])]
        for _, each in closing:
            each.transport.close()

    def close(self) -> None:
        """Close all idle connections; later calls open new ones."""
        with self._lock:
            stacks, self._idle = self._idle, {}
        for stack in stacks.values():
            for _, each in stack:
                each.transport.close()


class AsyncConnections:
    """The idle connections of one event loop."""

    def __init__(self) -> None:
        self._idle: dict[str, list[tuple[float, httpx.AsyncHTTPTransport]]] = {}
        self._users: defaultdict[str, WeakSet[object]] = defaultdict(WeakSet)
        self.end: AsyncGenerator[None, None] | None = None

    async def take(self, url: str, user: object) -> "tuple[httpx.AsyncHTTPTransport, bool]":
        """Take a connection to the host of `url`; also tell whether it has been used before."""
        origin = _origin(url)
        self._users[origin].add(user)
        stack = self._idle.get(origin)
        if stack:
            return stack.pop()[1], True
        if _ssl_context.cache_info().currsize:
            return _new_async_transport(url), False
        # The first context reads this machine's certificates, which takes tens of milliseconds.
        return await asyncio.to_thread(_new_async_transport, url), False

    async def put(self, url: str, transport: "httpx.AsyncHTTPTransport", user: object) -> None:
        """Put a connection back that has done its work."""
        now, origin = time.monotonic(), _origin(url)
        self._idle.setdefault(origin, []).append((now, transport))
        old = [each for stack in self._idle.values() for each in _pop_old(stack, now)]
        if user not in self._users[origin]:
            # Its client was closed meanwhile.
            old.append(self._idle[origin].pop())
        for _, each in old:
            await each.aclose()

    async def release(self, user: object) -> None:
        """Close the idle connections to hosts that no other client in use has asked."""
        unused = _released(self._users, user)
        for _, each in [each for origin in unused for each in self._idle.pop(origin, [])]:
            await each.aclose()

    async def close(self) -> None:
        """Close all idle connections; later calls open new ones."""
        stacks, self._idle = self._idle, {}
        for stack in stacks.values():
            for _, each in stack:
                await each.aclose()


class _Process:
    """What belongs to this process; a forked child starts with nothing."""

    def __init__(self) -> None:
        self.connections = Connections()
        self.loops: dict[asyncio.AbstractEventLoop, AsyncConnections] = {}
        self._of_parents: list[object] = []

    def start_anew(self) -> None:
        """Leave the connections of the parent alone: used by two, their answers would mix."""
        self._of_parents.append((self.connections, self.loops))
        self.connections = Connections()
        self.loops = {}


_process = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.start_anew)


@atexit.register
def _close_idle() -> None:
    _process.connections.close()


def connections() -> Connections:
    """Return the connections of this process."""
    return _process.connections


async def async_connections() -> AsyncConnections:
    """Return the connections of the running event loop, which close when the loop ends."""
    loop = asyncio.get_running_loop()
    found = _process.loops.get(loop)
    if found is None:
        for ended in [each for each in list(_process.loops) if each.is_closed()]:
            _process.loops.pop(ended, None)
        found = _process.loops[loop] = AsyncConnections()
        # asyncio.run() closes async generators that are left open: that is the cue to close.
        found.end = _until_the_loop_ends(loop, found)
        await anext(found.end)
    return found


async def _until_the_loop_ends(
    loop: asyncio.AbstractEventLoop, kept: AsyncConnections
) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        _process.loops.pop(loop, None)
        await kept.close()


def _released(users: dict[str, WeakSet[object]], user: object) -> list[str]:
    """Forget a user, and return the origins that nobody uses any more."""
    for each in users.values():
        each.discard(user)
    unused = [origin for origin, each in users.items() if not each]
    for origin in unused:
        del users[origin]
    return unused


def _origin(url: str) -> str:
    return url[: url.index("/", 8)]


_Kept = TypeVar("_Kept")


def _pop_old(stack: list[tuple[float, _Kept]], now: float) -> list[tuple[float, _Kept]]:
    """Take away those at the bottom that have not been used for a while."""
    fresh = next((at for at, (used, _) in enumerate(stack) if now - used < KEEP_ALIVE), len(stack))
    old, stack[:] = stack[:fresh], stack[fresh:]
    return old


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


def _new_transport(url: str) -> "httpx.HTTPTransport":
    import httpx

    with _settings_of_the_environment():
        return httpx.HTTPTransport(
            verify=_ssl_context(),
            limits=httpx.Limits(
                max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE
            ),
            proxy=_proxy(url),
        )


def _new_async_transport(url: str) -> "httpx.AsyncHTTPTransport":
    import httpx

    with _settings_of_the_environment():
        return httpx.AsyncHTTPTransport(
            verify=_ssl_context(),
            limits=httpx.Limits(
                max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE
            ),
            proxy=_proxy(url),
        )


@contextmanager
def _settings_of_the_environment() -> Generator[None]:
    try:
        yield
    except (ImportError, OSError, ValueError) as error:
        raise ConfigurationError(
            "the proxy or the certificates that the environment names cannot be used "
            f"(HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE, SSL_CERT_DIR): {type(error).__name__}"
        ) from error


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for `url` (HTTPS_PROXY, ALL_PROXY, NO_PROXY)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    # What is meant for this machine must not leave it.
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return f"http://{found}" if found and "://" not in found else found
