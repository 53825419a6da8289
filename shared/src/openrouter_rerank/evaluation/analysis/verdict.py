"""
The sentences that answer whether reranking is worth it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openrouter_rerank.budget import shown_dollars
from openrouter_rerank.evaluation.result import HeldOut, Plan, PlanResult, Verdict, VerdictKind

from .chance import LEVEL, ROUNDING
from .measures import JUDGED
from .number_formats import change, percent, price, probability, seconds

HALVES_WITH_GAIN = 0.95
JUDGED_LESS = 0.05
"""If a plan shows this many fewer judged documents, its value may be too low."""
SHARE_OF_GAIN, SHARE_OF_PRICE = 0.75, 0.5
"""A plan with this share of the gain, at less than this share of the price, is worth a sentence."""
NOT_FOUND = 0.2
LITTLE = 0.03
MANY_QUESTIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the verdict depends on. The fields with the names of `Evaluation` mean the same."""

    metric: str
    worth: float
    has_judgements: bool
    """`False` if no question has a document that is judged as relevant."""
    judges_irrelevant: bool
    """`True` if some document is judged as not relevant."""
    questions: int
    """The number of questions that count."""
    depth: int
    """The largest depth."""
    first_stage: PlanResult
    plans: Sequence[PlanResult]
    recommended: PlanResult | None
    best: PlanResult | None
    held_out: HeldOut | None
    questions_needed: int | None
    ceiling: Mapping[int, float]
    found: float
    spent_budget: float | None = None
    """US dollars; `None` if no limit of the evaluation is spent."""


def verdict(facts: Facts) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict, and further sentences for the notes."""
    plan = facts.recommended or facts.best
    if plan is None or facts.held_out is None:
        sentence = f"Not sure: {_too_little(facts)}"
        return Verdict(kind="unsure", sentence=sentence, small_print=""), ()
    if _lacks_judgements(facts, plan):
        kind, sentence = _unjudged(facts, plan)
        more: list[str] = []
    else:
        kind, sentence = _answer(facts, plan, facts.held_out)
        more = _additions(facts, kind)
    return (
        Verdict(
            kind=kind,
            sentence=" ".join((sentence, *more[:1])),
            small_print=_small_print(facts, plan, facts.held_out),
        ),
        tuple(more[1:]),
    )


def _too_little(facts: Facts) -> str:
    if not facts.has_judgements:
        return (
            "no question has a document that is judged as relevant. Add judgements, or let a model"
            " judge with --judge."
        )
    if facts.best is None or not facts.questions:
        if facts.spent_budget is not None:
            # Two decimals would hide a small budget.
            budget = shown_dollars(facts.spent_budget) if facts.spent_budget else "$0"
            return f"no question has scores. The budget of {budget} is spent: raise --budget."
        return "no judged question has scores. Run the command again."
    return "only 1 question has judgements and scores. Add questions."


def _answer(facts: Facts, plan: PlanResult, held_out: HeldOut) -> tuple[VerdictKind, str]:
    if facts.recommended is None:
        value = _numbers(facts.first_stage.value)[0]
        return "no", (
            f"Not worth it: no reranking lifts {facts.metric} above the {value} of the first stage."
        )
    lift = f"{phrase(plan.plan)} lifts {facts.metric} {_from_to(facts.first_stage, plan)}"
    if plan.p >= LEVEL:
        if max(each.interval[1] for each in facts.plans) < facts.worth:
            return "no", (
                f"Not worth it: {lift}. This may be chance, and no plan gains as much as"
                f" {facts.worth:g}: the 95 % intervals of all plans end below it."
            )
        return "unsure", (
            f"Not sure: {lift}, but with {facts.questions:,} questions this may be chance."
            f" {_needed(facts)}"
        )
    if plan.change < facts.worth - ROUNDING:
        return "no", (
            f"Not worth it: {lift}. The gain is real but small: less than {facts.worth:g}."
        )
    if held_out.share_positive < HALVES_WITH_GAIN:
        return "unsure", (
            f"Not sure: {lift}, but a plan chosen on half of the questions improves the other half"
            f" in only {percent(held_out.share_positive)} of the trials. {_needed(facts)}"
        )
    return "yes", f"Worth it: {lift}{_price_and_time(plan)}."


def _lacks_judgements(facts: Facts, plan: PlanResult) -> bool:
    """Return `True` if a plan may look bad only because its documents have no judgement."""
    fewer = facts.first_stage.measures[JUDGED] - plan.measures[JUDGED]
    is_doubtful = plan.change < 0 or plan.p >= LEVEL
    return facts.judges_irrelevant and fewer > JUDGED_LESS and is_doubtful


def _unjudged(facts: Facts, plan: PlanResult) -> tuple[VerdictKind, str]:
    before, after = facts.first_stage.measures[JUDGED], plan.measures[JUDGED]
    return "unsure", (
        f"Not sure: {phrase(plan.plan)} puts more documents first that have no judgement, and these"
        f" count as not relevant. Of its first 10 documents {percent(after)} are judged, of the"
        f" first stage's {percent(before)}. Let a model judge the others with --judge."
    )


def _needed(facts: Facts) -> str:
    needed = facts.questions_needed
    if needed is None or needed <= facts.questions:
        return "More questions are needed to know."
    if needed > MANY_QUESTIONS:
        return f"More than {MANY_QUESTIONS:,} questions are needed to know."
    return f"About {needed:,} questions are needed to know."


def _price_and_time(plan: PlanResult) -> str:
    duration = plan.seconds_p50
    if plan.price_per_1000 is None:
        time = "" if duration is None else f" and takes {seconds(duration)} a question"
        return f"{time}; its price is unknown"
    if not plan.price_per_1000:
        return "" if duration is None else f" and takes {seconds(duration)} a question"
    time = "" if duration is None else f" and {seconds(duration)} a question"
    return f" for {price(plan.price_per_1000)} per 1,000 questions{time}"


def _additions(facts: Facts, kind: VerdictKind) -> list[str]:
    """Return the sentences that may follow, the most useful first."""
    found: list[str] = []
    if kind == "yes" and (cheaper := _cheaper(facts)):
        found.append(cheaper)
    if 1 - facts.found > NOT_FOUND:
        found.append(
            f"For {percent(1 - facts.found)} of the questions, no relevant document is among the"
            f" {facts.depth:,} candidates: improve the retriever first."
        )
    ceiling = facts.ceiling[facts.depth]
    if kind != "yes" and ceiling - facts.first_stage.value <= LITTLE:
        found.append(
            f"There is little to gain: a perfect order of the {facts.depth:,} candidates reaches"
            f" {_numbers(ceiling)[0]}."
        )
    return found


def _cheaper(facts: Facts) -> str | None:
    chosen = facts.recommended
    if chosen is None or not chosen.price_per_1000:
        return None
    cheaper = [
        plan
        for plan in facts.plans
        if plan.price_per_1000 is not None
        and plan.price_per_1000 < SHARE_OF_PRICE * chosen.price_per_1000
        and plan.change >= SHARE_OF_GAIN * chosen.change
    ]
    if not cheaper:
        return None
    plan = min(cheaper, key=lambda plan: (-plan.change, plan.price_per_1000))
    cost = f"for {price(plan.price_per_1000)}" if plan.price_per_1000 else "for free"
    share = plan.change / chosen.change
    return f"{phrase(plan.plan)} brings {percent(share)} of this gain {cost}."


def _small_print(facts: Facts, plan: PlanResult, held_out: HeldOut) -> str:
    low, high = plan.interval
    count = len(facts.plans)
    together = f", for all {count} plans together" if count > 1 else ""
    estimate = (
        " This plan is an estimate from the scores at the largest depth."
        if plan.is_estimate
        else ""
    )
    return (
        f"95 % interval {change(low)} to {change(high)}, p {probability(plan.p)}{together}; chosen"
        f" on one half, measured on the other: {change(held_out.mean)}.{estimate}"
    )


def phrase(plan: Plan) -> str:
    """Return the words for a plan, such as `a/small over 100 candidates, then b/large over 10`."""
    first, *others = plan.steps
    return "".join(
        (
            f"{first.model} over {first.depth:,} candidates",
            *(f", then {step.model} over the best {step.depth:,}," for step in others),
        )
    )


def _from_to(before: PlanResult, after: PlanResult) -> str:
    first, second = _numbers(before.value, after.value)
    return f"from {first} to {second}"


def _numbers(*values: float) -> list[str]:
    """Return values with as many decimals, three or more, as they need to differ."""
    differs = (
        decimals
        for decimals in range(3, 6)
        if len({f"{value:.{decimals}f}" for value in values}) == len(values)
    )
    decimals = next(differs, 6)
    return [f"{value:.{decimals}f}" for value in values]
