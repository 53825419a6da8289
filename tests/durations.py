"""Durations that tests compare."""

import time


def shortest_duration(work, *, repetitions):
    """Return the seconds that the fastest of several calls of `work` took."""
    durations = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return min(durations)
