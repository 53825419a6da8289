"""
All numbers of an evaluation. `Evaluation` adds what users do with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.result import (
    HeldOut,
    Judging,
    ModelUse,
    PlanResult,
    Threshold,
    Verdict,
)
from openrouter_rerank.evaluation.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Findings:
    """All numbers of an evaluation, the recommended plan, and one sentence: the verdict."""

    collection: Collection
    settings: Settings
    depths: tuple[int, ...]
    """The depths that were evaluated: none is larger than the longest candidate list."""
    questions: tuple[str, ...]
    """The ids of the questions that count: judged, with a relevant document, and asked."""
    first_stage: PlanResult
    plans: tuple[PlanResult, ...]
    """All plans but the first stage, in the order of the models and depths."""
    verdict: Verdict
    recommended: PlanResult | None
    """
    The cheapest plan of one model with `settings.keep` of the largest gain, and with a gain of
    `settings.worth` if any plan has it. Use it only if the verdict is "yes".
    """
    best: PlanResult | None
    """The plan of one model with the highest value."""
    frontier: tuple[PlanResult, ...]
    """The plans that no cheaper plan equals, cheapest first."""
    ceiling: Mapping[int, float]
    """The metric of a perfect order of the first candidates, by depth."""
    found: float
    """The share of questions with a relevant document among the candidates."""
    held_out: HeldOut | None
    visible_change: float | None = None
    """
    The smallest real change that this number of questions shows in 80 % of the cases, computed for
    the recommended or the best plan. `None`: there are too few questions to see any change.
    """
    questions_needed: int | None = None
    """The number of questions that would show the change of that plan. `None`: no number would."""
    thresholds: Mapping[str, Threshold]
    """By model."""
    uses: tuple[ModelUse, ...]
    cost: float | None
    """US dollars of everything that was asked, in this run and those it continued."""
    notes: tuple[str, ...]
    """Sentences about the data and the run that a reader must know."""
    warnings: tuple[str, ...] = ()
    """Those of `notes` that say what is missing, for the terminal and the start of the report."""
    is_complete: bool
    """`False` if the budget was spent, questions failed, or the run was interrupted."""
    judging: Judging | None = None
    """`None` if there was no judge."""

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(collection={self.collection.name!r}, {len(self.questions):,} "
            f"questions, {len(self.plans):,} plans, verdict={self.verdict.kind!r})"
        )
