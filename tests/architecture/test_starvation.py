"""Tests that measure time do not fail on a busy machine, and still find every real fault."""

import os
import subprocess
import sys
import threading
import time

import pytest
from openrouter_rerank.local.stage import error

from tests import starvation
from tests.starvation import repeat_if_starved, waits, waits_since


@pytest.fixture
def machine(monkeypatch):
    """Sets for how many seconds the machine delays each try."""

    def machine(*seconds):
        waited = [0.0]
        for each in seconds:
            waited += [waited[-1] + each] * 2
        found = iter(waited)
        monkeypatch.setattr(starvation, "waits", lambda: {"1": next(found)})

    return machine


@pytest.fixture
def failing():
    """Makes tests that fail a given number of times, and count their tries."""

    def failing(times):
        def test(**fixtures):
            test.tries += 1
            assert test.tries > times

        async def atest(**fixtures):
            test(**fixtures)

        test.tries = 0
        return test, atest

    return failing


async def test_a_failure_on_an_idle_machine_counts(machine, failing):
    """A failed test that was not delayed is not repeated."""
    test, atest = failing(times=5)
    machine(0.0, 0.0)

    with pytest.raises(AssertionError):
        repeat_if_starved(test)()
    with pytest.raises(AssertionError):
        await repeat_if_starved(atest)()

    assert test.tries == 2


async def test_a_failure_on_a_busy_machine_is_repeated(machine, failing, local_openrouter):
    """A failed test that was delayed is repeated, with a stage that is reset."""
    for at in range(2):
        test, atest = failing(times=2)
        local_openrouter.script(error(503, "left over"))
        machine(1.0, 1.0, 1.0)

        if at:
            await repeat_if_starved(atest)(stage=local_openrouter)
        else:
            repeat_if_starved(test)(stage=local_openrouter)

        assert test.tries == 3
        assert local_openrouter.unused == []


def test_repetition_ends_after_a_time(machine, failing, monkeypatch):
    """On a busy machine, a test is repeated only for `PATIENCE` seconds."""
    test, _ = failing(times=10)
    monkeypatch.setattr(starvation, "PATIENCE", -1.0)
    machine(1.0)

    with pytest.raises(AssertionError):
        repeat_if_starved(test)()

    assert test.tries == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports how long threads wait")
def test_a_thread_that_shares_its_processor_waits():
    """The time in which another process uses the processor is measured."""
    own, own_thread = os.sched_getaffinity(0), str(threading.get_native_id())
    os.sched_setaffinity(0, {min(own)})
    try:
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
            before, until = waits(), time.monotonic() + 30
            while waits_since(before)[own_thread] < 1 and time.monotonic() < until:
                pass
            other.kill()
        assert waits_since(before)[own_thread] >= 1
    finally:
        os.sched_setaffinity(0, own)
