"""
Ends synchronous exchanges at their deadline, from a thread of its own.

httpx's timeouts are per read: a server that sends a byte now and then keeps a call waiting for
ever, and no code of the waiting thread runs meanwhile. So another thread shuts the socket down.
"""

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

# Seconds: longer waits are taken in steps, for locks refuse those of some centuries.
_LONGEST = 1e6


@dataclass(order=True, slots=True)
class _Guard:
    deadline: float
    number: int
    end: Callable[[], None] = field(compare=False)
    is_lifted: bool = field(default=False, compare=False)


class Sentinel:
    """One thread for all calls of the process; it starts with the first guard."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._guards: list[_Guard] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    @contextmanager
    def guard(self, deadline: float, end: Callable[[], None]) -> Generator[None]:
        """Call `end` at `deadline`, unless the context has been left before; never after it."""
        guard = _Guard(deadline, next(self._numbers), end)
        with self._changed:
            heapq.heappush(self._guards, guard)
            if self._thread is None:
                self._start()
            elif self._guards[0] is guard:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                guard.is_lifted = True
                # Else what it refers to would be kept until its deadline.
                guard.end = _nothing

    def _start(self) -> None:
        thread = threading.Thread(
            target=self._watch, name="openrouter-rerank-deadlines", daemon=True
        )
        # Where there is no room for a thread, reads are bounded one by one until there is.
        with suppress(RuntimeError):
            thread.start()
            self._thread = thread

    def _watch(self) -> None:
        with self._changed:
            while True:
                while self._guards and self._guards[0].is_lifted:
                    heapq.heappop(self._guards)
                wait = self._guards[0].deadline - time.monotonic() if self._guards else None
                if wait is None or wait > 0:
                    self._changed.wait(None if wait is None else min(wait, _LONGEST))
                else:
                    heapq.heappop(self._guards).end()


def _nothing() -> None:
    """Do nothing."""


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
