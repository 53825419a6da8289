"""A semaphore for threads that serves them in the order in which they began to wait."""

import threading
import time
from weakref import ref

# Seconds after which a waiting thread looks for slots whose holders no longer exist.
_LOOK_AGAIN = 0.5


class Holder:
    """An object that holds a slot, or belongs to a group, until it is released or deleted."""

    __slots__ = ("__weakref__",)


class FairSemaphore:
    """
    Limits how many threads hold a slot at the same time; the longest waiting thread is served next.

    With `threading.Semaphore`, a thread that releases its slot can take the next slot immediately.
    If there are more threads than slots, some threads then never get one within any timeout.

    A signal handler may raise an exception between any two steps of `acquire` and `release`. So a
    slot belongs to an object, which is gone when the call has ended, even if `release` was
    interrupted. Each step leaves a state from which the next thread can go on.

    Args:
        slots: How many threads may hold a slot at a time.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._lock = threading.Lock()
        self._held: set[ref[Holder]] = set()
        # One locked lock for each waiting thread, in order. Releasing it ends the wait.
        self._waiting: dict[ref[Holder], threading.Lock] = {}

    def acquire(self, holder: Holder, timeout: float) -> bool:
        """
        Wait up to `timeout` seconds for a slot; return `False` if there was none.

        Args:
            holder: A new object of the caller, who calls `release` with it in any case.
            timeout: Seconds.
        """
        me = ref(holder)
        with self._lock:
            if not self._waiting and len(self._held) < self._slots:
                self._held.add(me)
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting[me] = turn
            self._look_for_free_slots()
        deadline = time.monotonic() + timeout
        while not turn.acquire(timeout=min(max(deadline - time.monotonic(), 0.0), _LOOK_AGAIN)):
            with self._lock:
                self._look_for_free_slots()
                if time.monotonic() >= deadline and me not in self._held:
                    del self._waiting[me]
                    return False
        return True

    def release(self, holder: Holder) -> None:
        """Return the slot, if `holder` has one, and hand it to the longest waiting thread."""
        me = ref(holder)
        with self._lock:
            self._held.discard(me)
            self._waiting.pop(me, None)
            self._hand_on()

    def _look_for_free_slots(self) -> None:
        """Free the slots of holders that are gone, and hand them on."""
        self._held = {each for each in self._held if each() is not None}
        self._hand_on()

    def _hand_on(self) -> None:
        """Hand free slots to the longest waiting threads."""
        while self._waiting:
            first, turn = next(iter(self._waiting.items()))
            if first not in self._held and first() is not None:
                if len(self._held) >= self._slots:
                    return
                self._held.add(first)
            if turn.locked():
                turn.release()
            del self._waiting[first]
