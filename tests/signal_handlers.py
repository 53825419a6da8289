"""Signal handlers that raise an error, as task runners use them to limit the time of a task."""

import signal
import sys
from contextlib import contextmanager

import pytest

LONG = 30
"""Seconds that a test never waits."""
needs_signals = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no timer that sends a signal"
)


def raise_as_handler():
    """Raise a `TimeoutError` as if a signal had come: Python passes its number and the frame."""

    def handler(signum, frame):
        raise TimeoutError("of the signal handler")

    handler(14, sys._getframe())  # noqa: SLF001 - Python passes such a frame


@contextmanager
def raising_after(seconds, kind):
    """Let a signal handler raise an error of class `kind` after `seconds`; yield what it raised."""
    raised = []

    def handler(signum, frame):
        raised.append(kind("of the signal handler"))
        raise raised[-1]

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield raised
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
