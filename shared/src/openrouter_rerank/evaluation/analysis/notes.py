"""
Sentences about an evaluation that a reader must know to trust its numbers.
"""

from collections.abc import Iterator, Sequence

from openrouter_rerank.evaluation.asking.scores import LARGEST_DIFFERENCE, Scores
from openrouter_rerank.evaluation.result import PlanResult

from .calls import Calls
from .costs import retried_probes
from .number_formats import count


def notes_about_questions(
    scores: Scores, calls: Sequence[Calls], *, questions: int, judged: int
) -> Iterator[str]:
    """
    Yield what keeps questions out of the result.

    Args:
        scores: The calls of all models.
        calls: The calls of each model.
        questions: The number of questions that count.
        judged: The number of questions with a relevant document.
    """
    if scores.budget_is_spent:
        yield "The budget is spent. Raise it and run the command again to go on."
    if scores.interrupted:
        yield "The run was interrupted. Run the command again to go on."
    for each in calls:
        failures = scores.failures.get(each.model, {})
        if failures:
            first = failures[min(failures)]
            yield f"{each.model} failed for {count(len(failures), 'question')}: {first}"
        if not each.questions("score"):
            yield f"{each.model} answered no question and is left out."
    if questions < judged:
        yield (
            f"{questions:,} of {count(judged, 'question')} with a relevant document count: the"
            " others have no scores, or not those of every model."
        )


def notes_about_scores(
    scores: Scores, calls: Sequence[Calls], *, depths: Sequence[int], plans: Sequence[PlanResult]
) -> Iterator[str]:
    """
    Yield what is unusual about scores, depths and times.

    Args:
        scores: The calls of all models.
        calls: The calls of each model.
        depths: The depths that were compared.
        plans: The plans that were compared.
    """
    if depths and scores.depths and scores.depths[-1] > depths[-1]:
        yield (
            f"No question has more than {count(depths[-1], 'candidate')}, so larger depths were"
            " left out."
        )
    for each in calls:
        if not each.replays:
            yield _about_replay(each, [*_estimated_depths(each.model, plans)])
        served = sorted({call.served_model for call in each.all if call.served_model})
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
