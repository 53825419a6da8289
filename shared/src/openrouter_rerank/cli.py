"""
The command line: `openrouter-rerank COMMAND`.

Each command is one function in a separate module. The module is imported only when the command
runs, because it may need an extra that is not installed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from openrouter_rerank._version import __version__

_FAILED = 1
# The exit status that shells report for a command that SIGINT has ended.
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command, and the module that runs it."""

    name: str
    summary: str
    module: str
    """Has `main(arguments) -> int`, which gets the arguments after the command's name."""
    extra: str
    """The extra of `openrouter-rerank` that the command needs."""


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
        module="openrouter_rerank.local.command",
        extra="local",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit status.

    Args:
        arguments: By default, the command-line arguments of the process.
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
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the command")
    parsed = parser.parse_args(arguments)
    return _run(commands[parsed.command], parsed.arguments)


def _run(command: Command, arguments: Sequence[str]) -> int:
    try:
        status: int = import_module(command.module).main(arguments)
    except ModuleNotFoundError as error:
        missing = (error.name or str(error)).partition(".")[0]
        install = f'pip install "openrouter-rerank[{command.extra}]"'
        sys.stderr.write(f"{command.name} needs the package {missing}: {install}\n")
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status
