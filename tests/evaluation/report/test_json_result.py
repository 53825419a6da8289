"""An evaluation as JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from openrouter_rerank.evaluation.report import json_result
from openrouter_rerank.evaluation.report.json_result import json_text

from tests.evaluation.example_evaluations import CHECKED, example_evaluation

WRITTEN = datetime(2026, 5, 1, 12, tzinfo=UTC)


def read(evaluation, **options):
    """Return the JSON of an evaluation as Python reads it, which refuses NaN."""

    def refuse(name):
        raise AssertionError(name)

    text = json_text(evaluation, **{"command": None, "written": WRITTEN} | options)
    return json.loads(text, parse_constant=refuse)


def test_the_keys_are_those_of_the_documentation():
    """The docstring lists all keys, in their order."""
    listed = [
        name.strip(",")
        for line in json_result.__doc__.splitlines()
        if line.startswith("    ") and line[4] != " "
        for name in line[4:22].split()
        if line[4:22].strip()
    ]

    assert [*read(example_evaluation())] == [
        name for name in listed if name not in {"number", "change"}
    ]


def test_all_numbers_are_there():
    """Each plan has its numbers, and plans refer to each other by name."""
    evaluation = example_evaluation()
    found = read(evaluation, command="openrouter-rerank evaluate data")

    assert found["command"] == "openrouter-rerank evaluate data"
    assert found["written"] == "2026-05-01T12:00:00+00:00"
    assert found["recommended"] == evaluation.recommended.plan.name
    assert found["best"] == evaluation.best.plan.name
    assert found["verdict"]["sentence"] == evaluation.verdict.sentence
    assert found["settings"]["seed"] == 0
    assert found["uses"][0]["served_models"] == ["acme/rerank-lite"]
    for plan, result in zip(found["plans"], evaluation.plans, strict=True):
        assert plan["plan"] == result.plan.name
        assert plan["interval"] == [*result.interval]
        assert plan["steps"] == [
            {"model": step.model, "depth": step.depth} for step in result.plan.steps
        ]
    threshold = next(iter(found["thresholds"].values()))
    assert threshold["relevant"] + threshold["others"] == 6000


def test_what_the_judge_did_is_there():
    """The judges, what they graded and cost, and the agreement are fields."""
    assert read(example_evaluation())["judging"] is None
    assert read(example_evaluation(judging=CHECKED))["judging"] == {
        "judges": ["acme/judge", "lab/second"],
        "documents": 2_819,
        "questions": 60,
        "cost": 0.26,
        "agreement": {
            "checked": 40,
            "agreed": 34,
            "precision": {"value": 0.61, "low": 0.42, "high": 0.77},
            "missed": None,
            "kappa": 0.62,
        },
    }


def test_the_time_is_that_of_utc():
    """A time of another zone is written as UTC."""
    written = datetime(2026, 5, 1, 2, tzinfo=timezone(timedelta(hours=4)))

    assert read(example_evaluation(), written=written)["written"] == "2026-04-30T22:00:00+00:00"


def test_numbers_that_json_does_not_have_are_null():
    """NaN and infinite numbers become `null`."""
    evaluation = example_evaluation()
    first = replace(evaluation.plans[0], p=float("nan"), interval=(float("-inf"), float("inf")))
    found = read(replace(evaluation, plans=(first,), held_out=None, recommended=None, best=None))

    assert found["plans"][0]["p"] is None
    assert found["plans"][0]["interval"] == [None, None]
    assert found["held_out"] is found["recommended"] is found["best"] is None


def test_texts_stay_as_they_are():
    """Letters of all scripts are readable in the file, and texts do not change."""
    evaluation = example_evaluation(rename=lambda text: f"{text} größer 東京 \x00")
    text = json_text(evaluation, command=None, written=WRITTEN)

    assert "größer 東京" in text
    assert read(evaluation)["collection"]["name"] == "scifact größer 東京 \x00"
