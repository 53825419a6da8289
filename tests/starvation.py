"""
CPU starvation: how long threads of this process were ready to run, but had no processor.

On a busy machine, a test that measures time can fail although the code under test is correct.
"""

import functools
import inspect
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from openrouter_rerank.local.stage import Stage

# Seconds of starvation that every test tolerates.
NEGLIGIBLE = 0.02
# Seconds for which a test is repeated. A correct test gets enough processor time by then.
PATIENCE = 30.0

_THREADS = Path("/proc/self/task")
_PROCESSORS = Path("/proc/stat")
_TICKS = 100


def waits():
    """
    Return for how many seconds each thread of this process has waited for a processor.

    The entry `stolen` is the time that other virtual machines took. On systems other than Linux
    the result is empty, because only Linux reports these times.
    """
    seconds = {}
    with suppress(OSError):
        for thread in _THREADS.iterdir():
            # A thread may end while we read.
            with suppress(OSError):
                _, waited, _ = (thread / "schedstat").read_text().split()
                seconds[thread.name] = int(waited) / 1e9
        seconds["stolen"] = int(_PROCESSORS.read_text().split()[8]) / _TICKS
    return seconds


def waits_since(before):
    """Return the seconds that each thread has waited since `waits` returned `before`."""
    return {name: max(waited - before.get(name, 0.0), 0.0) for name, waited in waits().items()}


def repeat_if_starved(test):
    """
    Repeat a test if it fails while this process is short of processor time.

    The failure is raised if the process was not starved during that try, or if the test still
    fails after `PATIENCE` seconds. Before each repetition the stage and the captured log are reset.
    """

    @functools.wraps(test)
    def repeated(**fixtures):
        for single_try in _tries(fixtures):
            with single_try:
                test(**fixtures)
                return

    @functools.wraps(test)
    async def arepeated(**fixtures):
        for single_try in _tries(fixtures):
            with single_try:
                await test(**fixtures)
                return

    return arepeated if inspect.iscoroutinefunction(test) else repeated


def _tries(fixtures):
    give_up = time.monotonic() + PATIENCE
    while True:
        yield _unless_starved(give_up)
        _reset(fixtures)


@contextmanager
def _unless_starved(give_up):
    before = waits()
    try:
        yield
    except (Exception, pytest.fail.Exception):
        if sum(waits_since(before).values()) < NEGLIGIBLE or time.monotonic() > give_up:
            raise


def _reset(fixtures):
    for fixture in fixtures.values():
        if isinstance(fixture, Stage):
            fixture.reset()
        elif isinstance(fixture, pytest.LogCaptureFixture):
            fixture.clear()
