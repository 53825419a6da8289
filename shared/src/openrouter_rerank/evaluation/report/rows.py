"""
The plans and the questions of an evaluation as plain dictionaries, for tables and data frames.
"""

from typing import TypeAlias

from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.result import PlanResult

from .selection import is_recommended

Row: TypeAlias = dict[str, str | int | float | bool | None]


def plan_rows(findings: Findings) -> list[Row]:
    """Return one dictionary for the first stage, and one for each plan."""
    return [_plan_row(findings, result) for result in (findings.first_stage, *findings.plans)]


def _plan_row(findings: Findings, result: PlanResult) -> Row:
    first, second = [*result.plan.steps, None, None][:2]
    is_plan = first is not None
    return {
        "plan": result.plan.name,
        "model": first.model if first else None,
        "depth": first.depth if first else None,
        "second_model": second.model if second else None,
        "second_depth": second.depth if second else None,
        "metric": findings.settings.metric,
        "value": result.value,
        "change": result.change if is_plan else None,
        "low": result.interval[0] if is_plan else None,
        "high": result.interval[1] if is_plan else None,
        "p": result.p if is_plan else None,
        "won": result.won if is_plan else None,
        "same": result.same if is_plan else None,
        "lost": result.lost if is_plan else None,
        **result.measures,
        "price_per_1000": result.price_per_1000 if is_plan else None,
        "seconds_p50": result.seconds_p50,
        "seconds_p95": result.seconds_p95,
        "probes": result.probes,
        "is_estimate": result.is_estimate,
        "recommended": is_recommended(findings, result),
        "frontier": any(result.plan == each.plan for each in findings.frontier),
    }


def question_rows(findings: Findings) -> list[Row]:
    """Return one dictionary for each question that counts: its text, and the metric by plan."""
    results = (findings.first_stage, *findings.plans)
    return [
        {
            "question": question,
            "text": findings.collection.questions.get(question, ""),
            **{result.plan.name: result.per_question.get(question) for result in results},
        }
        for question in findings.questions
    ]
