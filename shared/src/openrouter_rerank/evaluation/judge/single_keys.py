"""Reads single keys from the terminal, without a line break after them."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def single_keys() -> Generator[Callable[[], str]]:
        """Yield a function that waits for a key and returns it; empty at the end of the input."""
        yield msvcrt.getwch

else:
    import termios
    import tty

    @contextmanager
    def single_keys() -> Generator[Callable[[], str]]:
        """Yield a function that waits for a key and returns it; empty at the end of the input."""
        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        # Keys that are pressed early are not lost, and Ctrl-C still interrupts.
        tty.setcbreak(terminal, termios.TCSADRAIN)
        try:
            yield lambda: os.read(terminal, 1).decode("ascii", "replace")
        finally:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
