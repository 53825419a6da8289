"""
Writes docs/reference/command-line.md: the help of each command.
"""

import re

import click
from openrouter_rerank.cli.commands import COMMANDS
from openrouter_rerank.cli.group import CommandGroup

_GROUP = CommandGroup("openrouter-rerank")
_HEADER = """---
description: Every command of openrouter-rerank with its arguments and options.
---

# Command line reference

This page has the help of each command, as `openrouter-rerank COMMAND --help` prints it. The guide
[Command line](../guides/command-line.md) explains the commands with examples.
"""


def command_page() -> str:
    """Return the page with the help of each command, 80 columns wide."""
    sections = [_HEADER]
    root = click.Context(_GROUP, info_name="openrouter-rerank", max_content_width=80)
    for entry in COMMANDS:
        command = _GROUP.get_command(root, entry.name)
        if command is None:
            raise ValueError(f"the command {entry.name} needs the extra {entry.extra}")
        context = click.Context(
            command, info_name=entry.name, parent=root, terminal_width=80, color=False
        )
        text = re.sub(r"\x1b\[[0-9;]*m", "", command.get_help(context)).rstrip()
        sections.append(
            f"## `{entry.name}` {{ #{entry.name} }}\n\n"
            f"Install it with `pip install 'openrouter-rerank[{entry.extra}]'`.\n\n"
            f"```text\n{text}\n```\n"
        )
    return "\n".join(sections)


PAGES = {"docs/reference/command-line.md": command_page}
