"""The program itself: its help, its version, and the extras that commands need."""

import subprocess
import sys

import pytest
from openrouter_rerank import __version__
from openrouter_rerank.cli import main
from openrouter_rerank.cli.commands import COMMANDS

HEAVY = ("httpx", "pydantic", "rich", "uvicorn", "starlette", "bm25s", "onnxruntime", "numpy")


def python(program):
    """Run a program with this Python, and return its result."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100
    )


def test_help_names_every_command(capsys):
    """`--help` lists every command with its summary."""
    assert main(["--help"]) == 0

    shown = " ".join(capsys.readouterr().out.split())
    assert all(f"{entry.name} {entry.summary}" in shown for entry in COMMANDS)


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_each_command_has_its_own_help(entry, capsys):
    """Arguments after the name of a command are passed to the command."""
    assert main([entry.name, "--help"]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: openrouter-rerank {entry.name} ")
    assert "--debug" in shown


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "openrouter-rerank: Missing command (see openrouter-rerank --help)"),
        (["brew"], "openrouter-rerank: No such command 'brew'"),
        (["serve", "--port", "many"], "openrouter-rerank serve: Invalid value for '--port'"),
        (["serve", "extra"], "openrouter-rerank serve: Got unexpected extra argument (extra)"),
        (["rank"], "openrouter-rerank rank: Missing argument 'QUERY'"),
        (["rank", " "], "openrouter-rerank rank: Invalid value for QUERY: it is blank"),
        (["rank", "q", "--top-n", "0"], "openrouter-rerank rank: Invalid value for '--top-n'"),
        (["rank", "q", "--threshold", "nan"], "it is not a number"),
        (["rank", "q", "--timeout", "0"], "openrouter-rerank rank: Invalid value for '--timeout'"),
        (["rank", "q", "--timeout", "30000"], "30000.0 is not in the range 0<x<=600"),
        (["models", "--sort", "beauty"], "'price', 'context', 'images', 'name'"),
        (["check", "--modle", "x"], "openrouter-rerank check: No such option"),
        (["rank", "q", "--api-key", "sk-or-v1-x"], "set OPENROUTER_API_KEY (see"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(capsys, arguments, text):
    """For an unknown command or invalid arguments, one line names the problem and the help."""
    assert main(arguments) == 2

    printed = capsys.readouterr()
    assert text in printed.err
    assert printed.err.endswith("--help)\n")
    assert (printed.err.count("\n"), printed.out) == (1, "")


def test_the_version_is_printed(capsys):
    """`--version` prints the version of the distribution."""
    assert main(["--version"]) == 0

    assert capsys.readouterr().out == f"openrouter-rerank {__version__}\n"


@pytest.mark.parametrize("missing", ["uvicorn", "starlette", "bm25s", "Stemmer"])
def test_the_error_for_a_missing_dependency_names_the_extra(missing):
    """If an extra is not installed, the command names it, and prints no traceback."""
    done = python(
        f"import sys; sys.modules[{missing!r}] = None;"
        "from openrouter_rerank.cli import main; sys.exit(main(['serve']))"
    )

    assert done.returncode == 1
    assert done.stderr == (
        f'serve needs the package {missing}: pip install "openrouter-rerank[local]"\n'
    )


def test_the_error_for_a_missing_click_names_the_extra():
    """Without click, which the command line is built on, the program says how to install it."""
    done = python(
        "import sys; sys.modules['click'] = None;"
        "from openrouter_rerank.cli import main; sys.exit(main(['--help']))"
    )

    assert done.returncode == 1
    assert done.stderr == (
        'the command line needs the package click: pip install "openrouter-rerank[cli]"\n'
    )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([entry.name, "--help"] for entry in COMMANDS)]
)
def test_help_imports_nothing_heavy(arguments):
    """Help needs only click: no command imports what it works with."""
    done = python(
        "import sys; from openrouter_rerank.cli import main;"
        f"main({arguments!r}); print(*{{*{HEAVY!r}}}.intersection(sys.modules), sep=',')"
    )

    assert done.stdout.splitlines()[-1:] == [""]


def test_the_help_of_the_program_imports_no_command():
    """The help reads the names and the summaries of the commands from a table."""
    done = python(
        "import sys; from openrouter_rerank.cli import main; main(['--help']);"
        f"print(*{{*{[entry.module for entry in COMMANDS]!r}}}.intersection(sys.modules))"
    )

    assert done.stdout.splitlines()[-1:] == [""]


@pytest.mark.parametrize("command", ["serve", "demo", "rank --help", "models --help"])
def test_a_command_runs_without_rich_until_it_prints_a_table(command):
    """Only tables and progress need rich: help needs none, and a missing rich is one line."""
    done = python(
        "import sys; sys.modules['rich'] = None; sys.modules['uvicorn'] = None;"
        f"from openrouter_rerank.cli import main; sys.exit(main({command.split()!r}))"
    )

    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if "--help" in command else 1)
