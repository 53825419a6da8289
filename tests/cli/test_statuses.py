"""Exit statuses and error lines of the commands, over real sockets and in real pipes."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from openrouter_rerank.cli import output
from openrouter_rerank.local.stage import Fault, error, refusing_address, results

from tests.cli.program import call, run, run_in_shell, start

RANK = ("rank", "capital of France")
LINES = "Berlin is a city\nParis is the capital of France\n"


def only_line(text):
    """Return the only line of a text."""
    (line,) = text.splitlines()
    return line


@pytest.mark.parametrize(
    ("command", "shown", "said"),
    [
        (RANK, "1\tstdin:2\tParis is the capital of France\n", ""),
        (("models",), "mongodb/", "The list is live."),
        (("check",), "ok\tkey\tfrom OPENROUTER_API_KEY\n", ""),
    ],
)
def test_the_installed_program_has_status_0_if_all_is_done(stage, command, shown, said):
    """Each command prints its result, and the status of the process is 0."""
    done = run(stage, *command, stdin=LINES)

    assert done.returncode == 0
    assert done.stdout.startswith(shown)
    assert done.stderr.startswith(said)
    assert bool(done.stderr) == bool(said)


def test_the_installed_program_has_the_status_of_an_error(stage):
    """The status that the command line returns is that of the process."""
    stage.script(error(401, "User not found"))

    done = run(stage, *RANK, stdin=LINES)

    assert (done.returncode, done.stdout) == (1, "")
    assert only_line(done.stderr).startswith("UnauthorizedError: ")


def test_a_wrong_key_is_one_line_and_status_1(stage):
    """If the service refuses the key, one line says what to check."""
    stage.script(error(401, "User not found"))

    done = call(stage, *RANK, stdin=LINES)

    assert (done.returncode, done.stdout) == (1, "")
    assert only_line(done.stderr).startswith("UnauthorizedError: User not found (HTTP 401 from")
    assert "Check OPENROUTER_API_KEY" in done.stderr


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_missing_key_is_one_line_and_status_1(stage, key):
    """Without a key, nothing is sent, and one line names the variable and the local service."""
    done = call(stage, *RANK, stdin=LINES, OPENROUTER_API_KEY=key)

    assert (done.returncode, done.stdout, stage.requests) == (1, "", [])
    assert only_line(done.stderr).startswith("there is no API key: set OPENROUTER_API_KEY")
    assert "openrouter-rerank serve" in done.stderr


def test_a_refused_connection_is_one_line_and_status_1(stage):
    """If nothing listens at the base URL, one line names the address."""
    with refusing_address() as base_url:
        done = call(stage, *RANK, "--base-url", base_url, stdin=LINES)

    assert (done.returncode, done.stdout) == (1, "")
    assert only_line(done.stderr).startswith("APIConnectionError: could not connect to 127.0.0.1:")


def test_a_broken_proxy_is_named_without_its_login(stage):
    """If the proxy cannot be reached, the line names it, but not its user name and password."""
    with refusing_address() as address:
        port = address.rpartition(":")[2].partition("/")[0]
        done = call(
            stage,
            *RANK,
            stdin=LINES,
            OPENROUTER_API_BASE="https://gateway.example/api/v1",
            HTTPS_PROXY=f"http://alice:hush-hush@127.0.0.1:{port}",
            https_proxy=None,
            ALL_PROXY=None,
            all_proxy=None,
        )

    assert done.returncode == 1
    assert f"through the proxy http://127.0.0.1:{port}" in only_line(done.stderr)
    assert "alice" not in done.stderr
    assert "hush-hush" not in done.stderr


def test_the_key_of_the_environment_is_not_sent_to_another_host(stage):
    """A base URL on the command line gets the key only if it is OpenRouter or this machine."""
    done = call(
        stage, *RANK, "--base-url", "https://gateway.example", stdin=LINES, OPENROUTER_API_BASE=None
    )

    assert done.returncode == 1
    assert "is not sent to gateway.example" in only_line(done.stderr)
    assert "set OPENROUTER_API_BASE" in done.stderr


def test_a_timeout_is_one_line_and_status_1(stage):
    """If the service does not answer in time, the line names the timeout."""
    stage.always(Fault.hang())

    done = call(stage, *RANK, "--timeout", "0.3", stdin=LINES)

    assert done.returncode == 1
    assert "timeout=0.3 s" in only_line(done.stderr)


def test_an_incomplete_ranking_has_status_3(stage):
    """If the response ranks fewer documents than were sent, the status is 3."""
    stage.always(results((0, 0.5)))

    done = call(stage, *RANK, stdin=LINES)

    assert (done.returncode, done.stdout) == (3, "")
    assert only_line(done.stderr).startswith("InvalidResponseError: ")


def test_an_interrupt_has_status_130(stage):
    """Ctrl-C during a call ends the command without a traceback, with status 130."""
    stage.always(Fault.hang())
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with start(stage, *RANK, **pipes) as running:
        running.stdin.write(LINES.encode())
        running.stdin.close()
        stage.wait_until(lambda: stage.in_flight == 1, timeout=60)
        running.send_signal(signal.SIGINT)
        shown = running.stdout.read(), running.stderr.read()

    assert (running.returncode, *shown) == (130, b"", b"")


def test_a_closed_pipe_ends_the_command_quietly(stage, tmp_path):
    """If the reader of the output ends early, as `head` does, nothing is written about it."""
    file = tmp_path / "lines"
    file.write_text("".join(f"Line {number} {'x' * 200}\n" for number in range(5_000)))

    shell = f"(openrouter-rerank rank Line --lines {file}; echo $? >{tmp_path}/status) | head -n 1"
    done = run_in_shell(stage, shell)

    assert (done.stderr, done.stdout.count("\n")) == ("", 1)
    assert (tmp_path / "status").read_text() == "0\n"


def test_a_console_leaves_a_closed_pipe_to_the_command(monkeypatch):
    """Also where rich writes, a reader that ends early is not a failure."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as pipe:  # noqa: PTH123 - This is the end of a pipe.
        monkeypatch.setattr("sys.stdout", pipe)
        shown = output.console()
        with pytest.raises(BrokenPipeError):
            shown.print("a line")
        output.give_up()


def test_a_closed_output_is_reported(stage):
    """If the standard output is closed, the command says so and fails before it calls."""
    done = run_in_shell(stage, "echo text | openrouter-rerank rank text >&-")

    assert (done.returncode, stage.requests) == (1, [])
    assert done.stderr == "cannot write: the standard output is closed\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("count", [1, 5_000])
def test_a_full_disk_is_reported(stage, count):
    """If the output cannot be written, one line says why, also if it is longer than the buffer."""
    texts = "".join(f"text {number}\n" for number in range(count))
    stage.always(
        lambda request: results(*((at, 1.0) for at in range(len(request.documents))))(request)
    )

    done = run_in_shell(stage, f"openrouter-rerank rank text >/dev/full <<'END'\n{texts}END\n")

    assert done.returncode == 1
    assert only_line(done.stderr) == "cannot write the output: No space left on device"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", ["--help", "models --help"])
def test_help_that_cannot_be_written_is_reported(stage, arguments):
    """The help is written as results are: a full disk is one line, and no traceback."""
    done = run_in_shell(stage, f"openrouter-rerank {arguments} >/dev/full")

    assert done.returncode == 1
    assert only_line(done.stderr) == "cannot write the output: No space left on device"


def test_help_for_a_reader_that_has_ended_is_quiet(stage):
    """If the reader of the help has ended, the status is 0, and nothing is written about it."""
    shell = "(sleep 0.1; openrouter-rerank --help; echo $? >&2) | true"

    assert run_in_shell(stage, shell).stderr == "0\n"


def test_a_closed_output_is_reported_by_the_help(stage):
    """If the standard output is closed, the help says so and fails."""
    done = run_in_shell(stage, "openrouter-rerank --help >&-")

    assert (done.returncode, done.stderr) == (1, "cannot write: the standard output is closed\n")


def test_a_closed_input_is_reported(stage):
    """If the standard input is closed, the command says so and fails."""
    done = run_in_shell(stage, "openrouter-rerank rank text <&-")

    assert done.returncode == 1
    assert done.stderr == "cannot read: the standard input is closed\n"
