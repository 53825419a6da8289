"""The options of the command, and what is wrong with them."""

import socket
import subprocess
import sys

import pytest

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from openrouter_rerank.cli import main


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["--budget", "much"],
            "'--budget': pass US dollars, 0 or more, such as 1",
        ),
        (["--budget", "-1"], "'--budget': pass US dollars, 0 or more, such as 1"),
        (["--port", "8000"], "--port needs --transport http"),
        (["--host", "127.0.0.1"], "--host needs --transport http"),
        (["--allowed-host", "a.example"], "--allowed-host needs --transport http"),
        (["--transport", "http", "--host", ""], "pass an address, such as 127.0.0.1"),
        (
            ["--transport", "http", "--allowed-host", "https://a.example"],
            "'https://a.example' is not the name of a host: pass only the name",
        ),
        (["--transport", "http", "--allowed-host", "*"], "'*' is not the name of a host"),
        (["--transport", "http", "--allowed-host", ""], "'' is not the name of a host"),
        (["--model", ""], "pass the slug of a model, such as 'cohere/rerank-v3.5', not ''"),
        (["--model", "a\nb"], "pass the slug of a model"),
        (["--transport", "sse"], "'sse' is not one of 'stdio', 'http'"),
        (["--transport", "http", "--port", "70000"], "70000 is not in the range"),
        (["extra"], "unexpected extra argument"),
    ],
)
def test_wrong_options_are_explained(capsys, arguments, text):
    """A wrong option, or one without an effect, ends the command with status 2 and a reason."""
    assert main(["mcp", *arguments]) == 2

    printed = capsys.readouterr()
    assert text in printed.err
    assert printed.out == ""


def test_the_help_describes_each_option(capsys):
    """`--help` names the tools, the variable with the key, and all options with their defaults."""
    assert main(["mcp", "--help"]) == 0

    shown = " ".join(capsys.readouterr().out.split())
    assert "rerank and list_rerank_models" in shown
    assert "OPENROUTER_API_KEY" in shown
    assert "Default: cohere/rerank-v3.5." in shown
    assert "Default: no limit." in shown


def test_without_the_sdk_the_command_names_the_extra():
    """If the SDK is not installed, the command says what to install, and prints no traceback."""
    program = (
        "import sys; sys.modules['mcp'] = None;"
        "from openrouter_rerank.cli import main; sys.exit(main(['mcp']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert done.stderr == 'mcp needs the package mcp: pip install "openrouter-rerank[mcp]"\n'


def test_a_closed_standard_input_is_an_error(capsys, monkeypatch):
    """A process that was started without a standard input says so, and is not a defect."""
    monkeypatch.setattr("sys.stdin", None)

    assert main(["mcp"]) == 1

    assert capsys.readouterr().err.endswith("\ncannot read: the standard input is closed\n")


def test_a_port_in_use_is_an_error(capsys):
    """If another process listens on the port, the command says so."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["mcp", "--transport", "http", "--port", port]) == 1

    assert capsys.readouterr().err.startswith(
        f"cannot serve on 127.0.0.1 port {port}: Address already in use: choose another --port"
    )
