"""
What the command line says of an error: one line on the standard error, and an exit status.

Nothing written here contains the API key, not even with `--debug`: tracebacks have no values, and
the key is masked in every text.
"""

import errno
import os
import re
import sys
import traceback

import click

from openrouter_rerank.errors import InvalidResponseError, OpenRouterRerankError

from . import INTERRUPTED
from .commands import BY_NAME
from .escapes import one_line
from .wording import for_command_line

FAILED = 1
USAGE = 2
INCOMPLETE = 3

# The command whose result is one ranking. Other commands with this status have written a result.
_RANKING = "rank"
_OUTPUT_ERRORS = frozenset({errno.EBADF, errno.EFBIG, errno.EIO, errno.ENOSPC})
_KEY = re.compile(r"sk-or-[\w-]+")


class Failure(click.ClickException):
    """An input or an output makes the command impossible. The message is one line."""

    exit_code = FAILED


def report(error: BaseException, command: str | None, *, debug: bool) -> int:
    """
    Write one line about `error`, and return the exit status.

    Args:
        error: What ended the command.
        command: The name of the command, if it is known.
        debug: Write the traceback first.
    """
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED
    if debug:
        write("".join(traceback.format_exception(error)).rstrip())
    write(one_line(_line(error, command)))
    if isinstance(error, click.UsageError):
        return USAGE
    if command != _RANKING or not isinstance(error, InvalidResponseError):
        return FAILED
    return INCOMPLETE if error.is_incomplete else FAILED


def write(text: str) -> None:
    """Write a line to the standard error, without the key."""
    if sys.stderr is not None:
        sys.stderr.write(f"{masked(text)}\n")
        sys.stderr.flush()


def masked(text: str) -> str:
    """Return `text` with `***` in place of the API key."""
    # Imported here, because it imports pydantic, which the help does not need.
    from openrouter_rerank._wire.endpoint import KEY_VARIABLE, Secrets

    key = os.environ.get(KEY_VARIABLE, "").strip()
    return _KEY.sub("***", Secrets([key] if key else []).masked(text, None))


def client_error(error: OpenRouterRerankError) -> str:
    """Return what `error` says: its class, what happened, and what to do."""
    return f"{type(error).__name__}: {for_command_line(error.message)}"


def _line(error: BaseException, command: str | None) -> str:
    if isinstance(error, click.UsageError):
        path = "openrouter-rerank" if error.ctx is None else error.ctx.command_path
        return f"{path}: {_usage(error).rstrip('.')} (see {path} --help)"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OpenRouterRerankError):
        return client_error(error)
    if isinstance(error, ModuleNotFoundError) and (missing := _foreign_package(error)):
        extra = BY_NAME[command].extra if command in BY_NAME else "cli"
        return f'{command} needs the package {missing}: pip install "openrouter-rerank[{extra}]"'
    if isinstance(error, OSError):
        is_output = error.errno in _OUTPUT_ERRORS and error.filename is None
        return f"cannot write the output: {error.strerror}" if is_output else str(error)
    return (
        f"unexpected {type(error).__name__}: {error}. This is a defect of openrouter-rerank: add "
        "--debug to see where it happened"
    )


def _usage(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption) and error.option_name.startswith("--api-key"):
        return (
            f"{error.option_name} does not exist, because other users of this machine can read "
            "the arguments of a program: set OPENROUTER_API_KEY"
        )
    if isinstance(error, click.NoSuchOption) and error.ctx is not None and not error.ctx.parent:
        return f"No such option {error.option_name!r}: write options after the command"
    return error.format_message()


def _foreign_package(error: ModuleNotFoundError) -> str | None:
    missing = (error.name or "").partition(".")[0]
    return missing if missing != "openrouter_rerank" else None
