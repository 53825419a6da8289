"""
The idle connections of this process, and of each event loop, shared by all clients.

A pool is one stack for each host. An exchange takes the connection on top, uses it, and puts it
back. A connection whose exchange ends in an exception is closed and not put back. `__init__.py`
says why this is not httpx's pool.
"""

import asyncio
import atexit
import os
import threading
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from .connect import is_prepared, new_async_connection, new_connection, prepare
from .loops import PerLoop
from .threads import in_thread

if TYPE_CHECKING:
    from .connection import AsyncConnection, Connection

# Seconds. With the 5 seconds of httpx, a caller that makes a call every ten seconds needs a TCP and
# a TLS handshake each time.
_KEEP_ALIVE = 60.0


class Pool:
    """The idle connections of this process for synchronous calls."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: dict[str, list[tuple[float, Connection]]] = {}
        self._owners: defaultdict[str, WeakSet[object]] = defaultdict(WeakSet)

    def take(self, url: str, owner: object, *, new: bool = False) -> "tuple[Connection, bool]":
        """
        Take a connection to the host of `url`.

        Args:
            url: A URL of the host.
            owner: The client that makes the call. `release` removes it.
            new: Close the idle connections to the host, and make a new one.

        Returns:
            The connection, and whether it has been used before.
        """
        while (idle := self._pop(_origin(url), owner)) is not None:
            last_used, connection = idle
            is_recent = self._clock() - last_used < _KEEP_ALIVE
            if not new and is_recent and connection.is_alive():
                return connection, True
            # The server has closed it, or will soon. If one connection is stale, the others are
            # likely to be stale too.
            connection.close()
        return new_connection(url), False

    def _pop(self, origin: str, owner: object) -> "tuple[float, Connection] | None":
        with self._lock:
            self._owners[origin].add(owner)
            stack = self._idle.get(origin)
            return stack.pop() if stack else None

    def put(self, url: str, connection: "Connection", owner: object) -> None:
        """Put a connection back after a complete exchange, and close those unused for a minute."""
        origin = _origin(url)
        with self._lock:
            now = self._clock()
            self._idle.setdefault(origin, []).append((now, connection))
            old = [each for stack in self._idle.values() for each in _pop_old(stack, now)]
            if not connection.is_idle or owner not in self._owners[origin]:
                # The connection allows no other exchange, or its client was closed meanwhile.
                old.append(self._idle[origin].pop())
        for _, each in old:
            each.close()

    def release(self, owner: object) -> None:
        """Remove an owner, and close the idle connections to hosts that no other one has called."""
        with self._lock:
            unused = _released(self._owners, owner)
            closing = [each for origin in unused for each in self._idle.pop(origin, [])]
        for _, each in closing:
            each.close()

    def close(self) -> None:
        """Close all idle connections. Later calls open new ones."""
        with self._lock:
            stacks, self._idle = self._idle, {}
        for stack in stacks.values():
            for _, each in stack:
                each.close()


class AsyncPool:
    """The idle connections of one event loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._idle: dict[str, list[tuple[float, AsyncConnection]]] = {}
        self._owners: defaultdict[str, WeakSet[object]] = defaultdict(WeakSet)
        self._preparing = asyncio.Lock()
        self.closer: AsyncGenerator[None, None] | None = None
        """Closes the pool when the loop ends: see `async_pool`."""

    async def take(
        self, url: str, owner: object, *, new: bool = False
    ) -> "tuple[AsyncConnection, bool]":
        """Take a connection to the host of `url`: see `Pool.take`."""
        origin = _origin(url)
        self._owners[origin].add(owner)
        stack = self._idle.setdefault(origin, [])
        while stack:
            last_used, connection = stack.pop()
            is_recent = self._clock() - last_used < _KEEP_ALIVE
            if not new and is_recent and connection.is_alive():
                return connection, True
            # The server has closed it, or will soon.
            await connection.aclose()
        if not is_prepared(url):
            # One task prepares, outside the loop, and the others wait for it.
            async with self._preparing:
                if not is_prepared(url):
                    await in_thread(prepare, url)
        return new_async_connection(url), False

    async def put(self, url: str, connection: "AsyncConnection", owner: object) -> None:
        """Put a connection back after a complete exchange, and close those unused for a minute."""
        origin = _origin(url)
        now = self._clock()
        self._idle.setdefault(origin, []).append((now, connection))
        old = [each for stack in self._idle.values() for each in _pop_old(stack, now)]
        if not connection.is_idle or owner not in self._owners[origin]:
            # The connection allows no other exchange, or its client was closed meanwhile.
            old.append(self._idle[origin].pop())
        await _close_all(old)

    async def release(self, owner: object) -> None:
        """Remove an owner, and close the idle connections to hosts that no other one has called."""
        unused = _released(self._owners, owner)
        await _close_all([each for origin in unused for each in self._idle.pop(origin, [])])

    async def close(self) -> None:
        """Close all idle connections. Later calls open new ones."""
        stacks, self._idle = self._idle, {}
        await _close_all([each for stack in stacks.values() for each in stack])


async def _close_all(closing: "list[tuple[float, AsyncConnection]]") -> None:
    try:
        while closing:
            await closing.pop()[1].aclose()
    finally:
        # If the call is cancelled here, no other code has a reference to the remaining connections.
        if closing:
            await _close_all(closing)


class _Process:
    """The pools of this process. A forked child starts without any connection."""

    def __init__(self) -> None:
        self.pool = Pool()
        self.loops = PerLoop(AsyncPool)
        self._inherited: list[object] = []

    def start_empty(self) -> None:
        """Leave the parent's connections open: on a shared one, responses would mix."""
        self._inherited.append((self.pool, self.loops))
        self.pool = Pool()
        self.loops = PerLoop(AsyncPool)


_process = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.start_empty)


@atexit.register
def _close_idle() -> None:
    _process.pool.close()


def pool() -> Pool:
    """Return the pool of this process."""
    return _process.pool


async def async_pool() -> AsyncPool:
    """
    Return the pool of the running event loop, which closes when the loop ends.

    Raises:
        ConfigurationError: If there is no running event loop of asyncio.
    """
    found = _process.loops.get()
    if found.closer is None:
        # `asyncio.run` closes asynchronous generators that are still open when it ends the loop.
        found.closer = _close_with_loop(asyncio.get_running_loop(), found)
        await anext(found.closer)
    return found


async def _close_with_loop(
    loop: asyncio.AbstractEventLoop, closing: AsyncPool
) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        _process.loops.discard(loop)
        await closing.close()


def _released(owners: dict[str, WeakSet[object]], owner: object) -> list[str]:
    """Remove an owner, and return the origins that have no owner left."""
    for each in owners.values():
        each.discard(owner)
    unused = [origin for origin, each in owners.items() if not each]
    for origin in unused:
        del owners[origin]
    return unused


def _origin(url: str) -> str:
    return url[: url.index("/", 8)]


_Connection = TypeVar("_Connection")


def _pop_old(stack: list[tuple[float, _Connection]], now: float) -> list[tuple[float, _Connection]]:
    """Remove the connections at the bottom of the stack that have been idle for a minute."""
    fresh = next((at for at, (used, _) in enumerate(stack) if now - used < _KEEP_ALIVE), len(stack))
    old, stack[:] = stack[:fresh], stack[fresh:]
    return old
