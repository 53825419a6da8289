"""`--check`: the user grades documents in a terminal, which shows how far to trust a judge."""

import json
import os
import signal
import subprocess

import pytest
from openrouter_rerank.cli import main

from tests.cli.program import PROGRAM, TIMEOUT, environment, has_terminals
from tests.evaluation.chat_replies import chats, judging
from tests.evaluation.small_collection import MODELS, small_collection

pytest.importorskip("ir_measures", reason="the evaluation needs ir-measures")

pytestmark = pytest.mark.skipif(not has_terminals, reason="this system has no pseudo-terminals")
JUDGE = "maker/judge"
PROMPT = b"Grade (0 1 2 3 s q): "
HOSTILE = "\x1b]0;title\x07\x1b[2J\rGrade: 3\x08\x9b31m\u202e\u2066 hidden\x00\n\x1b[1A end 5"


@pytest.fixture
def data(stage, tmp_path, monkeypatch):
    """Return the path of a `.jsonl` file without judgements; its last document is hostile."""
    monkeypatch.chdir(tmp_path)
    collection = small_collection(questions=4)
    texts = {**collection.documents, "d3-5": HOSTILE}
    lines = [
        {
            "id": question,
            "query": text,
            "candidates": [
                {"id": document, "text": texts[document]}
                for document in collection.candidates[question]
            ],
        }
        for question, text in collection.questions.items()
    ]
    file = tmp_path / "small.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    # Of each question, the judge calls two documents relevant: those with the ranks 2 and 3.
    stage.always(judging(lambda _, passage, __: min(3, int(passage[-1]) % 4)))
    return file


def check(stage, data, answer, *arguments):
    """
    Run the command on a pseudo-terminal, and press a key at each prompt.

    Args:
        stage: The service.
        data: The questions.
        answer: Gets what the terminal has received since the last key; returns the next key.
        *arguments: Further arguments.

    Returns:
        The exit status, and all that the terminal has received.
    """
    import pty

    ours, theirs = pty.openpty()
    options = ("--model", MODELS[0], "--depths", "6", "--probe", "0", "--judge", JUDGE)
    running = subprocess.Popen(
        [PROGRAM, "evaluate", str(data), *options, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(stage, TERM="xterm-256color", COLUMNS="100"),
        start_new_session=True,
    )
    os.close(theirs)
    received, start = bytearray(), 0
    try:
        # Linux reports an error when the other side is closed.
        while piece := _read(ours):
            received += piece
            if received.endswith(PROMPT):
                shown = received[start:].decode()
                start = len(received)
                key = answer(shown)
                if key == "\x03":
                    running.send_signal(signal.SIGINT)
                else:
                    os.write(ours, key.encode())
        status = running.wait(TIMEOUT)
    finally:
        running.kill()
        running.wait()
        os.close(ours)
    return status, received.decode().replace("\r\n", "\n")


def _read(terminal):
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def truth(shown):
    """Return the key of a user for whom only the documents with the rank 3 are relevant."""
    return "3" if shown.split("Question: ")[0].rstrip()[-1] == "3" else "0"


def keys(*pressed):
    """Return a function that returns these keys, one after another."""
    left = iter(pressed)
    return lambda _: next(left)


def report(data):
    """Return the numbers of the report."""
    return json.loads((data.parent / "evaluation" / "evaluation.json").read_text())


def test_the_user_grades_documents(stage, data):
    """Each document is shown with its question; the sentence has the agreement."""
    prompts = []

    def answer(shown):
        prompts.append(shown)
        return truth(shown)

    status, received = check(stage, data, answer, "--check")

    found = report(data)
    assert status == 0
    assert len(prompts) == 24
    assert " 1 of 24 " in prompts[0]
    assert "completely" in prompts[0]
    assert all("Question: text " in shown for shown in prompts)
    # The judge calls 8 documents relevant, and 4 of these are.
    assert found["verdict"]["sentence"].startswith(
        f"According to {JUDGE}, which agreed with you on 20 of 24: "
    )
    assert any(
        "Of what it calls relevant, 50 % (95 % interval 22 % to 78 %) is. It misses 0 %" in note
        for note in found["notes"]
    )
    assert "which agreed with you on 20 of 24" in received


def test_the_grades_of_the_judge_are_not_shown(stage, data):
    """What is shown does not depend on the grades of the judge."""
    seen = []

    def answer(shown):
        seen[-1].append(shown[shown.index(" of 24 ") :])
        return "0"

    for number, grade in enumerate((0, 3)):
        stage.always(judging(lambda *_, grade=grade: grade))
        seen.append([])
        check(stage, data, answer, "--check", "--out", f"out{number}")

    assert seen[0] == seen[1]


def test_grades_are_kept(stage, data):
    """A later check asks only what is left, and a later run without one counts what is kept."""
    status, _ = check(stage, data, keys("3", "3", "s", "q"), "--check")
    assert status == 0
    assert "of 2:" in report(data)["verdict"]["sentence"]
    count = len(stage.requests)
    prompts = []

    def answer(shown):
        prompts.append(shown)
        return "0"

    check(stage, data, answer, "--check", "5")
    assert len(prompts) == 3
    check(stage, data, answer)
    assert len(prompts) == 3
    assert "of 5:" in report(data)["verdict"]["sentence"]
    assert len(stage.requests) == count


def test_other_keys_are_ignored(stage, data):
    """Letters, arrows and line breaks are not grades; a capital is its letter."""
    status, received = check(stage, data, keys("7x\x1b[A\r2", "S", "Q"), "--check")

    assert status == 0
    assert received.count(PROMPT.decode()) == 3
    assert "of 1:" in report(data)["verdict"]["sentence"]


def test_a_number_of_documents(stage, data):
    """`--check 8` shows eight documents, two of each grade."""
    prompts = []

    def answer(shown):
        prompts.append(int(shown.split("Question: ")[0].rstrip()[-1]) % 4)
        return "1"

    check(stage, data, answer, "--check", "8")

    assert sorted(prompts) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_hostile_documents_are_shown_as_text(stage, data):
    """No character that a terminal obeys is written, and no line is overwritten."""
    _, received = check(stage, data, lambda _: "0", "--check")

    checked = received[received.index("How well") : received.rindex("Grade (")]
    assert "\x1b" not in checked.replace("\x1b[?25h", "")
    assert not {*"\x00\x07\x08\r\x9b\u202e\u2066"} & {*checked}
    assert "\n  \\x1b]0;title\\x07\\x1b[2J\n  Grade: 3\\x08" in checked
    assert "\n  \\x1b[1A end 5\n" in checked


def test_a_poor_judge_makes_the_verdict_unsure(stage, data):
    """If less than half of what a judge calls relevant is relevant, it decides nothing."""
    check(stage, data, lambda _: "0", "--check")

    verdict = report(data)["verdict"]
    assert verdict["kind"] == "unsure"
    assert verdict["sentence"] == (
        f"According to {JUDGE}, which agreed with you on 16 of 24: Not sure: of what it calls "
        "relevant, only 0 % is relevant to you. Use a stronger judge, or a second one that "
        "confirms it."
    )


def test_an_interruption_keeps_the_grades(stage, data):
    """Ctrl-C ends the check with a report and the status 130; grades are kept."""
    status, received = check(stage, data, keys("3", "\x03"), "--check")

    assert status == 130
    assert "interrupted: all answers are kept" in received
    assert "of 1:" in report(data)["verdict"]["sentence"]


def test_the_end_of_the_input_stops_the_check(stage, data):
    """Ctrl-D is a stop."""
    status, _ = check(stage, data, keys("3", "\x04"), "--check")

    assert status == 0
    assert "of 1:" in report(data)["verdict"]["sentence"]


USAGES = [
    (["--check"], "--check checks a judge: name one with --judge"),
    (["--check", "--judge", JUDGE], "--check needs a terminal"),
    (["--check", "0", "--judge", JUDGE], "--check"),
    (["--judge", "a/b", "--judge", "c/d", "--judge", "e/f"], "judge has 3 models"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGES)
@pytest.mark.usefixtures("key_in_environment")
def test_wrong_usage_sends_nothing(stage, data, capsys, arguments, message):
    """`--check` without a judge or without a terminal is refused before anything is paid."""
    assert main(["evaluate", str(data), *arguments]) in {1, 2}

    assert message in capsys.readouterr().err
    assert stage.requests == []


@pytest.mark.usefixtures("key_in_environment")
def test_a_judge_of_a_models_maker_is_warned_about(stage, data, capsys):
    """The warning is on the standard error, before anything is asked."""
    options = ("--model", MODELS[0], "--depths", "6", "--probe", "0", "--judge", "cohere/command")
    assert main(["evaluate", str(data), *options]) == 0

    errors = capsys.readouterr().err
    assert errors.startswith("warning: cohere/command judges cohere/rerank-v3.5 of the same maker")
    assert "18 requests, about $0.0018" in errors
    assert len(chats(stage)) == 24
