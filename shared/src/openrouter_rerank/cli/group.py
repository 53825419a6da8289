"""Runs the command that the arguments name."""

import sys
from collections.abc import Sequence
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from openrouter_rerank._version import __version__

from . import output
from .commands import BY_NAME, COMMANDS
from .failures import report
from .log import logged
from .options import DEBUG

_NAME = "openrouter-rerank"


class CommandGroup(click.Group):
    """
    The commands of the table. A command's module is imported only when the command is named.

    The help and the completion of names read only the table.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        """Return the names of the commands."""
        return [entry.name for entry in COMMANDS]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click passes it
        cmd_name: str,
    ) -> click.Command | None:
        """Return the command of this name."""
        if cmd_name not in BY_NAME:
            return None
        found: object = import_module(BY_NAME[cmd_name].module).command
        return found if isinstance(found, click.Command) else None

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click passes it
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the commands with their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in COMMANDS])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names of commands and options that begin with `incomplete`."""
        names = [
            CompletionItem(entry.name, help=entry.summary)
            for entry in COMMANDS
            if entry.name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments before the name of the command, and print what they ask for."""
        try:
            return super().parse_args(ctx, args)
        except BrokenPipeError:
            raise click.exceptions.Exit(_unread()) from None

    def invoke(self, ctx: click.Context) -> int:
        """Run the command, and return its exit status."""
        try:
            return _status(super().invoke(ctx))
        except click.exceptions.Exit:
            raise
        except BrokenPipeError:
            return _unread()
        except BaseException as error:
            if not isinstance(error, Exception | KeyboardInterrupt):
                raise
            status = report(error, ctx.invoked_subcommand, debug=bool(ctx.meta.get(DEBUG)))
            try:
                output.flush()
            except OSError:
                # The line of the first error is enough.
                output.give_up()
            return status


def run(arguments: Sequence[str] | None) -> int:
    """Run the command that `arguments` name, by default those of the process."""
    given = sys.argv[1:] if arguments is None else [*arguments]
    try:
        output.prepare()
        with logged():
            returned: object = _group.main(given, prog_name=_NAME, standalone_mode=False)
        output.flush()
    except BrokenPipeError:
        return _unread()
    except OSError as error:
        output.give_up()
        return report(error, None, debug=False)
    except (click.ClickException, click.Abort, KeyboardInterrupt) as error:
        return report(error, None, debug=False)
    return _status(returned)


def _unread() -> int:
    # The reader of the output, such as `head`, has what it wants.
    output.give_up()
    return 0


def _status(returned: object) -> int:
    return returned if isinstance(returned, int) else 0


_group = CommandGroup(
    _NAME,
    help="Rerank with OpenRouter, or with the local scorer.",
    no_args_is_help=False,
    epilog="Each command has its own --help. The API key is read from OPENROUTER_API_KEY.",
)
click.version_option(__version__, message="%(prog)s %(version)s")(_group)
