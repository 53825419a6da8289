"""
What an evaluation found. All of it is plain data: nothing here asks a model or reads a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

VerdictKind: TypeAlias = Literal["yes", "no", "unsure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One reranking: `model` orders the first `depth` documents of the list before it."""

    model: str
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Rerankings that follow one another. A plan without a step is the first stage alone."""

    steps: tuple[Step, ...] = ()

    @property
    def name(self) -> str:
        """The name in tables: `first stage`, `MODEL @20`, or `MODEL @100 → MODEL @10`."""
        return " → ".join(f"{step.model} @{step.depth}" for step in self.steps) or "first stage"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """How good one plan is, what it costs and how long it takes."""

    plan: Plan
    value: float
    """The mean of the deciding metric over the questions that count."""
    change: float
    """`value` minus that of the first stage."""
    interval: tuple[float, float]
    """The 95 % interval of `change`, for all plans together."""
    p: float
    """The probability of such a change by chance, for all plans together."""
    won: int
    """Questions whose metric is better than with the first stage."""
    same: int
    lost: int
    measures: Mapping[str, float]
    """The means of all metrics that are shown, by name."""
    price_per_1000: float | None
    """US dollars for 1,000 questions; 0.0 is free, `None` is unknown."""
    seconds_p50: float | None
    """The median time that the plan adds to a question, from the probes. `None`: not measured."""
    seconds_p95: float | None
    """`None` also for plans of two steps, which were not timed as a whole."""
    probes: int
    """The number of calls behind the times; with two steps, the smaller of the two numbers."""
    per_question: Mapping[str, float] = field(repr=False)
    """The deciding metric of each question, by question id."""
    orders: Mapping[str, tuple[str, ...]] = field(repr=False)
    """The documents of each question as the plan orders them, by question id."""
    is_estimate: bool = False
    """
    `True` if the depth was not asked for each question, although the scores of the model depend on
    it. Then the plan is computed from the scores at the largest depth, and may be wrong.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """The gain if the plan is chosen on one half of the questions and measured on the other."""

    mean: float
    low: float
    """The 5 % quantile over the halves."""
    high: float
    """The 95 % quantile over the halves."""
    share_positive: float
    """The share of halves with a gain above 0, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The score of one model that keeps 95 % of the relevant candidates."""

    model: str
    depth: int
    """The number of candidates of each question: the recommended depth."""
    score: float | None
    """`None` if there are too few relevant candidates; `reason` says how many."""
    low: float | None
    high: float | None
    recall: float | None
    """The share of relevant candidates that is kept on unseen questions, on average."""
    recall_low: float | None
    """Its 5 % quantile over the halves."""
    removed: float | None
    """The share of all other candidates that is removed."""
    mean_left: float | None
    """The mean number of documents left of a question."""
    empty_questions: int | None
    """Questions of which no document is left."""
    separates: bool
    """`False`: there is no clean separation, so no threshold should be used."""
    reason: str | None
    """Why there is no threshold, or none that should be used."""
    relevant_scores: tuple[float, ...] = field(repr=False)
    """The scores of the relevant candidates, ascending, for the histogram."""
    other_scores: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to the question whether reranking is worth it."""

    kind: VerdictKind
    sentence: str
    small_print: str
    """The interval, the probability, and the gain on held-out questions, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """What was asked of one model, and what it reported."""

    model: str
    questions: int
    """Questions with all scores."""
    failed: int
    """Questions whose requests failed."""
    cost: float | None
    """US dollars of all requests, probes included. `None`: the service did not report it."""
    served_models: tuple[str, ...]
    """The names that the service reported, sorted. More than one makes the result doubtful."""
    providers: tuple[str, ...]
    replays: bool
    """`True` if smaller depths were computed from the scores at the largest depth."""
    is_checked: bool = False
    """`True` if probes have shown whether the scores at smaller depths are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share, and its 95 % interval by Wilson."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How well judges agree with the user. A passage with a grade of 2 or 3 is relevant."""

    checked: int
    """Passages that the user has graded."""
    agreed: int
    """Those of them about whose relevance the judges say the same."""
    precision: Share | None
    """
    The share of relevant passages among those that the judges call relevant. `None`: none of these
    was checked.
    """
    missed: Share | None
    """
    The share of passages that the judges do not call relevant among all relevant ones. `None`: the
    user has found no relevant passage.
    """
    kappa: float | None
    """
    Cohen's kappa of the checked passages: 1 is full agreement, 0 is that of chance. `None`: both
    have called all passages relevant, or none.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What judges graded, what it cost, and how far the user agrees."""

    judges: tuple[str, ...]
    """The names of the chat models. The second confirms what the first calls relevant."""
    documents: int
    """Pairs of a question and a document that have a grade."""
    questions: int
    """Questions whose documents are all graded."""
    cost: float | None
    """US dollars of all grades. `None`: the service did not report it."""
    agreement: Agreement | None
    """`None`: the user has checked nothing."""
