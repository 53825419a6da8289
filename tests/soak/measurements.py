"""What a soak test measures: calls of each client, memory and descriptors of the process."""

import math
import os
import statistics
from collections import Counter
from pathlib import Path

_BUCKET = 0.001
_LONGEST = 10.0
_MIB = 1024 * 1024
_STATM = Path("/proc/self/statm")


class CallMeasurements:
    """
    The outcomes and durations of one client's calls, in memory that does not grow with the calls.

    `lag` returns for how many seconds the machine has delayed this process since a given time.
    """

    def __init__(self, name, lag=lambda started: 0.0):
        self.name = name
        self.lag = lag
        self.ranked = self.cancelled = 0
        self.typed = Counter()
        self.wrong = Counter()
        self.longest = 0.0
        self._durations = [0] * (int(_LONGEST / _BUCKET) + 1)
        self._without_lag = list(self._durations)

    @property
    def completed(self):
        """Number of calls that were not cancelled."""
        return self.ranked + self.typed.total() + self.wrong.total()

    @property
    def calls(self):
        """Number of calls."""
        return self.completed + self.cancelled

    def took(self, seconds, lag=0.0):
        """Note the duration of a call, and for how many of its seconds the machine delayed it."""
        self.longest = max(self.longest, seconds)
        self._durations[_bucket(seconds)] += 1
        self._without_lag[_bucket(max(seconds - lag, 0.0))] += 1

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
        Return what breaks a promise.

        One call in a thousand may take more than `longest` seconds. The seconds for which the
        machine delayed a call do not count.
        """
        late = sum(self._without_lag[int(longest / _BUCKET) :])
        yield from (f"{self.name}: {count} x {what}" for what, count in self.wrong.items())
        # A machine that is busy for a moment delays the few calls of that moment.
        if late > max(5, self.calls // 1000):
            yield f"{self.name}: {late} of {self.calls} calls took longer than {longest:g} s"
        # About a twentieth of all calls meet a fault that is not retried, or two faults.
        if self.ranked < 0.8 * self.completed:
            yield f"{self.name}: only {self.ranked} of {self.completed} calls have a ranking"


def _bucket(seconds):
    return min(int(seconds / _BUCKET), int(_LONGEST / _BUCKET))


class ProcessMeasurements:
    """Samples of this process's memory and descriptors."""

    def __init__(self):
        self.memory = []
        self.descriptors = []

    def sample(self):
        """Note the current memory and descriptors."""
        self.memory.append(memory())
        self.descriptors.append(descriptors())

    def flaws(self, before, lost=0):
        """
        Return what has grown.

        All clients must be closed. `before` is the number of descriptors before the soak test, and
        `lost` the number of connections that a client of another project may have left open.
        """
        grown = self.growth(self.memory) / _MIB
        if grown > 10:
            yield f"memory has grown by {grown:.1f} MiB"
        # The number of idle connections varies, by at most one for each worker.
        if (more := self.growth(self.descriptors)) > 24 + lost:
            yield f"there are {more:.0f} more descriptors than in the beginning"
        if descriptors() > before:
            yield f"{descriptors() - before} descriptors are left open"

    @staticmethod
    def growth(samples):
        """Return the median of the last quarter minus that of the second. The first warms up."""
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
    """Return this process's memory in bytes, or 0 if the system does not report it."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors():
    """Return the number of open descriptors."""
    return sum(1 for _ in Path("/dev/fd").iterdir())
