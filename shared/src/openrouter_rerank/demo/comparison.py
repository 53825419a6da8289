"""
The judged questions before and after reranking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, TypeAlias

from openrouter_rerank.demo.judgements import JudgedQuestion
from openrouter_rerank.demo.measures import ndcg, place
from openrouter_rerank.demo.pipeline import Outcome

Verdict: TypeAlias = Literal["better", "worse", "unchanged", "not found"]
VERDICTS: tuple[Verdict, ...] = ("better", "worse", "unchanged", "not found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One judged question before and after reranking."""

    question: str
    before: int | None
    """The place of the first right passage in the retriever's order. `None`: not found."""
    after: int | None
    """Its place in the reranked order."""
    ndcg_before: float
    ndcg_after: float

    @property
    def verdict(self) -> Verdict:
        """Whether the first right passage moved up or down, or was not among the candidates."""
        if self.before is None or self.after is None:
            return "not found"
        if self.before == self.after:
            return "unchanged"
        return "better" if self.after < self.before else "worse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """All judged questions."""

    changes: Sequence[Change]

    def of(self, verdict: Verdict) -> list[Change]:
        """Return the questions with this verdict."""
        return [change for change in self.changes if change.verdict == verdict]

    def among(self, first: int) -> tuple[int, int]:
        """Return how many questions have a right passage among the `first`, before and after."""
        before, after = (
            sum(found is not None and found <= first for found in places)
            for places in (
                [change.before for change in self.changes],
                [change.after for change in self.changes],
            )
        )
        return before, after

    @property
    def ndcg(self) -> tuple[float, float]:
        """The mean nDCG@10 before and after reranking."""
        return (
            fmean(change.ndcg_before for change in self.changes),
            fmean(change.ndcg_after for change in self.changes),
        )


def compare(questions: Sequence[JudgedQuestion], outcomes: Mapping[str, Outcome]) -> Comparison:
    """
    Compare both orders of each judged question.

    Args:
        questions: At least one.
        outcomes: By question.
    """
    return Comparison([_change(each, outcomes[each.question]) for each in questions])


def _change(judged: JudgedQuestion, outcome: Outcome) -> Change:
    before = [hit.id for hit in outcome.retrieved]
    after = [hit.id for hit in outcome.reranked]
    return Change(
        question=judged.question,
        before=place(before, judged.grades),
        after=place(after, judged.grades),
        ndcg_before=ndcg(before, judged.grades),
        ndcg_after=ndcg(after, judged.grades),
    )
