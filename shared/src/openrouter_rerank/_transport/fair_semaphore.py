"""A semaphore for threads that serves them in the order in which they began to wait."""

import threading
from collections import deque


class FairSemaphore:
    """
    Limits how many threads hold a slot at the same time; the longest waiting thread is served next.

    With `threading.Semaphore`, a thread that releases its slot can take the next slot immediately.
    If there are more threads than slots, some threads then never get one within any timeout.

    Args:
        slots: How many threads may hold a slot at a time.
    """

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._lock = threading.Lock()
        # One locked lock for each waiting thread. Releasing it hands the slot to that thread.
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a slot; return `False` if there was none."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            return turn.acquire(timeout=timeout) or self._leave(turn)
        except BaseException:
            # An interrupt such as Ctrl-C also ends the wait.
            if self._leave(turn):
                self.release()
            raise

    def release(self) -> None:
        """Return a slot, and hand it to the longest waiting thread if any thread waits."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _leave(self, turn: threading.Lock) -> bool:
        """Leave the queue; return `True` if the thread received a slot in the meantime."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
            return True
