"""The progress of an evaluation on a terminal: one bar for each model."""

from collections.abc import Collection
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Display

from openrouter_rerank.budget import shown_dollars
from openrouter_rerank.cli import output
from openrouter_rerank.cli.escapes import one_line
from openrouter_rerank.evaluation.asking.asking import Progress

_CANDIDATES = "finding candidates"


class ProgressBars:
    """
    Shows calls, dollars and failed questions of each model, if there is a terminal.

    What the rest will cost is one line on the standard error, also without a terminal. The line
    of the judges comes later, because what they grade is known only when all models are asked.

    Args:
        judges: The chat models that will grade documents.
    """

    def __init__(self, judges: Collection[str] = ()) -> None:
        self._judges = judges
        self._console = output.console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        is_shown = output.has_error_terminal()
        self._display = Display(
            *columns, console=self._console, disable=not is_shown, transient=True
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def show_candidates(self, done: int, total: int) -> None:
        """Show for how many questions a retriever, or BM25, has found the candidates."""
        self._show(_CANDIDATES, done, total)
        if done == total:
            self._display.remove_task(self._tasks.pop(_CANDIDATES))

    def __call__(self, found: Progress) -> None:
        """Show the progress of one model."""
        if found.estimate is not None:
            line = f"{self._whose(found.model)}{found.estimate.line}"
            self._console.print(line, soft_wrap=True)
        failed = f"{found.failed:,} failed" if found.failed else ""
        cost = "" if found.cost is None else shown_dollars(found.cost)
        note = "  ".join(filter(None, (cost, failed)))
        self._show(one_line(found.model), found.done, found.total, note)

    def _show(self, name: str, done: int, total: int, note: str = "") -> None:
        if name in self._tasks:
            self._display.update(self._tasks[name], completed=done, total=total, note=note)
        else:
            # With its numbers: a new bar is shown before it can be updated.
            task = self._display.add_task(name, completed=done, total=total, note=note)
            self._tasks[name] = task

    def _whose(self, model: str) -> str:
        if not self._judges:
            return ""
        return "judge: " if model in self._judges else "rerank models, without the judge: "
