"""
Ends synchronous exchanges over injected clients at their deadline, from a separate thread.

The timeouts of httpx apply to each read. A server that sends a byte now and then keeps a call
waiting without end, and the waiting thread runs no code of ours in the meantime. So another thread
shuts the socket down.
"""

import math
import threading
import time
from collections.abc import Callable

from openrouter_rerank._forks import PerProcess

from .bounds import LONGEST_WAIT
from .threads import start_thread


class Watched:
    """A context in which `end` is called at `deadline`; `end` is never called after its exit."""

    __slots__ = ("_watchdog", "deadline", "end")

    def __init__(self, watchdog: "Watchdog", deadline: float, end: Callable[[], None]) -> None:
        self._watchdog = watchdog
        self.deadline = deadline
        self.end = end

    def __enter__(self) -> None:
        self._watchdog.add(self)

    def __exit__(self, *_: object) -> None:
        self._watchdog.remove(self)


class Watchdog:
    """One thread that serves all calls of the process. It starts with the first exchange."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._watched: set[Watched] = set()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def add(self, watched: Watched) -> None:
        """Call `watched.end` at its deadline, unless it is removed before."""
        with self._lock:
            self._watched.add(watched)
            if self._thread is None:
                # If the system starts no thread, only the single reads are bounded. The next
                # exchange tries to start the thread again.
                self._thread = start_thread(self._run, "openrouter-rerank-deadlines")
            elif watched.deadline < self._wakes_at:
                self._changed.notify()

    def remove(self, watched: Watched) -> None:
        """Remove `watched`. If its `end` is running, return after it has finished."""
        with self._lock:
            self._watched.discard(watched)

    def _run(self) -> None:
        with self._lock:
            while True:
                now = time.monotonic()
                due = [each for each in self._watched if each.deadline <= now]
                for each in due:
                    self._watched.discard(each)
                    each.end()
                # Most exchanges begin and end while the thread waits for an earlier deadline, so
                # they do not wake it.
                self._wakes_at = min((each.deadline for each in self._watched), default=math.inf)
                wait = min(self._wakes_at - now, LONGEST_WAIT)
                self._changed.wait(None if self._wakes_at == math.inf else wait)


_watchdog = PerProcess(Watchdog)


def watchdog() -> Watchdog:
    """Return the watchdog of this process."""
    return _watchdog.value
