"""
Sentences about an evaluation that a reader must know to trust its numbers.
"""

from collections.abc import Iterator, Sequence

from openrouter_rerank.evaluation.asking.scores import LARGEST_DIFFERENCE, Scores
from openrouter_rerank.evaluation.result import PlanResult
from openrouter_rerank.evaluation.settings import Settings

from .calls import Calls
from .comparison import Comparison
from .costs import retried_probes
from .number_formats import count


def warnings_about_questions(
    scores: Scores, calls: Sequence[Calls], settings: Settings, *, questions: int, judged: int
) -> Iterator[str]:
    """
    Yield what keeps questions out of the result.

    Args:
        scores: The calls of all models.
        calls: The calls of each model.
        settings: What was asked for.
        questions: The number of questions that count.
        judged: The number of questions with a relevant document.
    """
    if scores.budget_is_spent:
        yield (
            "The budget is 0, so only kept answers count. Raise it to ask the models."
            if settings.budget == 0
            else "The budget is spent. Run the command again to go on: each run has its own budget."
        )
    if scores.interrupted:
        yield "The run was interrupted. Run the command again to go on."
    for each in calls:
        failures = scores.failures.get(each.model, {})
        if failures:
            first = failures[min(failures)]
            yield f"{each.model} failed for {count(len(failures), 'question')}: {first}"
        if probes := scores.failed_probes.get(each.model):
            yield (
                f"{count(probes, 'probe')} of {each.model} failed, so less is known of its times"
                " and prices. Run the command again to ask them."
            )
        if not each.questions("score"):
            yield f"{each.model} answered no question and is left out."
    if questions < judged:
        yield (
            f"{questions:,} of {count(judged, 'question')} with a relevant document count: the"
            " others have no scores, or not those of every model."
        )


def warnings_about_plans(
    scores: Scores, calls: Sequence[Calls], settings: Settings, compared: Comparison
) -> Iterator[str]:
    """
    Yield what keeps models, depths and plans from being what was asked for.

    Args:
        scores: The calls of all models.
        calls: The calls of each model that answered.
        settings: What was asked for.
        compared: The depths and plans that were compared.
    """
    depths = compared.depths
    if depths and scores.depths and scores.depths[-1] > depths[-1]:
        yield (
            f"No question has more than {count(depths[-1], 'candidate')}, so larger depths were"
            " left out."
        )
    names: dict[str, list[str]] = {}
    for each in calls:
        for served in sorted(each.served_models):
            names.setdefault(served, []).append(each.model)
    for served, models in names.items():
        if len(models) > 1:
            yield f"{served} answered for {' and '.join(models)}: they are one model here."
    has_two_steps = any(len(each.plan.steps) > 1 for each in compared.results)
    if settings.two_step and compared.results and not has_two_steps:
        yield "No plan of two steps: " + (
            "no model is known to cost less than half of another whose scores do not depend on the"
            " other documents of a request."
            if len(depths) > 1
            else "they need more than one depth."
        )


def notes_about_scores(calls: Sequence[Calls], compared: Comparison) -> Iterator[str]:
    """
    Yield what is unusual about scores and times.

    Args:
        calls: The calls of each model that answered.
        compared: The depths and plans that were compared.
    """
    for each in calls:
        if not each.replays:
            yield _about_replay(each, [*_estimated_depths(each.model, compared.results)])
        elif not each.is_checked and len(compared.depths) > 1:
            yield (
                f"No probe has checked that the scores of {each.model} are the same at smaller"
                " depths."
            )
        served = sorted(each.served_models)
        if len(served) > 1:
            yield (
                f"{each.model} was served by several models ({', '.join(served)}), so its scores"
                " and prices may differ between calls."
            )
        retried, probes = retried_probes(each)
        if retried:
            yield (
                f"{retried} of {count(probes, 'probe')} of {each.model} had to be retried and do"
                " not count for the times."
            )


def _estimated_depths(model: str, plans: Sequence[PlanResult]) -> Iterator[str]:
    for each in plans:
        step = each.plan.steps[0]
        if each.is_estimate and step.model == model:
            yield f"@{step.depth}"


def _about_replay(calls: Calls, estimated: Sequence[str]) -> str:
    by = f" by up to {calls.difference:.2g}" if calls.difference > LARGEST_DIFFERENCE else ""
    when = "with the other documents of a request"
    if calls.differs_when_repeated:
        when = "when the same request is repeated"
    first = f"The scores of {calls.model} change{by} {when}"
    if estimated:
        return (
            f"{first}. Not each depth was asked for all questions, so its values at"
            f" {', '.join(estimated)} are estimates from the largest depth."
        )
    return f"{first}, so each depth was asked."
