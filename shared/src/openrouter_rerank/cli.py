"""
The command line: `openrouter-rerank COMMAND`.

Each command is one function in a module of its own, which is imported when the command is run,
because it may need an extra that is not installed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from openrouter_rerank._version import __version__

_FAILED = 1
# What shells report for a command that SIGINT has ended.
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command and where it lives."""

    name: str
    summary: str
    module: str
    """Holds `main(arguments) -> int`, which gets what follows the command's name."""
    extra: str
    """What to install for it."""


COMMANDS = (
    Command(
        name="demo",
        summary="rerank passages of Python's documentation in the frameworks that are installed",
        module="openrouter_rerank.demo.command",
        extra="demo",
    ),
    Command(
        name="serve",
        summary="answer OpenRouter's rerank protocol on this machine, without a key",
        module="openrouter_rerank.local.serve",
        extra="local",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command and tell its exit status.

    Args:
        arguments: Those of the process by default.
    """
    commands = {command.name: command for command in COMMANDS}
    parser = argparse.ArgumentParser(
        prog="openrouter-rerank",
        description="Rerank with OpenRouter, or with the local scorer.",
        epilog="\n".join(f"{command.name}: {command.summary}" for command in COMMANDS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("command", choices=commands, help="see below; each has its own --help")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the command takes")
    parsed = parser.parse_args(arguments)
    return _run(commands[parsed.command], parsed.arguments)


def _run(command: Command, arguments: Sequence[str]) -> int:
    try:
        status: int = import_module(command.module).main(arguments)
    except ModuleNotFoundError as error:
        missing = (error.name or "openrouter_rerank").partition(".")[0]
        if missing == "openrouter_rerank":
            raise
        cure = f'pip install "openrouter-rerank[{command.extra}]"'
        sys.stderr.write(f"{command.name} needs {missing}, which is not installed: {cure}\n")
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status
