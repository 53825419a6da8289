"""The page of the command line: its examples run, and it has every command and option."""

import re
from pathlib import Path

import click
import pytest
from openrouter_rerank.cli.commands import BY_NAME
from openrouter_rerank.cli.group import CommandGroup
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.stage import answered_by

from tests.cli.program import run_in_shell

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/guides/command-line.md").read_text("utf-8")
# The tests of these pages check the options of their commands.
OWN_PAGES = ("evaluate", "mcp")
BASE_URL = "http://127.0.0.1:8484/api/v1"
BLOCKS = re.findall(r"^```console\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
SHARED = {"--base-url URL", "--timeout SECONDS", "--json", "--debug"}
GROUP = CommandGroup("openrouter-rerank")


def examples():
    """Return the command lines of the page in order, each with the output that follows it."""
    return [
        tuple(example.partition("\n")[::2])
        for block in BLOCKS
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        # They install packages, do not end, or take long.
        if not example.startswith(("pip ", "openrouter-rerank serve", "openrouter-rerank demo"))
    ]


def options(command):
    """Return the options of a command, without `--help`, as the help writes them."""
    context = click.Context(command)
    return {
        record[0]
        for parameter in command.params
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context))
    }


def section(heading):
    """Return the section of the page with this heading."""
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def listed(text):
    """Return the options that the tables in a text have."""
    found = re.findall(r"^\| `(--[^`]+)` \|", text, re.MULTILINE)
    return {option.replace("\\|", "|") for option in found}


def test_the_examples_of_the_page_run(stage, tmp_path, monkeypatch):
    """Each example prints what the page says, if the local service answers."""
    monkeypatch.chdir(tmp_path)
    scorer = LexicalScorer()
    stage.always(answered_by(LocalOpenRouter(scorers={scorer.name: scorer})))

    for command, expected in examples():
        done = run_in_shell(stage, f"exec 2>&1; {command}")
        printed = done.stdout.replace(stage.base_url, BASE_URL)
        assert (command, printed) == (command, expected)

    assert len(examples()) > 8


@pytest.mark.parametrize("name", OWN_PAGES)
def test_a_command_with_its_own_page_is_linked(name):
    """The table of commands links the page, which exists."""
    assert f"| [`{name}`]({name}.md) |" in TEXT
    assert (ROOT / f"docs/guides/{name}.md").is_file()


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in OWN_PAGES])
def test_the_page_has_every_option_of_a_command(name):
    """The table of a command has its options with their values, and no others."""
    text = section(f"`{name}`")
    found = options(GROUP.get_command(click.Context(GROUP), name))
    also = text.partition("\nAlso: ")[2].partition("\n")[0]

    assert listed(text) == found - SHARED
    assert set(re.findall(r"`(--[^`]+)`", also)) == found & SHARED


def test_the_page_has_the_shared_options():
    """The options that several commands share are described once."""
    assert listed(section("Options of several commands")) == SHARED
