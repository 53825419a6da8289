"""The key is in no output of the commands, not even with `--debug`."""

import json
import subprocess
import sys
from urllib.parse import quote

import pytest
from openrouter_rerank.local.stage import Fault, Reply, error, refusing_address

from tests.cli.program import call, environment

KEY = "sk-secret/of+the-user"
COMMANDS = [("rank", "q"), ("models",), ("check",)]
REPLIES = {
    "refused": error(401, f"No user has the key {KEY}"),
    "echoed in a page": Reply(status=500, body=f"<title>{KEY}</title>"),
    "echoed in a redirect": Reply(status=302, headers={"location": f"https://x.example/{KEY}"}),
    "echoed in JSON": Reply(body={"model": KEY, "provider": KEY, "results": [], "data": [KEY]}),
    "echoed in the details": Reply(body={"data": {"expires_at": KEY, "budgets": [{"scope": KEY}]}}),
    "lost": Fault.reset_after(),
}


def has_key(text):
    """Return `True` if the text has the key in any form."""
    return any(form in text for form in (KEY, json.dumps(KEY)[1:-1], quote(KEY, safe="")))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_an_echoed_key_is_never_printed(stage, command, reply):
    """No response puts the key into an output, and `--debug` shows more than a line."""
    stage.always(reply)

    done = call(stage, *command, "--debug", stdin="text\n", OPENROUTER_API_KEY=KEY)

    assert not has_key(done.stdout + done.stderr)
    assert "DEBUG " in done.stderr
    if command[0] == "rank" and done.returncode:
        assert "Traceback (most recent call last):" in done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_failed_connection_does_not_show_the_key(stage, command):
    """With `--debug`, a failed connection shows where it happened, without the key."""
    with refusing_address() as base_url:
        done = call(
            stage,
            *(*command, "--debug", "--base-url", base_url),
            stdin="text\n",
            OPENROUTER_API_KEY=KEY,
        )

    assert not has_key(done.stdout + done.stderr)
    assert "could not connect" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("rank", "q", KEY),
        ("rank", "q", f"--api-key={KEY}"),
        ("rank", "q", "--top-n", KEY),
        (KEY,),
        ("models", KEY),
        ("check", f"--{KEY}"),
    ],
)
def test_a_key_in_the_arguments_is_not_repeated(stage, arguments):
    """An error about an argument does not show the key that was given in its place."""
    done = call(stage, *arguments, "--debug", OPENROUTER_API_KEY=KEY)

    assert done.returncode in {1, 2}
    assert done.stderr != ""
    assert not has_key(done.stdout + done.stderr)


def test_a_key_of_openrouter_is_never_repeated(stage):
    """What looks like a key of OpenRouter is not shown, also if it is another one."""
    done = call(stage, "rank", "q", "--top-n", "sk-or-v1-0123456789abcdef")

    assert done.returncode == 2
    assert "'***' is not a valid whole number" in done.stderr


@pytest.mark.parametrize("flags", [[], ["--debug"]])
def test_an_unexpected_error_is_one_line_without_the_key(stage, flags):
    """A defect of the program is one line; with `--debug`, there is a traceback without the key."""
    program = (
        "import os, sys; from openrouter_rerank.cli import inputs, main\n"
        "def read_inputs(*_, **__): raise RuntimeError(os.environ['OPENROUTER_API_KEY'])\n"
        "inputs.read_inputs = read_inputs\n"
        f"sys.exit(main(['rank', 'q', *{flags!r}]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        env=environment(stage, OPENROUTER_API_KEY=KEY),
        input="",
        text=True,
        timeout=100,
    )

    assert done.returncode == 1
    *more, line = done.stderr.splitlines()
    assert line == (
        "unexpected RuntimeError: ***. This is a defect of openrouter-rerank: add --debug to see "
        "where it happened"
    )
    assert bool(more) == bool(flags)
    assert not has_key(done.stderr)
