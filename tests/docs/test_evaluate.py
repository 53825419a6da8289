"""The page of the evaluation: its commands run, and it has every option. Its notebook runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.stage import answered_by

from tests.cli.program import environment, run_in_shell
from tests.docs.test_examples import python_examples

pytest.importorskip("ir_measures", reason="the evaluation needs ir-measures")

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/guides/evaluate.md").read_text("utf-8")
NOTEBOOK = ROOT / "examples/evaluate.ipynb"
SHARED = {"--base-url URL", "--timeout SECONDS", "--json", "--debug"}


@pytest.fixture
def local(stage, tmp_path, monkeypatch):
    """The local service, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    scorer = LexicalScorer()
    stage.always(answered_by(LocalOpenRouter(scorers={scorer.name: scorer})))
    return stage


def command_options():
    """Return each option of the command as the help writes it, with its default as text."""
    from openrouter_rerank.evaluation.command import command

    context = click.Context(command)
    return {
        record[0]: default_of(each, context)
        for each in command.params
        if isinstance(each, click.Option) and (record := each.get_help_record(context))
    }


def default_of(option, context):
    """Return the default of an option as it is typed, or an empty text."""
    default = option.get_default(context)
    if isinstance(default, tuple):
        return ",".join(default)
    is_shown = isinstance(default, str | int | float | Path) and not option.is_flag
    return str(default) if is_shown else ""


def test_the_page_has_every_option_with_its_default():
    """The table of options has those of the command, with their values and defaults."""
    rows = re.findall(r"^\| `(--[^`]+)` \| (?:`([^`]*)`)? ?\|", TEXT, re.MULTILINE)
    also = TEXT.partition("\nAlso: ")[2].partition(", as in")[0]
    expected = command_options()

    assert dict(rows) == {name: expected[name] for name in expected if name not in SHARED}
    assert set(re.findall(r"`(--[^`]+)`", also)) == SHARED & {*expected}


def test_the_first_run_prints_what_the_page_says(local):
    """The first script and the first command of the page give the result of the page."""
    (_, code), *_ = python_examples("docs/guides/evaluate.md")
    exec(code, {})  # noqa: S102
    line, expected = re.search(
        r"^\$ (openrouter-rerank evaluate first.*)\n((?:.+\n)+?)```$", TEXT, re.MULTILINE
    ).groups()

    done = run_in_shell(local, f"exec 2>&1; {line}")
    assert done.stdout == expected
    assert Path("evaluation/report.html").is_file()


def test_every_command_of_the_page_has_valid_options():
    """The commands of the page can be parsed."""
    from openrouter_rerank.evaluation.command import command

    lines = re.findall(r"^\$ openrouter-rerank evaluate (.+)$", TEXT, re.MULTILINE)
    for line in lines:
        assert command.make_context("evaluate", line.split()).params["data"]

    assert len(lines) > 1


def test_the_notebook_has_no_outputs():
    """The notebook is kept without outputs, which would be those of one machine."""
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]

    assert [each for each in cells if each.get("outputs") or each.get("execution_count")] == []


def test_the_notebook_runs(local):
    """The cells of the notebook run from top to bottom."""
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    code = ["".join(each["source"]) for each in cells if each["cell_type"] == "code"]
    done = subprocess.run(
        [sys.executable, "-"],
        input="\n".join(code).encode(),
        capture_output=True,
        check=False,
        env=environment(local),
        timeout=100,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert Path("evaluation/report.html").is_file()
