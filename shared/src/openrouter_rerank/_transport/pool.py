"""
The connections of this process: stacks of connections of httpcore, shared by all clients.

The pool of httpx, which is httpcore's, walks all its connections for each request, stops keeping
connections alive above twenty in flight, and never recovers from calls that were cancelled at its
limit (encode/httpcore issue 1093). A stack has none of these faults: take one from the top, use it,
put it back; whatever ends in an exception is closed and dropped.
"""

import asyncio
import atexit
import os
import threading
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakSet

from .connect import (
    AsyncChannel,
    Channel,
    is_prepared,
    new_async_channel,
    new_channel,
    prepare,
)

# Seconds. Longer than httpx's 5, after which a caller who asks every ten seconds pays for a TCP and
# a TLS handshake each time.
_KEEP_ALIVE = 60.0


class Connections:
    """The idle connections of this process for synchronous calls."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: dict[str, list[tuple[float, Channel]]] = {}
        self._users: defaultdict[str, WeakSet[object]] = defaultdict(WeakSet)

    def take(self, url: str, user: object, *, new: bool = False) -> tuple[Channel, bool]:
        """Take a connection to the host of `url`; also tell whether it has been used before."""
        while (kept := self._pop(_origin(url), user)) is not None:
            used, channel = kept
            if not new and self._clock() - used < _KEEP_ALIVE and channel.is_alive():
                return channel, True
            # The server has closed it, or will. Where one is stale, the others are too.
            channel.close()
        return new_channel(url), False

    def _pop(self, origin: str, user: object) -> tuple[float, Channel] | None:
        with self._lock:
            self._users[origin].add(user)
            stack = self._idle.get(origin)
            return stack.pop() if stack else None

    def put(self, url: str, channel: Channel, user: object) -> None:
        """Put a connection back that has done its work."""
        origin = _origin(url)
        with self._lock:
            now = self._clock()
            self._idle.setdefault(origin, []).append((now, channel))
            old = [each for stack in self._idle.values() for each in _pop_old(stack, now)]
            if not channel.is_idle or user not in self._users[origin]:
                # No other exchange may follow, or its client was closed meanwhile.
                old.append(self._idle[origin].pop())
        for _, each in old:
            each.close()

    def release(self, user: object) -> None:
        """Close the idle connections to hosts that no other client in use has asked."""
        with self._lock:
            unused = _released(self._users, user)
            closing = [each for origin in unused for each in self._idle.pop(origin, [])]
        for _, each in closing:
            each.close()

    def close(self) -> None:
        """Close all idle connections; later calls open new ones."""
        with self._lock:
            stacks, self._idle = self._idle, {}
        for stack in stacks.values():
            for _, each in stack:
                each.close()


class AsyncConnections:
    """The idle connections of one event loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._idle: dict[str, list[tuple[float, AsyncChannel]]] = {}
        self._users: defaultdict[str, WeakSet[object]] = defaultdict(WeakSet)
        self._preparing = asyncio.Lock()
        self.end: AsyncGenerator[None, None] | None = None

    async def take(self, url: str, user: object, *, new: bool = False) -> tuple[AsyncChannel, bool]:
        """Take a connection to the host of `url`; also tell whether it has been used before."""
        origin = _origin(url)
        self._users[origin].add(user)
        stack = self._idle.setdefault(origin, [])
        while stack:
            used, channel = stack.pop()
            if not new and self._clock() - used < _KEEP_ALIVE and channel.is_alive():
                return channel, True
            # The server has closed it, or will.
            await channel.aclose()
        if not is_prepared(url):
            # One prepares, off the loop, for all that wait.
            async with self._preparing:
                if not is_prepared(url):
                    await _prepared(url)
        return new_async_channel(url), False

    async def put(self, url: str, channel: AsyncChannel, user: object) -> None:
        """Put a connection back that has done its work."""
        origin = _origin(url)
        now = self._clock()
        self._idle.setdefault(origin, []).append((now, channel))
        old = [each for stack in self._idle.values() for each in _pop_old(stack, now)]
        if not channel.is_idle or user not in self._users[origin]:
            # No other exchange may follow, or its client was closed meanwhile.
            old.append(self._idle[origin].pop())
        await _close_all(old)

    async def release(self, user: object) -> None:
        """Close the idle connections to hosts that no other client in use has asked."""
        unused = _released(self._users, user)
        await _close_all([each for origin in unused for each in self._idle.pop(origin, [])])

    async def close(self) -> None:
        """Close all idle connections; later calls open new ones."""
        stacks, self._idle = self._idle, {}
        await _close_all([each for stack in stacks.values() for each in stack])


async def _prepared(url: str) -> None:
    # In a thread of its own: those of the loop may all be at work for somebody else.
    thread = ThreadPoolExecutor(1, "openrouter-rerank")
    try:
        await asyncio.get_running_loop().run_in_executor(thread, prepare, url)
    finally:
        thread.shutdown(wait=False)


async def _close_all(kept: list[tuple[float, AsyncChannel]]) -> None:
    try:
        while kept:
            await kept.pop()[1].aclose()
    finally:
        # A call that is cancelled here is the only one to know of the others.
        if kept:
            await _close_all(kept)


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
    fresh = next((at for at, (used, _) in enumerate(stack) if now - used < _KEEP_ALIVE), len(stack))
    old, stack[:] = stack[:fresh], stack[fresh:]
    return old
