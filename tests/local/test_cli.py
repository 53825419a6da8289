import subprocess
import sys

import pytest
from openrouter_rerank import __version__
from openrouter_rerank.cli import COMMANDS, main


def test_help_names_every_command(capsys):
    """`--help` lists the commands with what they do."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"{command.name}: {command.summary}" in shown for command in COMMANDS)


def test_a_command_has_its_own_help(capsys):
    """What follows a command's name goes to the command."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])

    assert ended.value.code == 0
    assert "--port" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["brew"], ["serve", "--port", "many"], ["serve", "extra"]]
)
def test_wrong_usage_ends_with_2(capsys, arguments):
    """Unknown commands and arguments are told with the usage, as every command line does."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage: openrouter-rerank" in capsys.readouterr().err


def test_the_version_is_told(capsys):
    """`--version` tells the version of the distribution."""
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"openrouter-rerank {__version__}\n"


@pytest.mark.parametrize("missing", ["uvicorn", "starlette", "bm25s", "Stemmer"])
def test_a_missing_dependency_names_the_extra(missing):
    """Where an extra is not installed, the command says which, and shows no traceback."""
    program = (
        f"import sys; sys.modules[{missing!r}] = None;"
        "from openrouter_rerank.cli import main; sys.exit(main(['serve']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert done.stderr == (
        f'serve needs {missing}, which is not installed: pip install "openrouter-rerank[local]"\n'
    )


def test_nothing_of_an_extra_is_imported_before_a_command_runs():
    """The command line itself needs the core's own dependencies only."""
    program = (
        "import sys; import openrouter_rerank.cli;"
        "print(*{'uvicorn', 'starlette', 'bm25s', 'onnxruntime'}.intersection(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == ""


def test_a_transport_without_the_extra_says_what_to_install():
    """In process, too, a missing scorer is an import error that names the extra."""
    program = (
        "import sys; sys.modules['bm25s'] = None;"
        "from openrouter_rerank.local.transport import LocalTransport; LocalTransport()"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stderr.strip().endswith(
        'ModuleNotFoundError: the local scorer is an extra: pip install "openrouter-rerank[local]"'
    )
