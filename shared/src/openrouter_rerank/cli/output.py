"""
Writes results as lines with tabs in a pipe or as JSON, and shows progress on a terminal.

Rich is imported only where a terminal needs it.
"""

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from .escapes import json_text, one_line

if TYPE_CHECKING:
    from rich.console import Console


def prepare() -> None:
    """
    Let the standard output write any text.

    Raises:
        OSError: If the standard output is closed.
    """
    if sys.stdout is None:
        raise OSError("cannot write: the standard output is closed")
    # The encoding of a pipe may lack characters.
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what is still buffered."""
    if sys.stdout is not None:
        sys.stdout.flush()


def give_up() -> None:
    """Drop what is still buffered, which Python would try to write when it ends."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_terminal() -> bool:
    """Return `True` if the standard output is a terminal."""
    return sys.stdout.isatty()


def has_error_terminal() -> bool:
    """Return `True` if the standard error is a terminal, which can show progress."""
    return sys.stderr is not None and sys.stderr.isatty()


def console(*, stderr: bool = False, quiet: bool = False) -> "Console":
    """
    Return a console that shows texts as they are, without the markup of rich.

    Args:
        stderr: Write to the standard error, and not to the standard output.
        quiet: Write nothing.
    """
    from rich.console import Console

    class ConsoleOfPipes(Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the process with status 1.
            raise BrokenPipeError

    return ConsoleOfPipes(stderr=stderr, quiet=quiet, highlight=False, markup=False, emoji=False)


def write_fields(*fields: str) -> None:
    """Write one line whose fields are separated by tabs. Only the last one may have tabs in it."""
    *first, last = map(one_line, fields)
    line = "\t".join([*(field.replace("\t", " ") for field in first), last])
    sys.stdout.write(f"{line}\n")


def write_json(value: Mapping[str, object]) -> None:
    """Write one JSON object as a line."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    is_unicode = encoding.lower().replace("-", "").startswith("utf")
    sys.stdout.write(json_text(value, ascii_only=not is_unicode) + "\n")


@contextmanager
def progress(text: str) -> Generator[None]:
    """Show `text` and the seconds until the end of the `with`, if there is a terminal."""
    if not has_error_terminal():
        yield
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    description = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn("line"), description, TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as shown:
        shown.add_task(one_line(text), total=None)
        yield
