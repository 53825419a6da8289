"""The soak test with a short run. `make soak MINUTES=60` runs it for an hour."""

import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from openrouter_rerank import RankedDocument, Ranking

from tests import starvation
from tests.repetitions import repetitions
from tests.soak import lag
from tests.soak.call import Call, random_call
from tests.soak.measurements import CallMeasurements, ProcessMeasurements
from tests.soak.soak import LIBRARIES, record, table

ROOT = Path(__file__).parents[2]
MINUTES = repetitions(local="0.1", ci="0.5")


def test_a_soak_breaks_no_promise():
    """With faults, cancelled calls and restarts, nothing is lost, untyped, late or left behind."""
    run = subprocess.run(
        # A new interpreter, so that its memory and descriptors are only those of the clients.
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


CALL = Call("a", ["b x", "a x", "c x", "a x"], None)


def ranking(*pairs):
    """Return a ranking with these results."""
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
def test_a_call_accepts_only_its_ranking(top_n, pairs, is_right):
    """A call accepts its own ranking, and no ranking with any fault."""
    assert replace(CALL, top_n=top_n).is_right(ranking(*pairs)) is is_right


def test_random_calls_have_different_words():
    """No two calls have a word in common, so the ranking of one is wrong for all others."""
    rng = random.Random(1)
    calls = [random_call(rng) for _ in range(200)]

    words = [word for each in calls for word in {d.split()[0] for d in each.documents}]

    assert len(words) == len(set(words))
    assert {len(set(each.documents)) == len(each.documents) for each in calls} == {True, False}


def raising(error):
    """Return an outcome that raises `error`."""

    def outcome():
        raise error

    return outcome


@pytest.mark.parametrize(
    ("outcome", "flaw"),
    [
        pytest.param(raising(KeyError(1)), "t: 1 x untyped KeyError", id="untyped"),
        pytest.param(lambda: ranking((0, 1.0)), "mixed up", id="wrong"),
        pytest.param(raising(TimeoutError()), "untyped TimeoutError", id="builtin"),
    ],
)
def test_a_wrong_outcome_is_a_flaw(outcome, flaw):
    """The soak test reports untyped errors and wrong rankings."""
    measurements = CallMeasurements("t")

    record(measurements, CALL, outcome, started=0)

    assert any(flaw in each for each in measurements.flaws(1e9))


def test_late_calls_are_a_flaw():
    """Late calls are reported if they are more than five, and more than one in a thousand."""
    measurements = CallMeasurements("t")
    measurements.ranked = 5000
    for seconds in (*[0.01] * 4995, *[1.2] * 5):
        measurements.took(seconds)
    assert list(measurements.flaws(1.1)) == []

    measurements.took(1.2)

    assert list(measurements.flaws(1.1)) == ["t: 6 of 5000 calls took longer than 1.1 s"]
    assert (measurements.percentile(0.5), measurements.longest) == (0.011, 1.2)


def test_a_call_that_the_machine_has_delayed_is_not_late():
    """Time in which threads had no processor does not count as lateness. All other time does."""
    measurements = CallMeasurements("t", lag=lambda started: 0.5)
    measurements.ranked = 20

    for _ in range(10):
        record(measurements, CALL, lambda: ranking(*RIGHT), started=time.monotonic() - 1.2)
    assert list(measurements.flaws(1.1)) == []
    assert measurements.percentile(0.5) > 1.2

    for _ in range(10):
        record(measurements, CALL, lambda: ranking(*RIGHT), started=time.monotonic() - 2)
    assert list(measurements.flaws(1.1)) == ["t: 10 of 40 calls took longer than 1.1 s"]


def test_the_lag_of_a_call_begins_with_the_call(monkeypatch):
    """A delay by the machine before the start of a call does not count for the call."""
    waited = {"1": 0.0, "2": 0.0}
    for module in (starvation, lag):
        monkeypatch.setattr(module, "waits", waited.copy)
    found = lag.Lag()

    waited |= {"1": 3.0, "2": 1.0}
    found.sample()
    started = time.monotonic()
    waited |= {"1": 3.25, "2": 1.5, "3": 0.125}

    assert (found.since(started), found.total()) == (0.5, 3.25)


def test_too_many_typed_errors_are_a_flaw():
    """The soak test reports a client if fewer than 80 % of its calls have a ranking."""
    measurements = CallMeasurements("t")
    measurements.ranked = 10
    measurements.typed["APIConnectionError"] = 10

    assert list(measurements.flaws(1.1)) == ["t: only 10 of 20 calls have a ranking"]


def test_growth_is_a_flaw():
    """The soak test reports memory and descriptors that grow after the first quarter."""
    process = ProcessMeasurements()
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
    """Each kind of client has one row in the Markdown table."""
    rows = list(table([CallMeasurements(name) for name in LIBRARIES]))

    assert [row.count("|") for row in rows] == [10] * (2 + len(LIBRARIES))
