"""The command `openrouter-rerank check`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from .failures import FAILED, masked
from .options import client_keywords, model_option, output_options, service_options

if TYPE_CHECKING:
    from rich.console import Console

    from .diagnosis import Step

_STYLES = {"ok": "green", "problem": "bold red", "note": "yellow", "skipped": "dim"}

# A narrower terminal shows what was found below the name of the step.
_LEAST_WIDTH_FOR_COLUMNS = 50


@click.command(
    "check",
    epilog="In a pipe, each line has three fields with tabs between them: ok, problem, note or "
    "skipped; the step; what was found. With a problem, the exit status is 1.",
)
@click.option("--no-call", is_flag=True, help="Do not make the call, which may cost money.")
@model_option("The model of the call.")
@service_options
@output_options
def command(
    *, no_call: bool, model: str, base_url: str | None, timeout: float | None, as_json: bool
) -> int:
    """
    Check the key, the base URL, the proxy, the certificates, the account and a call.

    The call ranks two short documents. Its cost is shown.
    """
    from . import output
    from .diagnosis import steps

    found: list[Step] = []
    screen = output.console() if output.is_terminal() and not as_json else None
    results = steps(client_keywords(base_url, timeout), model, call=not no_call)
    while (step := _next(results)) is not None:
        found.append(step)
        if screen is not None:
            _print(screen, step)
        elif not as_json:
            output.write_fields(step.status, step.name, masked(step.detail))
            output.flush()
    has_problem = any(step.status == "problem" for step in found)
    if as_json:
        output.write_json(
            {
                "ok": not has_problem,
                "steps": [
                    {"name": step.name, "status": step.status, "detail": masked(step.detail)}
                    for step in found
                ],
            }
        )
    return FAILED if has_problem else 0


def _next(steps: Iterator["Step"]) -> "Step | None":
    from .output import progress

    with progress("checking"):
        return next(steps, None)


def _print(screen: "Console", step: "Step") -> None:
    from rich.table import Table
    from rich.text import Text

    from .escapes import one_line

    status = Text(step.status, style=_STYLES[step.status])
    detail = Text(one_line(masked(step.detail)), overflow="fold")
    if screen.width < _LEAST_WIDTH_FOR_COLUMNS:
        screen.print(Text.assemble(status, " ", step.name))
        screen.print(detail)
        return
    # The columns are aligned although each step is printed when it is done.
    line = Table.grid(padding=(0, 2))
    line.add_column(width=7, no_wrap=True)
    line.add_column(width=12, no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row(status, Text(step.name), detail)
    screen.print(line)
