"""How long the machine has delayed the clients of a soak test, since any time in it."""

import threading
import time
from collections import deque
from contextlib import contextmanager

from tests.starvation import waits, waits_since

_INTERVAL = 0.1
# Enough for 100 seconds, which is longer than any call takes, in memory that does not grow.
_KEPT = 1_000


class Lag:
    """
    Measures how long threads of this process were ready to run, but had no processor.

    The figure is that of the thread that has waited longest. A call waits for its own thread, or
    for another thread that holds the interpreter's lock and has no processor.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._first = waits()
        self._samples = deque([(time.monotonic(), self._first)], maxlen=_KEPT)

    def since(self, started):
        """Return the seconds since `started`, a time of `time.monotonic`."""
        with self._lock:
            before = [found for at, found in self._samples if at <= started]
        return self._since(before[-1] if before else self._first)

    def total(self):
        """Return the seconds since the beginning."""
        return self._since(self._first)

    @contextmanager
    def sampled(self):
        """Take a sample of all threads every 0.1 seconds, in another thread."""
        ended = threading.Event()

        def sample():
            while not ended.wait(_INTERVAL):
                self.sample()

        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield self
        finally:
            ended.set()
            thread.join()

    def sample(self):
        """Take one sample."""
        found = waits()
        with self._lock:
            self._samples.append((time.monotonic(), found))

    def _since(self, before):
        return max(waits_since(before).values(), default=0.0)
