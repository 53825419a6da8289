"""
Which plans a short table shows, how they are called, and which questions they change.
"""

from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.result import PlanResult


def leading_plan(findings: Findings) -> PlanResult | None:
    """Return the plan that reports are about: the recommended one, otherwise the best."""
    return findings.recommended or findings.best


def is_recommended(findings: Findings, result: PlanResult) -> bool:
    """Return `True` if `result` is that of the recommended plan."""
    return findings.recommended is not None and findings.recommended.plan == result.plan


def is_marked(findings: Findings, result: PlanResult) -> bool:
    """Return `True` if people are to use the recommended plan `result`, so that tables mark it."""
    return findings.verdict.kind == "yes" and is_recommended(findings, result)


def short_list(findings: Findings) -> list[PlanResult]:
    """
    Return one plan of each model, the recommended one, the best, and the leading plan of two steps.

    The plan of a model is the one at the smallest depth that keeps `settings.keep` of the model's
    largest gain. The plans are in descending order of quality.
    """
    shown = [
        _short_plan(results, findings.settings.keep) for results in by_model(findings).values()
    ]
    shown += [result for result in (findings.recommended, findings.best) if result is not None]
    if (two_step := _two_step(findings)) is not None:
        shown.append(two_step)
    distinct = {result.plan: result for result in shown}.values()
    return sorted(distinct, key=lambda result: (-result.value, result.plan.name))


def by_model(findings: Findings) -> dict[str, list[PlanResult]]:
    """Return the plans of one step of each model, by ascending depth."""
    found: dict[str, list[PlanResult]] = {}
    for result in findings.plans:
        if len(result.plan.steps) == 1:
            found.setdefault(result.plan.steps[0].model, []).append(result)
    for results in found.values():
        results.sort(key=lambda result: result.plan.steps[0].depth)
    return found


def _short_plan(results: list[PlanResult], keep: float) -> PlanResult:
    best = max(results, key=lambda result: result.change)
    enough = best.change * keep if best.change > 0 else best.change
    return next(result for result in results if result.change >= enough)


def _two_step(findings: Findings) -> PlanResult | None:
    """Return the cheapest plan of two steps that equals the leading plan, or the best of them."""
    results = [result for result in findings.plans if len(result.plan.steps) > 1]
    leading = leading_plan(findings)
    equal = [each for each in results if leading is not None and each.value >= leading.value]
    if equal:
        return min(equal, key=lambda each: (_price(each), -each.value))
    return max(results, key=lambda each: each.value, default=None)


def _price(result: PlanResult) -> float:
    return float("inf") if result.price_per_1000 is None else result.price_per_1000


def question_changes(findings: Findings, result: PlanResult) -> dict[str, float]:
    """Return how much better each question is with `result` than with the first stage."""
    before, after = findings.first_stage.per_question, result.per_question
    return {
        question: after[question] - before[question]
        for question in findings.questions
        if question in before and question in after
    }


def short_names(models: list[str]) -> dict[str, str]:
    """Return the part of each model's name after the last slash, if it is theirs alone."""
    ends = {model: model.rsplit("/", 1)[-1] or model for model in models}
    taken = list(ends.values())
    return {model: end if taken.count(end) == 1 else model for model, end in ends.items()}
