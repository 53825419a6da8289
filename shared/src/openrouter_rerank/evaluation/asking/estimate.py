"""What the rest of an evaluation will cost: computed after the first questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from openrouter_rerank.budget import Budget, shown_dollars
from openrouter_rerank.models import model_for

from .schedule import Job

FIRST_QUESTIONS = 5
"""After these, there is an estimate."""
# Documents of a search unit.
_UNIT = 100
# Questions. Sums of costs have errors of rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What is left to ask, and what that will cost."""

    requests: int
    """Calls that are left, probes included."""
    costs: Mapping[str, float | None]
    """US dollars that the calls left of each model will cost. `None`: its prices are unknown."""
    questions: int
    """The number of all questions."""
    answerable: int | None
    """
    The number of questions that the budget is enough for. `None`: there is none, or a price is
    unknown.
    """
    budget: float | None

    @property
    def line(self) -> str:
        """One line for the user."""
        requests = f"{self.requests:,} request{'' if self.requests == 1 else 's'}"
        return f"{requests}, {self._price()}{self._end()}"

    def _price(self) -> str:
        parts = ", ".join(
            f"{model.rpartition('/')[2]} {'unknown' if cost is None else shown_dollars(cost)}"
            for model, cost in self.costs.items()
        )
        known = [cost for cost in self.costs.values() if cost is not None]
        if not known:
            return "price unknown"
        if not any(known):
            return "free" if len(known) == len(self.costs) else f"price unknown ({parts})"
        least = "at least" if len(known) < len(self.costs) else "about"
        of_each = f" ({parts})" if len(self.costs) > 1 else ""
        return f"{least} {shown_dollars(sum(known))}{of_each}"

    def _end(self) -> str:
        if self.answerable is None or self.budget is None or not any(self.costs.values()):
            return ""
        return (
            f"; budget {shown_dollars(self.budget)} will answer {self.answerable:,} of "
            f"{self.questions:,} questions"
        )


def _share(job: Job, largest: int) -> float:
    """Return the cost of a call as a share of that of a call at the largest depth."""
    if model_for(job.model).search_units:
        return ceil(job.depth / _UNIT) / ceil(largest / _UNIT)
    return job.depth / largest


def estimate(
    left: Sequence[Job],
    costs: Mapping[str, float | None],
    *,
    depth: int,
    questions: int,
    budget: Budget | None,
) -> Estimate:
    """
    Return what calls will cost.

    A smaller depth costs less in proportion, unless the model is billed by search units.

    Args:
        left: The calls that are left.
        costs: The cost of a call at the largest depth, by model. `None`: unknown.
        depth: The largest depth.
        questions: The number of all questions.
        budget: `None`: there is no limit.
    """
    by_model = dict.fromkeys(costs, 0.0)
    scores = 0.0
    for job in left:
        price = (costs[job.model] or 0.0) * _share(job, depth)
        by_model[job.model] += price
        if job.kind == "score":
            scores += price
    answerable = None
    if budget is not None and None not in costs.values():
        unanswered = len({job.question for job in left if job.kind == "score"})
        # The probes come before most of the scores.
        money = budget.limit - budget.spent - (sum(by_model.values()) - scores)
        share = 1.0 if money >= scores else max(0.0, money / scores)
        answerable = questions - unanswered + int(unanswered * share + _ROUNDING)
    return Estimate(
        requests=len(left),
        costs={model: None if costs[model] is None else by_model[model] for model in costs},
        questions=questions,
        answerable=answerable,
        budget=None if budget is None else budget.limit,
    )
