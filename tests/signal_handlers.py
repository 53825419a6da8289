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


def alarmed(seconds, function):
    """Return what `function` returns, while `SIGALRM` arrives after `seconds`."""
    # Only here, where the caller expects the error of the handler: a busy machine may be late.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return function()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def handler_raising(kind):
    """Let the handler of `SIGALRM` raise an error of class `kind`; yield what it has raised."""
    raised = []

    def handler(signum, frame):
        raised.append(kind("of the signal handler"))
        raise raised[-1]

    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield raised
    finally:
        signal.signal(signal.SIGALRM, before)
