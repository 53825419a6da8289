"""
Computes everything that an evaluation finds from the scores: no clock, no file, no network.

Random numbers come only from the seed of the settings, so the same input has the same result.
"""

from collections.abc import Iterator, Sequence

from openrouter_rerank.evaluation.asking.scores import Scores
from openrouter_rerank.evaluation.asking.total_cost import total_cost
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.result import ModelUse, PlanResult
from openrouter_rerank.evaluation.settings import Settings

from .calls import Calls
from .chance import ROUNDING
from .comparison import Comparison
from .counted_questions import counted_questions, has_relevant
from .findings import Findings
from .notes import notes_about_scores, warnings_about_plans, warnings_about_questions
from .verdict import Facts, verdict


def analyse(collection: Collection, scores: Scores, settings: Settings) -> Findings:
    """
    Compare the first stage with all plans, choose one, and give the verdict.

    Only questions count that have a relevant document and the scores of every model at the largest
    depth. A model without any score is left out.

    Raises:
        ConfigurationError: If ir-measures cannot compute `settings.metric`.
    """
    depths = _depths(collection, scores, settings)
    calls = {model: Calls(scores, model, collection.candidates) for model in settings.models}
    answered = {model: each for model, each in calls.items() if each.questions("score")}
    questions = counted_questions(collection, settings, answered, max(depths, default=0))
    compared = Comparison(collection, settings, questions, depths, answered)
    spent_budget = settings.budget if scores.budget_is_spent else None
    facts = _facts(collection, settings, compared, spent_budget=spent_budget)
    answer, further_sentences = verdict(facts)
    warnings = (
        *collection.notes,
        *warnings_about_questions(
            scores,
            [*calls.values()],
            settings,
            questions=facts.questions,
            judged=_judged(collection),
        ),
        *warnings_about_plans(scores, [*answered.values()], settings, compared),
    )
    return Findings(
        collection=collection,
        settings=settings,
        depths=depths,
        questions=questions,
        first_stage=compared.first_stage,
        plans=compared.results,
        verdict=answer,
        recommended=facts.recommended,
        best=facts.best,
        frontier=_frontier(compared.first_stage, compared.results),
        ceiling=facts.ceiling,
        found=facts.found,
        held_out=facts.held_out,
        visible_change=compared.visible_change(),
        questions_needed=facts.questions_needed,
        thresholds=compared.thresholds(),
        uses=tuple(_use(each, scores) for each in calls.values()),
        cost=total_cost(call.cost for call in scores.calls),
        warnings=warnings,
        notes=(
            *warnings,
            *_notes([*answered.values()], facts, compared),
            *further_sentences,
        ),
        is_complete=not (
            scores.budget_is_spent
            or scores.interrupted
            or any(scores.failures.get(model) for model in settings.models)
            or any(scores.failed_probes.values())
        ),
    )


def _facts(
    collection: Collection,
    settings: Settings,
    compared: Comparison,
    *,
    spent_budget: float | None,
) -> Facts:
    return Facts(
        metric=settings.metric,
        worth=settings.worth,
        has_judgements=any(has_relevant(collection, each) for each in collection.judgements),
        judges_irrelevant=_judges_irrelevant(collection),
        questions=len(compared.first_stage.per_question),
        depth=compared.width,
        first_stage=compared.first_stage,
        plans=compared.results,
        recommended=compared.recommended,
        best=compared.best,
        held_out=compared.held_out(),
        questions_needed=compared.questions_needed(),
        ceiling=compared.ceiling(),
        found=compared.found(),
        spent_budget=spent_budget,
    )


def _depths(collection: Collection, scores: Scores, settings: Settings) -> tuple[int, ...]:
    """Return the depths that differ, as no candidate list is longer than the longest."""
    longest = max(map(len, collection.candidates.values()), default=0)
    depths = {min(depth, longest) for depth in scores.depths or settings.depths}
    return tuple(sorted(depths - {0}))


def _judged(collection: Collection) -> int:
    """Return the number of questions with a relevant document."""
    return sum(has_relevant(collection, each) for each in collection.questions)


def _judges_irrelevant(collection: Collection) -> bool:
    return any(grade <= 0 for each in collection.judgements.values() for grade in each.values())


def _use(calls: Calls, scores: Scores) -> ModelUse:
    return ModelUse(
        model=calls.model,
        questions=len(calls.questions("score")),
        failed=len(scores.failures.get(calls.model, {})),
        cost=total_cost(call.cost for call in calls.all),
        served_models=tuple(sorted(calls.served_models)),
        providers=tuple(sorted({call.provider for call in calls.all if call.provider})),
        replays=calls.replays,
        is_checked=calls.is_checked,
    )


def _frontier(first_stage: PlanResult, plans: Sequence[PlanResult]) -> tuple[PlanResult, ...]:
    """Return the plans that are better than all that cost no more, cheapest first."""
    priced = [(plan.price_per_1000, plan) for plan in plans if plan.price_per_1000 is not None]
    found: list[PlanResult] = []
    highest = first_stage.value
    for _, plan in sorted(priced, key=lambda pair: (pair[0], -pair[1].value)):
        if plan.value > highest + ROUNDING:
            found.append(plan)
            highest = plan.value
    return tuple(found)


def _notes(calls: Sequence[Calls], facts: Facts, compared: Comparison) -> Iterator[str]:
    yield from notes_about_scores(calls, compared)
    if facts.has_judgements and not facts.judges_irrelevant:
        yield (
            "No document is judged as not relevant, so the judgements may name only some of the"
            " relevant documents."
        )
