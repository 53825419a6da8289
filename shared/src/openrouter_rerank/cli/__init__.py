"""
The command line: `openrouter-rerank COMMAND`.

It needs the extra `openrouter-rerank[cli]`, and a command may need another one. `commands.py` is
the table of the commands. Each is a `click.Command` in a module that is imported only when the
command is named, and that imports what it needs only when the command runs.

`group.py` runs a command, `failures.py` turns errors into a line and an exit status, `options.py`
has the options that several commands share, and `output.py` writes results.
"""

import sys
from collections.abc import Sequence

INTERRUPTED = 130
"""The exit status that shells report for a command that SIGINT has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit status.

    The statuses are: 0 done, 1 the input or the service makes it impossible, 2 wrong usage,
    3 incomplete, 130 interrupted.

    Args:
        arguments: By default, the command-line arguments of the process.
    """
    try:
        from .group import run
    except KeyboardInterrupt:
        return INTERRUPTED
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write(
            'the command line needs the package click: pip install "openrouter-rerank[cli]"\n'
        )
        return 1
    return run(arguments)
