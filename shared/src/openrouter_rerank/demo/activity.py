"""
Shows what the demo is doing, so that it is never silent: a moving line, or plain lines in a pipe.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

# Seconds until the first plain line, and between two: together at most one second.
_FIRST = 0.1
_INTERVAL = 0.9


@contextmanager
def activity(
    text: str, total: int | None = None, *, console: Console, errors: Console
) -> Generator[Callable[[], None]]:
    """
    Show `text` until the end of the `with`. Call what it returns when one of `total` is done.

    Args:
        text: What is being done.
        total: The number of steps. `None`: unknown.
        console: The standard output. If it is a terminal, the line moves there.
        errors: The standard error, which is used if only this is a terminal.
    """
    terminal = next((each for each in (console, errors) if each.is_terminal), None)
    if terminal is None:
        with _plain_lines(text, total, console) as advance:
            yield advance
        return
    counted = () if total is None else (BarColumn(bar_width=24), MofNCompleteColumn())
    columns = (SpinnerColumn("line"), TextColumn("{task.description}", markup=False), *counted)
    with Progress(*columns, console=terminal, transient=True) as shown:
        task = shown.add_task(text, total=total)
        yield lambda: shown.advance(task)


@contextmanager
def _plain_lines(text: str, total: int | None, console: Console) -> Generator[Callable[[], None]]:
    started = perf_counter()
    ended = Event()
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1

    def show() -> None:
        wait = _FIRST
        # If the output cannot be written, the demo fails with its next result.
        with suppress(OSError):
            while not ended.wait(wait):
                wait = _INTERVAL
                count = f"{done} of {total}" if total else f"{perf_counter() - started:.1f} s"
                console.print(f"  {text}: {count}", soft_wrap=True)
                console.file.flush()

    thread = Thread(target=show, daemon=True)
    thread.start()
    try:
        yield advance
    finally:
        ended.set()
        thread.join()
