"""
An evaluation as JSON: `evaluation.json`, and what `--json` prints.

The keys are stable. New versions may add keys.

    format              1; another number if a key changes its meaning
    written             when it was written, ISO 8601, UTC
    command             the command line, or `null` if a program made it
    versions            of Python and of the packages that decide about the numbers
    collection          `name`, `first_stage`, and the numbers of `questions` and `documents`
    settings            the options, by their names in Python
    is_complete         `false` if the budget was spent, questions failed, or it was interrupted
    questions           how many questions count: judged, with a relevant document, and asked
    found               the share of questions with a relevant document among the candidates
    verdict             `kind` (`yes`, `no` or `unsure`), `sentence`, `small_print`
    first_stage         a plan without steps: only `plan`, `value` and `measures` say something
    plans               for each plan: `plan` (its name), `steps` (`model`, `depth`), `value`,
                        `change`, `interval` (two numbers), `p`, `won`, `same`, `lost`,
                        `measures` (by name), `price_per_1000`, `seconds_p50`, `seconds_p95`,
                        `probes`, `is_estimate`
    recommended, best   the name of a plan, or `null`
    frontier            the names of the plans that no cheaper plan equals, cheapest first
    ceiling             the metric of a perfect order, by depth
    held_out            `mean`, `low`, `high`, `share_positive`, or `null`
    visible_change      the smallest change that this number of questions shows in 80 % of the
                        cases, or `null`
    questions_needed    how many questions would show the change of the plan, or `null`
    thresholds          by model: all fields of `Threshold` but the scores, and `relevant` and
                        `others`, the numbers of these
    uses                what was asked of each model: all fields of `ModelUse`
    judging             `null` without a judge; otherwise `judges`, `documents` and `questions` that
                        have grades, `cost`, and `agreement` with the user: `checked`, `agreed`,
                        `precision` and `missed` (`value`, `low`, `high`) and `kappa`, or `null`
    cost                US dollars of everything, or `null` if unknown
    notes               sentences about the data and the run
    warnings            those of `notes` that say what is missing
    runs                the plan of each file in the folder `runs`, by the name of the file

Prices are US dollars, times are seconds, and shares are from 0 to 1. Numbers that are not finite
are `null`.
"""

import json
import platform
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from typing import TypeAlias

from openrouter_rerank._version import __version__
from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.result import (
    Agreement,
    HeldOut,
    Judging,
    ModelUse,
    PlanResult,
    Share,
    Threshold,
    Verdict,
)
from openrouter_rerank.evaluation.settings import Settings

from .trec_runs import run_file, runs

_Scalar: TypeAlias = bool | int | float | str | None
_Record: TypeAlias = (
    Settings | Verdict | HeldOut | ModelUse | Threshold | Judging | Agreement | Share
)
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_PACKAGES = ("ir-measures", "numpy")
_SCORES = {"relevant_scores": "relevant", "other_scores": "others"}


def json_text(findings: Findings, *, command: str | None, written: datetime) -> str:
    """
    Return the JSON of an evaluation, indented, with a line break at its end.

    Args:
        findings: The evaluation.
        command: The command line, or `None` if it was made by a program.
        written: The time now.
    """
    document = as_json(findings, command=command, written=written)
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def as_json(findings: Findings, *, command: str | None, written: datetime) -> dict[str, Json]:
    """Return an evaluation as JSON values. The docstring of this module lists the keys."""
    collection = findings.collection
    return {
        "format": 1,
        "written": written.astimezone(UTC).isoformat(timespec="seconds"),
        "command": command,
        "versions": _versions(),
        "collection": {
            "name": collection.name,
            "first_stage": collection.first_stage,
            "questions": len(collection.questions),
            "documents": len(collection.documents),
        },
        "settings": _fields(findings.settings),
        "is_complete": findings.is_complete,
        "questions": len(findings.questions),
        "found": _number(findings.found),
        "verdict": _fields(findings.verdict),
        "first_stage": _plan(findings.first_stage),
        "plans": [_plan(each) for each in findings.plans],
        "recommended": findings.recommended.plan.name if findings.recommended else None,
        "best": findings.best.plan.name if findings.best else None,
        "frontier": [each.plan.name for each in findings.frontier],
        "ceiling": {str(depth): _number(value) for depth, value in findings.ceiling.items()},
        "held_out": _fields(findings.held_out) if findings.held_out else None,
        "visible_change": _number(findings.visible_change),
        "questions_needed": findings.questions_needed,
        "thresholds": {model: _threshold(each) for model, each in findings.thresholds.items()},
        "uses": [_fields(each) for each in findings.uses],
        "judging": _fields(findings.judging) if findings.judging else None,
        "cost": _number(findings.cost),
        "notes": [
            *collection.notes,
            *(each for each in findings.notes if each not in collection.notes),
        ],
        "warnings": [*findings.warnings],
        "runs": {run_file(name): each.plan.name for name, each in runs(findings).items()},
    }


def _plan(result: PlanResult) -> Json:
    return {
        "plan": result.plan.name,
        "steps": [{"model": step.model, "depth": step.depth} for step in result.plan.steps],
        "value": _number(result.value),
        "change": _number(result.change),
        "interval": [_number(bound) for bound in result.interval],
        "p": _number(result.p),
        "won": result.won,
        "same": result.same,
        "lost": result.lost,
        "measures": {name: _number(value) for name, value in result.measures.items()},
        "price_per_1000": _number(result.price_per_1000),
        "seconds_p50": _number(result.seconds_p50),
        "seconds_p95": _number(result.seconds_p95),
        "probes": result.probes,
        "is_estimate": result.is_estimate,
    }


def _threshold(threshold: Threshold) -> Json:
    return {
        _SCORES.get(name, name): len(getattr(threshold, name)) if name in _SCORES else value
        for name, value in _fields(threshold).items()
    }


def _fields(value: _Record) -> dict[str, Json]:
    return {each.name: _value(getattr(value, each.name)) for each in fields(value)}


def _value(value: _Scalar | tuple[_Scalar, ...] | _Record) -> Json:
    if isinstance(value, _Record):
        return _fields(value)
    if isinstance(value, tuple):
        return [_value(each) for each in value]
    return _number(value) if isinstance(value, float) else value


def _number(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _versions() -> dict[str, Json]:
    found: dict[str, Json] = {
        "python": platform.python_version(),
        "openrouter-rerank": __version__,
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
