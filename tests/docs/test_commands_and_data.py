"""Commands, extras and data in the documentation are valid."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
import yaml
from openrouter_rerank.cli.commands import BY_NAME
from openrouter_rerank.cli.group import CommandGroup

from tests.docs.fences import fences
from tests.docs.test_examples import PAGES, ROOT

GROUP = CommandGroup("openrouter-rerank")
SHELL = {"console", "sh", "bash", "shell"}
FOLDERS = {
    "openrouter-rerank": "shared",
    "langchain-openrouter-rerank": "packages/langchain_openrouter_rerank",
    "llamaindex-openrouter-rerank": "packages/llamaindex_openrouter_rerank",
}
EXTRAS = {
    name: set(
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"][
            "optional-dependencies"
        ]
    )
    if name != "llamaindex-openrouter-rerank"
    else set()
    for name, folder in FOLDERS.items()
}


def command_lines(page):
    """Yield the commands of the shell fences of a page, without prompts and comments."""
    for fence in fences(ROOT / page):
        if fence.language in SHELL:
            code = fence.code.replace("\\\n", " ")
            prompts = fence.language == "console"
            for line in code.splitlines():
                if line.startswith("$ ") or (not prompts and line.strip()):
                    yield line.removeprefix("$ ")


def calls_of_the_program(page):
    """Yield the words of each call of `openrouter-rerank`, up to a pipe or a redirection."""
    for line in command_lines(page):
        # The end of a command: `;`, `|` and the like are separate words.
        words = [*shlex.shlex(line, posix=True, punctuation_chars=True)]
        while "openrouter-rerank" in words:
            words = words[words.index("openrouter-rerank") + 1 :]
            ends = [at for at, word in enumerate(words) if re.fullmatch(r"[|<>&;()]+", word)]
            yield words[: ends[0] if ends else None]


@pytest.mark.parametrize("page", PAGES)
def test_commands_have_the_options_that_a_page_shows(page):
    """Each call of `openrouter-rerank` on a page names a command, with options that it has."""
    pytest.importorskip("mcp", reason="the extra mcp is not installed")
    for words in calls_of_the_program(page):
        if not words or words[0] in {"--help", "--version", "COMMAND"}:
            continue
        name, *arguments = words
        assert name in BY_NAME, words
        command = GROUP.get_command(click.Context(GROUP), name)
        known = {option for each in command.params for option in each.opts + each.secondary_opts}
        used = {word.split("=")[0] for word in arguments if re.match(r"--?[a-z]", word)}
        assert used - known - {"--help"} == set(), words


@pytest.mark.parametrize("page", PAGES)
def test_the_extras_that_a_page_names_exist(page):
    """Each extra in a `pip install` on a page is one of the package."""
    text = (ROOT / page).read_text("utf-8")
    named = re.findall(r"((?:\w+-)?openrouter-rerank)\[([\w,-]+)\]", text)

    assert [(name, extras) for name, extras in named if set(extras.split(",")) - EXTRAS[name]] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_data_on_a_page_can_be_read(page):
    """Each fence with JSON, TOML or YAML is valid."""
    readers = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
    data = [fence for fence in fences(Path(ROOT / page)) if fence.language in readers]

    assert all(readers[fence.language](fence.code) for fence in data)
