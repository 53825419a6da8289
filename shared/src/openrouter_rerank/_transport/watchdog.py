"""
Ends synchronous exchanges over injected clients at their deadline, from a thread of its own.

httpx's timeouts are per read: a server that sends a byte now and then keeps a call waiting for
ever, and no code of the waiting thread runs meanwhile. So another thread shuts the socket down.
"""

import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

# Seconds: longer waits are taken in steps, for locks refuse those of some centuries.
_LONGEST = 1e6


class Guard:
    """Calls `end` at `deadline`, unless its context has been left before; never after it."""

    __slots__ = ("_sentinel", "deadline", "end")

    def __init__(self, sentinel: "Sentinel", deadline: float, end: Callable[[], None]) -> None:
        self._sentinel = sentinel
        self.deadline = deadline
        self.end = end

    def __enter__(self) -> None:
        self._sentinel.add(self)

    def __exit__(self, *_: object) -> None:
        self._sentinel.remove(self)


class Sentinel:
    """One thread for all calls of the process; it starts with the first guard."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._guards: set[Guard] = set()
        self._wakes = math.inf
        self._thread: threading.Thread | None = None

    def guard(self, deadline: float, end: Callable[[], None]) -> Guard:
        """Return a context in which `end` is called at `deadline`."""
        return Guard(self, deadline, end)

    def add(self, guard: Guard) -> None:
        """Watch over `guard` from now on."""
        with self._lock:
            self._guards.add(guard)
            if self._thread is None:
                self._start()
            elif guard.deadline < self._wakes:
                self._changed.notify()

    def remove(self, guard: Guard) -> None:
        """Forget `guard`; if its end has begun, it is over when this returns."""
        with self._lock:
            self._guards.discard(guard)

    def _start(self) -> None:
        thread = threading.Thread(
            target=self._watch, name="openrouter-rerank-deadlines", daemon=True
        )
        # Where there is no room for a thread, reads are bounded one by one until there is.
        with suppress(RuntimeError):
            thread.start()
            self._thread = thread

    def _watch(self) -> None:
        with self._lock:
            while True:
                now = time.monotonic()
                due = [guard for guard in self._guards if guard.deadline <= now]
                for guard in due:
                    self._guards.discard(guard)
                    guard.end()
                # Guards come and go in between, and few end earlier: most wake nobody.
                self._wakes = min((guard.deadline for guard in self._guards), default=math.inf)
                wait = min(self._wakes - now, _LONGEST)
                self._changed.wait(None if self._wakes == math.inf else wait)


class _OfProcess:
    """Threads do not survive a fork, so a child has a sentinel of its own."""

    def __init__(self) -> None:
        self.sentinel = Sentinel()

    def renew(self) -> None:
        self.sentinel = Sentinel()


_process = _OfProcess()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.renew)


def sentinel() -> Sentinel:
    """Return the sentinel of this process."""
    return _process.sentinel
