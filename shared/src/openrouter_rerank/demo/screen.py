"""
Where the demo writes: lines without blanks at their ends, and what it is doing.
"""

import textwrap
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from rich.console import Console
from rich.text import Text

from openrouter_rerank.demo.activity import activity
from openrouter_rerank.demo.signs import signs


class Screen:
    """
    The standard output, and the standard error for what is moving if only that is a terminal.

    Args:
        console: The standard output.
        errors: The standard error.
    """

    def __init__(self, console: Console, errors: Console) -> None:
        self._console = console
        self._errors = errors
        self.signs = signs(console.encoding)

    @property
    def width(self) -> int:
        """The columns of the output."""
        return self._console.width

    def lines(self, *lines: Text | str, style: str = "") -> None:
        """Write lines that are narrow enough, after a blank line."""
        for line in ("", *lines):
            self._console.print(line, style=style, soft_wrap=True)
        self._console.file.flush()

    def sentences(self, sentences: Iterable[str], style: str = "") -> None:
        """Write each sentence on new lines, after a blank line."""
        self.lines(
            *(
                line
                for sentence in sentences
                for line in textwrap.wrap(sentence, self.width, break_on_hyphens=False)
            ),
            style=style,
        )

    def activity(
        self, text: str, total: int | None = None
    ) -> AbstractContextManager[Callable[[], None]]:
        """Show what the demo is doing: see `activity`."""
        return activity(text, total, console=self._console, errors=self._errors)
