"""How many threads may be at something at a time, in the order in which they came."""

import threading
from collections import deque


class Slots:
    """
    A semaphore that hands a slot to whoever has waited longest.

    That of the standard library lets a thread which gives its slot back take the next one at once,
    so that with more threads than slots some are never woken within any timeout.
    """

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._lock = threading.Lock()
        self._turns: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Wait for a slot; `False` if there was none for so many seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Lock()
            turn.acquire()
            self._turns.append(turn)
        try:
            return turn.acquire(timeout=timeout) or self._left(turn)
        except BaseException:
            # An interrupt ends the wait too.
            if self._left(turn):
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back, which is that of the longest waiting thread from now on."""
        with self._lock:
            if self._turns:
                self._turns.popleft().release()
            else:
                self._free += 1

    def _left(self, turn: threading.Lock) -> bool:
        """Leave the queue; tell whether the slot has come just now, all the same."""
        with self._lock:
            if turn in self._turns:
                self._turns.remove(turn)
                return False
            return True
