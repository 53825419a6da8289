"""How long the machine has kept the clients of a soak waiting, at any time of it."""

import threading
import time
from collections import deque
from contextlib import contextmanager

from tests.starvation import waits, waits_since

_SAMPLED = 0.1
# For longer than any call takes, in memory that does not grow.
_KEPT = 1_000


class Lag:
    """
    Tells for how long a thread of this process was ready to run, and could not.

    Of all threads it is the one that has waited longest: a call waits for its own thread, or for
    another one that has the interpreter to itself and no processor.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._first = waits()
        self._samples = deque([(time.monotonic(), self._first)], maxlen=_KEPT)

    def since(self, started):
        """Return how many seconds it was since a time of `time.monotonic`."""
        with self._lock:
            before = [found for at, found in self._samples if at <= started]
        return self._since(before[-1] if before else self._first)

    def in_all(self):
        """Return how many seconds it was since the beginning."""
        return self._since(self._first)

    @contextmanager
    def sampled(self):
        """Note from a thread of its own, many times a second, how long each thread has waited."""
        ended = threading.Event()

        def sample():
            while not ended.wait(_SAMPLED):
                self.sample()

        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield self
        finally:
            ended.set()
            thread.join()

    def sample(self):
        """Note it once."""
        found = waits()
        with self._lock:
            self._samples.append((time.monotonic(), found))

    def _since(self, before):
        return max(waits_since(before).values(), default=0.0)
