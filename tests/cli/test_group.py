"""The program itself: its help, its version, and the extras that commands need."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
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


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_each_default_is_in_the_help(entry):
    """Every command says the default of an option in the same form: `Default: ...`."""
    command = import_module(entry.module).command
    with_default = [
        option
        for option in command.params
        if isinstance(option, click.Option)
        and not option.is_flag
        and isinstance(option.default, str | int | float | tuple | Path)
    ]

    assert [each.name for each in with_default if each.show_default] == []
    assert [each.name for each in with_default if "Default: " not in each.help] == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "openrouter-rerank: Missing command (see openrouter-rerank --help)"),
        (["brew"], "openrouter-rerank: No such command 'brew'"),
        (["serve", "--port", "many"], "'many' is not a valid whole number"),
        (["serve", "--host", ""], "pass an address, such as 127.0.0.1"),
        (["serve", "--port", "65536"], "65536 is not in the range 0<=x<=65535"),
        (["demo", "--passages", "all"], "'all' is not a valid whole number"),
        (["serve", "extra"], "openrouter-rerank serve: Got unexpected extra argument (extra)"),
        (["rank"], "openrouter-rerank rank: Missing argument 'QUERY'"),
        (["rank", " "], "openrouter-rerank rank: Invalid value for 'QUERY': it is blank"),
        (["rank", "q", "--top-n", "0"], "openrouter-rerank rank: Invalid value for '--top-n'"),
        (["rank", "q", "--threshold", "nan"], "'--threshold': 'nan' is not a valid number"),
        (["rank", "q", ""], "Invalid value for 'FILES': the name of a file is empty"),
        (["rank", "q", "--timeout", "nan"], "'--timeout': 'nan' is not a valid number"),
        (["rank", "q", "--threshold", "high"], "'high' is not a valid number"),
        (["rank", "q", "--model", ""], "'--model': pass the slug of a model, such as"),
        (["check", "--model", "a\nb"], "'--model': pass the slug of a model, such as"),
        (["--json", "models"], "No such option '--json': write options after the command (see"),
        (["rank", "q", "--timeout", "0"], "openrouter-rerank rank: Invalid value for '--timeout'"),
        (["rank", "q", "--timeout", "30000"], "30000.0 is not in the range 0<x<=600"),
        (["models", "--sort", "beauty"], "'price', 'latency', 'context', 'images', 'name'"),
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


def test_the_error_for_a_missing_dependency_names_the_extra():
    """If an extra is not installed, the command names it, and prints no traceback."""
    packages = ("uvicorn", "starlette", "bm25s", "Stemmer")
    done = python(
        "import sys; from openrouter_rerank.cli import main\n"
        f"for missing in {packages}:\n"
        "    sys.modules[missing] = None; print(main(['serve'])); del sys.modules[missing]"
    )

    assert done.stdout.split() == ["1"] * len(packages)
    assert done.stderr.splitlines() == [
        f'serve needs the package {missing}: pip install "openrouter-rerank[local]"'
        for missing in packages
    ]


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


def test_help_imports_nothing_heavy():
    """Help needs only click: the program's imports no command, and no command's what it needs."""
    modules = [entry.module for entry in COMMANDS]
    calls = [["--version"], ["--help"], *([entry.name, "--help"] for entry in COMMANDS)]
    done = python(
        "import sys; from openrouter_rerank.cli import main\n"
        f"for arguments in {calls}:\n"
        "    main(arguments)\n"
        f"    unwanted = {HEAVY} if arguments[1:] else {(*HEAVY, *modules)}\n"
        "    print('imported:', *set(unwanted).intersection(sys.modules))"
    )

    imported = [line for line in done.stdout.splitlines() if line.startswith("imported:")]
    assert imported == ["imported:"] * len(calls)


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_missing_rich_or_uvicorn_is_one_line(command):
    """A command whose packages are missing says so in one line."""
    done = python(
        "import sys; sys.modules['rich'] = None; sys.modules['uvicorn'] = None;"
        f"from openrouter_rerank.cli import main; sys.exit(main([{command!r}]))"
    )

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"{command} needs the package ")
