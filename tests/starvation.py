"""
How long the machine has kept threads of this process from running.

Tests that measure time fail on a busy machine, which proves nothing about the code under test.
"""

import functools
import inspect
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from openrouter_rerank.local.stage import Stage

# Seconds. Each test tolerates a longer wait than the first. Within the second, a correct test gets
# enough of the processor at least once.
NEGLIGIBLE = 0.02
PATIENCE = 30.0

_THREADS = Path("/proc/self/task")
_PROCESSORS = Path("/proc/stat")
_TICKS = 100


def waits():
    """
    Return how long each thread of this process has been ready to run without a processor.

    The values are seconds. One more entry is the time that other virtual machines took. Systems
    other than Linux do not count this, and there is no entry.
    """
    found = {}
    with suppress(OSError):
        for thread in _THREADS.iterdir():
            # A thread may have ended since it was listed.
            with suppress(OSError):
                _, waited, _ = (thread / "schedstat").read_text().split()
                found[thread.name] = int(waited) / 1e9
        found["stolen"] = int(_PROCESSORS.read_text().split()[8]) / _TICKS
    return found


def waits_since(before):
    """Return how long each thread has waited since `waits` returned `before`."""
    return {name: max(waited - before.get(name, 0.0), 0.0) for name, waited in waits().items()}


def repeat_if_starved(test):
    """
    Repeat a test that fails while the machine keeps this process waiting.

    A failure counts if the threads of the process had a processor whenever they could use one, or
    if no try has succeeded within `PATIENCE` seconds. The stage and the log are reset before each
    repetition.
    """

    @functools.wraps(test)
    def repeated(**fixtures):
        for each in _tries(fixtures):
            with each:
                test(**fixtures)
                return

    @functools.wraps(test)
    async def arepeated(**fixtures):
        for each in _tries(fixtures):
            with each:
                await test(**fixtures)
                return

    return arepeated if inspect.iscoroutinefunction(test) else repeated


def _tries(fixtures):
    give_up = time.monotonic() + PATIENCE
    while True:
        yield _unless_starved(give_up)
        _forget(fixtures)


@contextmanager
def _unless_starved(give_up):
    before = waits()
    try:
        yield
    except (Exception, pytest.fail.Exception):
        if sum(waits_since(before).values()) < NEGLIGIBLE or time.monotonic() > give_up:
            raise


def _forget(fixtures):
    for fixture in fixtures.values():
        if isinstance(fixture, Stage):
            fixture.reset()
        elif isinstance(fixture, pytest.LogCaptureFixture):
            fixture.clear()
