"""What the rest of an evaluation will cost: computed after the first questions."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from openrouter_rerank.budget import Budget, shown_dollars
from openrouter_rerank.models import model_for

from .schedule import Job

FIRST_QUESTIONS = 5
"""After these, there is an estimate."""
# Documents of a search unit.
_UNIT = 100
# As a fraction. Sums of costs have rounding errors.
_ROUNDING = 1e-9


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
    reason: str = ""
    """Why there is another estimate. Empty for the first one."""
    judge_follows: bool = False
    """`True` if a judge is paid after these calls, from the same budget."""

    @property
    def line(self) -> str:
        """One line for the user."""
        reason = f"{self.reason}: " if self.reason else ""
        requests = f"{self.requests:,} request{'' if self.requests == 1 else 's'}"
        return f"{reason}{requests}, {self._price()}{self._end()}"

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
        most = "at most " if self.judge_follows else ""
        judge = ": the judge needs a part of it" if self.judge_follows else ""
        return (
            f"; budget {shown_dollars(self.budget)} will answer {most}{self.answerable:,} of "
            f"{self.questions:,} questions{judge}"
        )


def share_of_cost(job: Job, part: float, largest: int) -> float:
    """
    Return the cost of a call, relative to that of a call at the largest depth.

    Args:
        job: The call.
        part: The share of its documents that has to be sent.
        largest: The largest depth.
    """
    if model_for(job.model).search_units:
        return ceil(job.depth * part / _UNIT) / ceil(largest / _UNIT)
    return job.depth * part / largest


def estimate(
    left: Mapping[Job, float],
    costs: Mapping[str, float | None],
    *,
    depth: int,
    questions: int,
    budget: Budget | None,
    reason: str = "",
    judge_follows: bool = False,
) -> Estimate:
    """
    Return what calls will cost.

    A smaller depth costs less in proportion, unless the model is billed by search units.

    Args:
        left: The calls that are left, in the order of asking, with the share of their documents
            that has to be sent: the scores of the others are kept.
        costs: The cost of a call at the largest depth, by model. `None`: unknown.
        depth: The largest depth.
        questions: The number of all questions.
        budget: `None`: there is no limit.
        reason: Why there is another estimate.
        judge_follows: A judge is paid from the same budget.
    """
    by_model = dict.fromkeys(costs, 0.0)
    money = None if budget is None else (budget.limit - budget.spent) * (1 - _ROUNDING)
    spent = 0.0
    unanswered: set[str] = set()
    for job, part in left.items():
        # A call is made as long as the budget is not spent.
        if money is not None and spent >= money and job.kind == "score":
            unanswered.add(job.question)
        price = (costs[job.model] or 0.0) * share_of_cost(job, part, depth)
        by_model[job.model] += price
        spent += price
    is_known = budget is not None and None not in costs.values()
    return Estimate(
        requests=len(left),
        costs={model: None if costs[model] is None else by_model[model] for model in costs},
        questions=questions,
        answerable=questions - len(unanswered) if is_known else None,
        budget=None if budget is None else budget.limit,
        reason=reason,
        judge_follows=judge_follows,
    )
