"""Which calls an evaluation makes, and in which order."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.settings import Settings
from openrouter_rerank.models import model_for

from .scores import CallKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One call that may have to be made."""

    model: str
    question: str
    """The id of the question."""
    depth: int
    kind: CallKind = "score"


class Schedule:
    """
    The calls for one collection.

    The order is random but fixed by the seed, and all models are asked one question before the
    next. So a run that ends early is a fair sample, which is the same for every model.

    Raises:
        ConfigurationError: If no question has candidates.
    """

    def __init__(self, collection: Collection, settings: Settings) -> None:
        self._collection = collection
        self.models = settings.models
        self.has_judge = bool(settings.judge)
        self.depths = depths_of(collection, settings.depths)
        """Ascending; none is larger than the longest list of candidates."""
        self.questions = questions_of(collection, settings)
        self.probed = self.questions[: settings.probes]
        """The questions that are also asked alone, at each depth."""
        self.listwise = {model for model in settings.models if model_for(model).is_listwise}
        """Models that are asked at each depth. Those that turn out to be so are added."""

    def scores(self, questions: Iterable[str]) -> list[Job]:
        """Return the calls whose scores the evaluation is computed from."""
        return [
            Job(model=model, question=question, depth=depth)
            for question in questions
            for model in self.models
            for depth in self._depths_of(question)[0 if model in self.listwise else -1 :]
        ]

    def probes(self) -> list[Job]:
        """Return the calls that are made alone, at each depth, for times and prices."""
        return [
            Job(model=model, question=question, depth=depth, kind="probe")
            for question in self.probed
            for model in self.models
            for depth in self._depths_of(question)
        ]

    def all(self) -> list[Job]:
        """Return all calls, in the order of asking."""
        probed, rest = self.probed, self.questions[len(self.probed) :]
        return [*self.scores(probed), *self.probes(), *self.scores(rest)]

    def question(self, job: Job) -> str:
        """Return the text of the question of a call."""
        return self._collection.questions[job.question]

    def texts(self, job: Job) -> dict[str, str]:
        """Return the texts of the candidates of a call by document id, without blank ones."""
        candidates = self._collection.candidates.get(job.question, ())[: job.depth]
        texts = {document: self._collection.documents[document] for document in candidates}
        return {document: text for document, text in texts.items() if text.strip()}

    def _depths_of(self, question: str) -> tuple[int, ...]:
        """Return the depths at which the question has different candidates."""
        count = len(self._collection.candidates.get(question, ()))
        smaller = [depth for depth in self.depths if depth < count]
        return (*smaller, *self.depths[len(smaller) : len(smaller) + 1])


def depths_of(collection: Collection, depths: Iterable[int]) -> tuple[int, ...]:
    """
    Return the depths, ascending; none is larger than the longest list of candidates.

    Raises:
        ConfigurationError: If no question has candidates.
    """
    longest = max(map(len, collection.candidates.values()), default=0)
    if not longest:
        raise ConfigurationError(f"{collection.name}: no question has candidates")
    return tuple(sorted({min(depth, longest) for depth in depths}))


def questions_of(collection: Collection, settings: Settings) -> tuple[str, ...]:
    """
    Return the ids of the questions that are asked, in the order of asking.

    If the collection has judgements and there is no judge, questions without a relevant document
    are not asked: they do not count.
    """
    ids = [
        question
        for question in collection.questions
        if settings.judge
        or not collection.judgements
        or any(grade > 0 for grade in collection.judgements.get(question, {}).values())
    ]
    random.Random(settings.seed).shuffle(ids)  # noqa: S311 - not cryptography
    return tuple(ids)


def sample(collection: Collection, settings: Settings) -> Collection:
    """
    Return the collection with `settings.questions` of the questions that are asked.

    A larger sample with the same seed contains the smaller one.
    """
    asked = questions_of(collection, settings)
    if settings.questions is None or settings.questions >= len(asked):
        return collection
    return collection.only(asked[: settings.questions])
