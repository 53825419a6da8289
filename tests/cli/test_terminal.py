"""What the commands show on a terminal, and what they never write to one."""

import json
import re
import signal
import socket
from pathlib import Path

import pytest
from openrouter_rerank.local.stage import Fault
from rich.cells import cell_len

from tests.cli.program import call, call_on_terminal, has_terminals, run_on_terminal

pytestmark = pytest.mark.skipif(not has_terminals, reason="Windows has no pseudo-terminals")

QUERY = "capital of France"
RANK = ("rank", QUERY)
# Sets the title of the window, clears the screen, goes up, and turns the text around.
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[1A\x9b31m\u202eevil\ud800\x08\x7f\rstart"
# What rich itself writes: colours, and for the progress the cursor and the erased line.
OWN = re.compile(r"\x1b\[(?:\d*(?:;\d+)*m|\?25[lh]|1A|2K)|\r")


def unsafe(text):
    """Return the control characters in a text, without those of colours and of the progress."""
    return re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", OWN.sub("", text))


def test_a_ranking_is_a_table(stage):
    """On a terminal, the ranking is a table with rank, score, source and first words."""
    status, shown = call_on_terminal(stage, *RANK, stdin=b"Berlin\nParis, capital of France\n")

    assert status == 0
    plain = OWN.sub("", shown)
    assert re.search(r"# +score +source +document", plain)
    assert re.search(r"1 +1\.000 +stdin:2 +Paris, capital of France", plain)
    assert "2 of 2 shown, ranked by rerank-v3.5, Stage; cost $0.001" in plain


@pytest.mark.parametrize("width", [10, 20, 40, 60, 80])
def test_a_narrow_terminal_shows_all_scores(stage, width):
    """No score is cut, no line is longer than the terminal, and sources are left out first."""
    lines = "\n".join(f"Paris {number} {'capital of France ' * 20}" for number in range(12))

    _, shown = call_on_terminal(stage, *RANK, width=width, stdin=lines.encode())

    table = [line for line in OWN.sub("", shown).splitlines() if "1.000" in line]
    assert len(table) == 12
    assert max(map(len, table)) <= width
    assert ("stdin:12" in shown) == (width >= 60)


def test_the_width_of_the_terminal_is_found(stage):
    """The installed program asks the terminal for its width."""
    status, shown = run_on_terminal(stage, *RANK, width=45, stdin=b"capital of France " * 9)

    table = [line for line in OWN.sub("", shown).splitlines() if "1.000" in line]
    assert (status, [len(line) for line in table]) == (0, [45])


def test_wide_characters_fit_into_the_terminal(stage, tmp_path, monkeypatch):
    """A character that takes two columns counts as two, also at the end of a cut source."""
    monkeypatch.chdir(tmp_path)
    name = "東京" * 20 + ".txt"
    Path(name).write_text("首都 " * 40, "utf-8")

    _, shown = call_on_terminal(stage, *RANK, name, width=60)

    (line,) = [line for line in OWN.sub("", shown).splitlines() if "首都" in line]
    assert cell_len(line.rstrip()) <= 60
    assert "東京.txt" in line


@pytest.mark.parametrize("width", [20, 60, 80, 100, 160])
@pytest.mark.parametrize("order", ["context", "latency"])
def test_models_on_a_narrow_terminal(stage, width, order):
    """Columns are left out, the sort key last, but no slug, number or price is cut."""
    _, shown = call_on_terminal(stage, "models", "--sort", order, width=width)

    plain = OWN.sub("", shown)
    assert "…" not in plain.partition("\nmodel")[2]
    assert max(map(len, plain.splitlines()[1:])) <= width
    assert (order in plain) == (width >= 80)
    assert ("removed" in plain) == (width == 160)
    assert ("cohere/rerank-v3.5 " in plain) or width == 20


@pytest.mark.parametrize(
    "command", [RANK, ("models",), ("check",), ("check", "--no-call"), ("models", "--sort", "name")]
)
def test_no_color_is_respected(stage, command):
    """With `NO_COLOR`, no colour is written."""
    status, shown = call_on_terminal(stage, *command, stdin=b"Paris\n", NO_COLOR="1")

    assert status == 0
    assert re.findall(r"\x1b\[[0-9;]*3[0-9]m", shown) == []


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_control_characters_of_documents_are_escaped_on_a_terminal(stage, flags):
    """A document cannot move the cursor, hide text or change the title of the window."""
    row = json.dumps(HOSTILE).encode()

    status, shown = call_on_terminal(stage, *RANK, "--jsonl", *flags, stdin=row, width=200)

    assert (status, unsafe(shown)) == (0, [])
    assert "evil" in shown
    assert "owned\x07" not in shown


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_control_characters_of_documents_are_escaped_in_a_pipe(stage, flags):
    """A pipe often ends on a terminal, so control characters are escaped there too."""
    done = call(stage, *RANK, "--jsonl", *flags, stdin=json.dumps(HOSTILE))

    assert (done.returncode, unsafe(done.stdout)) == (0, [])
    assert done.stdout.count("\n") == 1
    if flags:
        assert json.loads(done.stdout)["results"][0]["document"]["text"] == HOSTILE


def test_names_of_files_and_arguments_are_escaped(stage, tmp_path):
    """A name of a file or an option cannot write control characters either."""
    name = tmp_path / "a\x1b[2J\n.txt"
    name.write_text("text")

    ranked = call_on_terminal(stage, *RANK, name, width=300)
    missing = call_on_terminal(stage, *RANK, f"{name}x", width=300)
    unknown = call_on_terminal(stage, "rank", "--\x1b[2J", width=300)

    assert [each[0] for each in (ranked, missing, unknown)] == [0, 1, 2]
    assert [unsafe(each[1]) for each in (ranked, missing, unknown)] == [[], [], []]
    assert "2J" in OWN.sub("", ranked[1])


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (RANK, "ranking with cohere/rerank-v3.5 (documents: 1)"),
        (("models",), "requesting the list of models"),
        (("check",), "checking"),
    ],
)
def test_progress_is_shown_only_on_a_terminal(stage, command, text):
    """The terminal of the standard error shows what is waited for; a pipe shows nothing."""
    status, shown = call_on_terminal(stage, *command, stdin=b"Paris\n", errors_only=True)
    piped = call(stage, *command, stdin=b"Paris\n")

    assert status == 0
    assert text in shown
    # At the end, the line of the progress is erased.
    assert "\x1b[2K" in shown
    assert "0:00" not in piped.stderr + piped.stdout


def test_serve_shows_progress_until_it_is_ready_or_fails(stage):
    """Loading the scorer takes seconds, so a terminal shows it; the error is on its own line."""
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = str(used.getsockname()[1])
        status, shown = call_on_terminal(stage, "serve", "--port", port)

    assert status == 1
    progress, _, rest = shown.rpartition("\x1b[2K")
    assert "loading the local scorer" in progress
    assert rest.startswith(f"cannot serve on 127.0.0.1 port {port}: Address already in use")


def test_progress_is_removed_before_an_error(stage):
    """An error on a terminal is one line, after the progress is erased."""
    stage.always(Fault.hang())

    status, shown = call_on_terminal(stage, *RANK, "--timeout", "0.3", stdin=b"Paris\n")

    assert status == 1
    assert shown.rpartition("\x1b[2K")[2].startswith("DeadlineExceededError: ")


def test_an_interrupt_removes_the_progress(stage):
    """Ctrl-C erases the progress, shows the cursor again and leaves no traceback."""
    stage.always(Fault.hang())

    def interrupt(running):
        stage.wait_until(lambda: stage.in_flight == 1, timeout=60)
        running.send_signal(signal.SIGINT)

    status, shown = run_on_terminal(stage, *RANK, stdin=b"Paris\n", during=interrupt)

    assert status == 130
    assert OWN.sub("", shown.rpartition("\x1b[2K")[2]).strip() == ""
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")


def test_a_terminal_without_escapes_gets_none(stage):
    """On a terminal that only prints, as in some editors, no escape is written."""
    status, shown = call_on_terminal(stage, "check", TERM="dumb")

    assert status == 0
    assert "\x1b" not in shown
    assert "ok       call" in shown


def test_a_terminal_as_input_is_wrong_usage(stage):
    """If nothing is piped in and no file is named, the command says so instead of waiting."""
    status, shown = call_on_terminal(stage, *RANK, stdin=None)

    assert status == 2
    assert "name FILES, or pipe lines into it (see openrouter-rerank rank --help)" in shown


def test_models_are_a_table(stage):
    """On a terminal, the models are a table, and the last line says where the list is from."""
    status, shown = call_on_terminal(stage, "models", width=160)

    assert status == 0
    plain = OWN.sub("", shown)
    assert re.search(r"cohere/rerank-v3\.5 +4096 +1000 +no +search units", plain)
    assert plain.splitlines()[-1].startswith(
        "The list is live. Prices and latencies are built in, as of 20"
    )


@pytest.mark.parametrize("width", [10, 20, 49, 50, 120])
def test_the_steps_of_a_check_are_lines(stage, width):
    """On a terminal, each step has a status and says what was found, however narrow it is."""
    status, shown = call_on_terminal(stage, "check", width=width)

    assert status == 0
    plain = OWN.sub("", shown)
    lines = [line for line in plain.splitlines() if "checking" not in line]
    assert max(map(len, lines)) <= width
    text = "".join(plain.split())
    assert "okkeyfromOPENROUTER_API_KEY" in text
    assert "okcallrankedbyrerank-v3.5,Stage;cost$0.001" in text
