"""The soak, at the size of a test run; `make soak MINUTES=60` is the same for an hour."""

import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from openrouter_rerank import RankedDocument, Ranking

from tests import starvation
from tests.soak import lag
from tests.soak.question import Question, asked
from tests.soak.soak import LIBRARIES, judged, table
from tests.soak.tally import Process, Tally

ROOT = Path(__file__).parents[2]
# A full minute where a change is judged; at the desk, half of one finds nearly as much.
MINUTES = "1" if "CI" in os.environ else "0.5"


def test_a_soak_breaks_no_promise():
    """With faults, cancellations and restarts nothing is lost, untyped, late, or left behind."""
    run = subprocess.run(
        # In an interpreter of its own, whose memory and descriptors are those of the clients.
        [
            *(sys.executable, "-W", "error", "-m", "tests.soak.soak"),
            *("--minutes", MINUTES, "--seed", "20", "--slack", "0.5"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert run.stdout.count("connections |") == 2
    assert run.stdout.count("httpx") == 4
    assert run.stdout.endswith("no promise was broken\n")


QUESTION = Question("a", ["b x", "a x", "c x", "a x"], None)


def ranking(*pairs):
    """A ranking of these results."""
    return Ranking(results=tuple(RankedDocument(*p) for p in pairs), model="m", requests=())


RIGHT = [(1, 1.0), (3, 1.0), (0, 0.0), (2, 0.0)]


@pytest.mark.parametrize(
    ("top_n", "pairs", "is_right"),
    [
        pytest.param(None, RIGHT, True, id="right"),
        pytest.param(2, RIGHT[:2], True, id="right and cut"),
        pytest.param(9, RIGHT, True, id="right and not cut"),
        pytest.param(None, RIGHT[:3], False, id="lost"),
        pytest.param(2, RIGHT, False, id="not cut"),
        pytest.param(None, [*RIGHT[:3], RIGHT[0]], False, id="doubled"),
        pytest.param(None, [*RIGHT, (4, 0.0)], False, id="invented"),
        pytest.param(None, [(index, 0.0) for index in range(4)], False, id="of another call"),
        pytest.param(None, [RIGHT[1], RIGHT[0], *RIGHT[2:]], False, id="out of order"),
    ],
)
def test_the_right_answer_is_told_from_others(top_n, pairs, is_right):
    """Only the one ranking that answers a question is taken for its answer."""
    assert replace(QUESTION, top_n=top_n).is_answered_by(ranking(*pairs)) is is_right


def test_questions_do_not_answer_each_other():
    """No two questions share a word, so the answer to one is wrong for all others."""
    chance = random.Random(1)
    questions = [asked(chance) for _ in range(200)]

    words = [word for each in questions for word in {d.split()[0] for d in each.documents}]

    assert len(words) == len(set(words))
    assert {len(set(each.documents)) == len(each.documents) for each in questions} == {True, False}


def raised(error):
    """A call that raises."""

    def call():
        raise error

    return call


@pytest.mark.parametrize(
    ("call", "flaw"),
    [
        pytest.param(raised(KeyError(1)), "t: 1 x untyped KeyError", id="untyped"),
        pytest.param(lambda: ranking((0, 1.0)), "mixed up", id="wrong"),
        pytest.param(raised(TimeoutError()), "untyped TimeoutError", id="builtin"),
    ],
)
def test_what_is_wrong_is_noted(call, flaw):
    """An untyped error and a wrong ranking are flaws of the soak."""
    tally = Tally("t")

    judged(tally, QUESTION, call, started=0)

    assert any(flaw in each for each in tally.flaws(1e9))


def test_a_late_call_is_noted():
    """More than one call in a thousand beyond the deadline is a flaw."""
    tally = Tally("t")
    tally.ranked = 5000
    for seconds in (*[0.01] * 4995, *[1.2] * 5):
        tally.took(seconds)
    assert list(tally.flaws(1.1)) == []

    tally.took(1.2)

    assert list(tally.flaws(1.1)) == ["t: 6 of 5000 calls took longer than 1.1 s"]
    assert (tally.percentile(0.5), tally.longest) == (0.011, 1.2)


def test_a_call_that_the_machine_has_kept_waiting_is_not_late():
    """The time in which threads had no processor does not count, and any other time does."""
    tally = Tally("t", lag=lambda started: 0.5)
    tally.ranked = 20

    for _ in range(10):
        judged(tally, QUESTION, lambda: ranking(*RIGHT), started=time.monotonic() - 1.2)
    assert list(tally.flaws(1.1)) == []
    assert tally.percentile(0.5) > 1.2

    for _ in range(10):
        judged(tally, QUESTION, lambda: ranking(*RIGHT), started=time.monotonic() - 2)
    assert list(tally.flaws(1.1)) == ["t: 10 of 40 calls took longer than 1.1 s"]


def test_the_lag_of_a_call_is_that_since_its_start(monkeypatch):
    """What the machine has kept waiting before a call began does not excuse it."""
    waited = {"1": 0.0, "2": 0.0}
    for module in (starvation, lag):
        monkeypatch.setattr(module, "waits", waited.copy)
    found = lag.Lag()

    waited |= {"1": 3.0, "2": 1.0}
    found.sample()
    started = time.monotonic()
    waited |= {"1": 3.25, "2": 1.5, "3": 0.125}

    assert (found.since(started), found.in_all()) == (0.5, 3.25)


def test_a_client_that_has_stopped_working_is_noted():
    """Errors of the right type are a flaw as well when they are most of what comes."""
    tally = Tally("t")
    tally.ranked = 10
    tally.typed["APIConnectionError"] = 10

    assert list(tally.flaws(1.1)) == ["t: only 10 of 20 calls have a ranking"]


def test_growth_is_noted():
    """Memory and descriptors that grow after warming up are flaws."""
    process = Process()
    process.memory = [0, 50 << 20, 60 << 20, 60 << 20, 65 << 20, 65 << 20, 90 << 20, 90 << 20]
    process.descriptors = [5, 30, 30, 30, 30, 30, 60, 60]

    flaws = list(process.flaws(before=0))

    assert flaws[:2] == [
        "memory has grown by 30.0 MiB",
        "there are 30 more descriptors than in the beginning",
    ]
    assert flaws[2].endswith("are left open")
    assert not any("descriptors than" in flaw for flaw in process.flaws(before=0, lost=6))
    process.memory = process.descriptors = [50] * 8
    assert list(process.flaws(before=10_000)) == []


def test_the_table_has_a_row_for_each_client():
    """The figures of each kind of client stand in a row of Markdown."""
    rows = list(table([Tally(name) for name in LIBRARIES]))

    assert [row.count("|") for row in rows] == [10] * (2 + len(LIBRARIES))
