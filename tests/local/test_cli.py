import subprocess
import sys

import pytest
from openrouter_rerank import __version__
from openrouter_rerank.cli import COMMANDS, main


def test_help_names_every_command(capsys):
    """`--help` lists every command with its summary."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"{command.name}: {command.summary}" in shown for command in COMMANDS)


def test_each_command_has_its_own_help(capsys):
    """Arguments after the name of a command are passed to the command."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])

    assert ended.value.code == 0
    assert "--port" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["brew"], ["serve", "--port", "many"], ["serve", "extra"]]
)
def test_invalid_arguments_exit_with_status_2(capsys, arguments):
    """For an unknown command or invalid arguments, the usage is printed and the status is 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage: openrouter-rerank" in capsys.readouterr().err


def test_the_version_is_printed(capsys):
    """`--version` prints the version of the distribution."""
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"openrouter-rerank {__version__}\n"


@pytest.mark.parametrize("missing", ["uvicorn", "starlette", "bm25s", "Stemmer"])
def test_the_error_for_a_missing_dependency_names_the_extra(missing):
    """If an extra is not installed, the command names it, and prints no traceback."""
    program = (
        f"import sys; sys.modules[{missing!r}] = None;"
        "from openrouter_rerank.cli import main; sys.exit(main(['serve']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert done.stderr == (
        f'serve needs the package {missing}: pip install "openrouter-rerank[local]"\n'
    )


def test_no_extra_is_imported_before_a_command_runs():
    """The command line itself needs only the dependencies of the core."""
    program = (
        "import sys; import openrouter_rerank.cli;"
        "print(*{'uvicorn', 'starlette', 'bm25s', 'onnxruntime'}.intersection(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == ""


def test_a_transport_without_the_extra_names_the_package_to_install():
    """`LocalTransport` raises an import error that names the extra if there is no scorer."""
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
