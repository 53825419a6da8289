"""Looks host names up for asynchronous calls, each in a thread that calls share."""

import asyncio
import errno
import functools
import os
import socket
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeAlias

from openrouter_rerank._forks import PerProcess

from .bounds import CONNECT_TIMEOUT
from .threads import Workers

Address: TypeAlias = tuple[int, tuple[object, ...]]
"""The family of an address, and the value that a socket of this family connects to."""

# Names whose lookups may hang at the same time: no operating system can cancel one.
_MOST_LOOKUPS = 32


class _Lookups:
    """The lookups in progress. They end in their threads, even if the calls have ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads = Workers(_MOST_LOOKUPS)
        self._running: dict[tuple[str, int], tuple[float, Future[list[Address]]]] = {}

    def lookup(self, host: str, port: int) -> "Future[list[Address]]":
        """Begin to look `host` up, or return the lookup in progress."""
        now, key = time.monotonic(), (host, port)
        with self._lock:
            started, found = self._running.get(key, (0.0, None))
            # A lookup that hangs may succeed when it is made again.
            if found is None or now - started >= CONNECT_TIMEOUT:
                found = self._threads.submit(functools.partial(self._addresses, host, port, now))
                if found is None:
                    # What the system says if it starts no thread.
                    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
                self._running[key] = now, found
            return found

    def _addresses(self, host: str, port: int, started: float) -> list[Address]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        finally:
            with self._lock:
                # A lookup that began later may have taken the place of this one.
                if self._running.get((host, port), (0.0,))[0] == started:
                    del self._running[host, port]
        return [(family, address) for family, *_, address in found]


_lookups = PerProcess(_Lookups)


async def addresses_of(host: str, port: int) -> list[Address]:
    """Return the addresses of `host`, in the order in which they are to be tried."""
    # A numeric address needs no lookup, and so no thread.
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return [(family, (host, port))]
    # It is not cancelled with the call, because other calls may wait for it.
    return await asyncio.shield(asyncio.wrap_future(_lookups.value.lookup(host, port)))
