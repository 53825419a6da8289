"""What a soak notes: outcomes and durations of calls, memory and descriptors of the process."""

import math
import os
import statistics
from collections import Counter
from pathlib import Path

_BUCKET = 0.001
_LONGEST = 10.0
_MIB = 1024 * 1024
_STATM = Path("/proc/self/statm")


class Tally:
    """
    The calls of one kind of client, in memory that does not grow with their number.

    `lag` tells for how many seconds the machine has kept this process waiting since a given time.
    """

    def __init__(self, name, lag=lambda started: 0.0):
        self.name = name
        self.lag = lag
        self.ranked = self.cancelled = 0
        self.typed = Counter()
        self.wrong = Counter()
        self.longest = 0.0
        self._durations = [0] * (int(_LONGEST / _BUCKET) + 1)
        self._judged = list(self._durations)

    @property
    def answered(self):
        """How many calls have ended by themselves."""
        return self.ranked + self.typed.total() + self.wrong.total()

    @property
    def calls(self):
        """How many calls were made."""
        return self.answered + self.cancelled

    def took(self, seconds, lag=0.0):
        """Note how long a call took, and for how long of that the machine kept it waiting."""
        self.longest = max(self.longest, seconds)
        self._durations[_bucket(seconds)] += 1
        self._judged[_bucket(max(seconds - lag, 0.0))] += 1

    def percentile(self, share):
        """Return the seconds within which this share of the calls ended."""
        wanted = math.ceil(sum(self._durations) * share)
        seen = 0
        for bucket, count in enumerate(self._durations):
            seen += count
            if seen >= wanted:
                return (bucket + 1) * _BUCKET
        return _LONGEST

    def flaws(self, longest):
        """
        Tell what breaks a promise, when one call in a thousand may be longer than `longest`.

        A call is not late for the time in which the machine kept it waiting.
        """
        late = sum(self._judged[int(longest / _BUCKET) :])
        yield from (f"{self.name}: {count} x {what}" for what, count in self.wrong.items())
        # A machine that is busy for a moment delays the few calls that are under way just then.
        if late > max(5, self.calls // 1000):
            yield f"{self.name}: {late} of {self.calls} calls took longer than {longest:g} s"
        # Faults that are not retried, or fail again, are about a twentieth of all calls.
        if self.ranked < 0.8 * self.answered:
            yield f"{self.name}: only {self.ranked} of {self.answered} calls have a ranking"


def _bucket(seconds):
    return min(int(seconds / _BUCKET), int(_LONGEST / _BUCKET))


class Process:
    """Memory and descriptors of this process, sampled."""

    def __init__(self):
        self.memory = []
        self.descriptors = []

    def sample(self):
        """Note both as they are now."""
        self.memory.append(memory())
        self.descriptors.append(descriptors())

    def flaws(self, before, lost=0):
        """
        Tell what has grown, if there were `before` descriptors before and all is closed now.

        `lost` is how many connections a client that is not ours may have forgotten to close.
        """
        grown = self.growth(self.memory) / _MIB
        if grown > 10:
            yield f"memory has grown by {grown:.1f} MiB"
        # Idle connections come and go: at most one for each worker.
        if (more := self.growth(self.descriptors)) > 24 + lost:
            yield f"there are {more:.0f} more descriptors than in the beginning"
        if descriptors() > before:
            yield f"{descriptors() - before} descriptors are left open"

    @staticmethod
    def growth(samples):
        """Return how much the last quarter lies above the second; the first warms up."""
        quarter = max(len(samples) // 4, 1)
        return statistics.median(samples[-quarter:]) - statistics.median(
            samples[quarter : 2 * quarter] or samples
        )

    def __str__(self):
        grown = self.growth(self.memory) / _MIB
        return (
            f"memory {self.memory[0] / _MIB:.1f} MiB at first, {self.memory[-1] / _MIB:.1f} MiB"
            f" at last, from the second quarter to the last {grown:+.1f} MiB; descriptors"
            f" {self.descriptors[0]} at first, {self.descriptors[-1]} at last,"
            f" {max(self.descriptors)} at most"
        )


def memory():
    """Return the bytes of memory that this process holds now; 0 where the system does not tell."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors():
    """Return how many descriptors are open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())
