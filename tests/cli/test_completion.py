"""Completion of commands, options, models and files in a shell."""

import os
import subprocess
import sys
from contextlib import suppress
from shutil import which

import pytest
from openrouter_rerank import MODELS

from tests.cli.program import PROGRAM, call, environment

BASH = which("bash")


def completed(stage, *words, of="bash"):
    """Return what a shell offers for the last of these words."""
    variables = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    if of == "fish":
        variables["COMP_CWORD"] = words[-1]
    done = call(stage, _OPENROUTER_RERANK_COMPLETE=f"{of}_complete", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")


def test_commands_are_completed(stage):
    """The first word is completed to the names of the commands."""
    assert "plain,models" in completed(stage, "openrouter-rerank", "m")
    assert "plain,rank" in completed(stage, "openrouter-rerank", "ra")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_models_are_completed_from_the_built_in_list(stage, shell):
    """The value of `--model` is completed to the slugs to send, without a request."""
    offered = completed(stage, "openrouter-rerank", "rank", "q", "--model", "", of=shell)

    slugs = {
        f"{model.slug}:free" if model.billing == "free" else model.slug for model in MODELS.values()
    }
    text = " ".join(offered).replace("\\:", ":")
    assert [slug for slug in slugs if slug not in text] == []
    assert stage.requests == []


def test_options_and_their_choices_are_completed(stage):
    """Names of options and the orders of `--sort` are completed."""
    assert "plain,--threshold" in completed(stage, "openrouter-rerank", "rank", "q", "--th")
    assert "plain,price" in completed(stage, "openrouter-rerank", "models", "--sort", "p")


def test_files_are_completed_by_the_shell(stage):
    """The shell itself completes the names of files."""
    assert "file,no" in completed(stage, "openrouter-rerank", "rank", "q", "no")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(stage, shell):
    """The documented line prints the script that switches completion on."""
    done = call(stage, _OPENROUTER_RERANK_COMPLETE=f"{shell}_source")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"_OPENROUTER_RERANK_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_bash_completes_a_line(stage):
    """With the documented line, an interactive bash completes commands, options and models."""
    keys = (
        'eval "$(_OPENROUTER_RERANK_COMPLETE=bash_source openrouter-rerank)"\n'
        "openrouter-rerank() { printf '<%s>' \"$@\" END; }\n"
        "openrouter-rerank ra\tq --mod\tcohere/rerank-v\t\n"
    )

    shown = type_into_bash(keys, until="<END>", **environment(stage))

    assert "<rank><q><--model><cohere/rerank-v3.5><END>" in shown


def type_into_bash(keys, *, until, **variables):
    """Type into an interactive bash on a terminal, and return what it shows up to a text."""
    import pty

    ours, theirs = pty.openpty()
    path = f"{PROGRAM.parent}{os.pathsep}{variables['PATH']}"
    with subprocess.Popen(
        [BASH, "--norc", "--noprofile", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=variables | {"PATH": path, "TERM": "dumb", "HISTFILE": ""},
        start_new_session=True,
    ) as bash:
        os.close(theirs)
        os.write(ours, keys.encode())
        shown = ""
        with suppress(OSError):
            while until not in shown and (piece := os.read(ours, 65_536)):
                shown += piece.decode()
        bash.kill()
        os.close(ours)
    return shown


def test_completion_of_commands_imports_none_of_them():
    """Names are completed from the table, also if the extras of commands are missing."""
    program = (
        "import sys; sys.modules['rich'] = sys.modules['uvicorn'] = sys.modules['pydantic'] = None;"
        "from openrouter_rerank.cli import main; main([])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        env={
            "_OPENROUTER_RERANK_COMPLETE": "bash_complete",
            "COMP_WORDS": "openrouter-rerank ",
            "COMP_CWORD": "1",
        },
        text=True,
        timeout=100,
    )

    assert done.returncode == 0, done.stderr
    assert {"plain,demo", "plain,serve", "plain,rank"} <= {*done.stdout.split("\n")}
