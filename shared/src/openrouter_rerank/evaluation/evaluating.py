"""
Evaluates whether reranking is worth it: asks the models, computes the result, writes the report.
"""

import asyncio
import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Unpack

from openrouter_rerank._transport.threads import in_thread
from openrouter_rerank.budget import Budget
from openrouter_rerank.client import AsyncRerankClient, RerankClient
from openrouter_rerank.client_options import ClientKeywords
from openrouter_rerank.errors import ConfigurationError, shown_value

from .analysis.analysis import analyse
from .analysis.measures import Metric
from .asking.asking import Progress, ask
from .asking.caller import Caller
from .asking.loop_thread import run_in_own_loop
from .asking.matrix import Matrix
from .asking.schedule import sample
from .asking.scores import Scores
from .collection.bm25 import bm25
from .collection.collection import Collection
from .collection.counted import Count
from .collection.lines import checked_path
from .collection.retriever import Retriever, awith_candidates, with_candidates
from .evaluation import Evaluation
from .judge.grades import Grades
from .judge.grading import Grading
from .judge.judged import judged_collection, with_judges
from .judge.judging import judge, try_judges
from .judge.pool import pool
from .judge.qrels import write_judge_qrels
from .report.files import write
from .settings import Settings, SettingsKeywords, settings_of

MATRIX = "matrix.sqlite"
"""The name of the file with the answers, in the folder of an evaluation."""
_LONGEST_SLUG = 200


def evaluate(
    collection: Collection,
    *,
    directory: str | PathLike[str] = "evaluation",
    retrieve: Retriever | None = None,
    client: RerankClient | AsyncRerankClient | None = None,
    provider: Mapping[str, object] | None = None,
    extra_body: Mapping[str, object] | None = None,
    progress: Callable[[Progress], object] | None = None,
    **options: Unpack[SettingsKeywords],
) -> Evaluation:
    """
    Ask the models, and return what reranking gains, costs and takes. Write the report.

    All answers are kept in `directory`, and a later evaluation in the same folder asks only what is
    missing. If the budget is spent, or questions fail, the result is of the questions that all
    models have answered, and `is_complete` is `False`. Ctrl-C ends the asking: the report of what
    there is is written, and `KeyboardInterrupt` is raised. This works in a notebook too.

    Args:
        collection: The questions, documents, judgements and candidates.
        directory: The folder of the report and of the answers. It is created.
        retrieve: Finds the candidates of a question: `[(id, text)]` or `[(id, text, score)]`, best
            first. The collection then needs no documents. Default: the candidates of the
            collection; if it has none, BM25 over its documents.
        client: A client without a `score_store`, for its key, URL, budget, limiter and connections.
            Default: a new one, with the key of the environment.
        provider: The provider preferences of all calls. Default: `{"sort": "price"}`, because calls
            that are spread over providers differ in price, time and even in the served model.
        extra_body: Extra fields of all requests.
        progress: Called for each model at the start, and after each call. It may be called in
            another thread.
        **options: See `Settings`.

    Raises:
        ConfigurationError: If an option, the collection or the folder cannot be used, or there is
            no API key.
        OpenRouterRerankError: If no call can succeed: the key is wrong, the account has no credits,
            a model has answered none of the first questions, or a judge cannot grade.
    """
    work = Work(
        collection,
        settings_of(options),
        directory=directory,
        retrieve=retrieve,
        client=client,
        provider=provider,
        extra_body=extra_body,
        progress=progress,
    )
    outcome = work.outcome(answered(work))
    if outcome.scores.interrupted:
        raise KeyboardInterrupt
    return outcome.evaluation


async def aevaluate(
    collection: Collection,
    *,
    directory: str | PathLike[str] = "evaluation",
    retrieve: Retriever | None = None,
    client: RerankClient | AsyncRerankClient | None = None,
    provider: Mapping[str, object] | None = None,
    extra_body: Mapping[str, object] | None = None,
    progress: Callable[[Progress], object] | None = None,
    **options: Unpack[SettingsKeywords],
) -> Evaluation:
    """
    Evaluate, as `evaluate` does, without blocking the event loop.

    A cancelled evaluation ends immediately, without a report. All answers are kept.

    Raises:
        OpenRouterRerankError: See `evaluate`.
    """
    work = Work(
        collection,
        settings_of(options),
        directory=directory,
        retrieve=retrieve,
        client=client,
        provider=provider,
        extra_body=extra_body,
        progress=progress,
    )
    with_candidates = await work.awith_candidates()
    answers = await work.ask(with_candidates, asyncio.Event())
    return (await in_thread(work.outcome, answers)).evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the models and the judges have answered."""

    collection: Collection
    """With its candidates."""
    scores: Scores
    grading: Grading | None
    """`None` if there is no judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An evaluation, and what it was computed from."""

    evaluation: Evaluation
    scores: Scores
    grading: Grading | None
    """`None` if there is no judge."""


def answered(work: "Work", report: Count | None = None) -> Answers:
    """
    Find the candidates, and ask the models and the judges. Ctrl-C ends the asking.

    Args:
        work: The evaluation.
        report: Called while the candidates are found, with the number of questions that have them,
            and that of all questions.

    Raises:
        OpenRouterRerankError: See `evaluate`.
    """
    collection = work.with_candidates(report)
    return run_in_own_loop(functools.partial(work.ask, collection))


class Work:
    """
    The steps of one evaluation. What can be checked before anything is paid is checked first.

    Args:
        keywords: The options of the client that is created, if `client` is `None`.
        command: The command line, for the report.

    The other arguments are those of `evaluate`.
    """

    def __init__(
        self,
        collection: Collection,
        settings: Settings,
        *,
        directory: str | PathLike[str],
        retrieve: Retriever | None = None,
        client: RerankClient | AsyncRerankClient | None = None,
        keywords: ClientKeywords | None = None,
        provider: Mapping[str, object] | None = None,
        extra_body: Mapping[str, object] | None = None,
        progress: Callable[[Progress], object] | None = None,
        command: str | None = None,
    ) -> None:
        _check_type(collection)
        _check_progress(progress)
        _check_slugs((*settings.models, *settings.judge))
        Metric(settings.metric)
        self._settings = settings
        self._collection = sample(collection, settings)
        self._retrieve, self._progress, self._command = retrieve, progress, command
        self._caller = Caller(
            client,
            keywords=keywords,
            budget=None if settings.budget is None else Budget(settings.budget),
            concurrency=settings.concurrency,
            provider=provider,
            extra_body=extra_body,
        )
        if not settings.judge:
            _check_judgements(collection)
        self._directory = _folder(directory)
        # An unusable file must be known before a retriever is called for each question.
        Matrix(self._directory / MATRIX).close()

    def with_candidates(self, report: Count | None = None) -> Collection:
        """Return the collection with its candidates."""
        if self._retrieve is None:
            return self._with_own_candidates(report)
        depth = self._settings.depths[-1]
        return with_candidates(self._collection, self._retrieve, depth, report=report)

    async def awith_candidates(self) -> Collection:
        """Return the collection with its candidates. The retriever may be async."""
        if self._retrieve is None:
            return await in_thread(self._with_own_candidates)
        return await awith_candidates(self._collection, self._retrieve, self._settings.depths[-1])

    async def ask(self, collection: Collection, stop: asyncio.Event) -> Answers:
        """Ask what is missing, and return all scores and grades."""
        async with self._caller as caller:
            with Matrix(self._directory / MATRIX) as matrix:
                # An unusable judge must be known before the models are paid.
                await try_judges(
                    collection, self._settings, caller=caller, grades=Grades(matrix), stop=stop
                )
                scores = await ask(
                    collection,
                    self._settings,
                    caller=caller,
                    matrix=matrix,
                    progress=self._progress,
                    stop=stop,
                )
                if not self._settings.judge:
                    return Answers(collection=collection, scores=scores, grading=None)
                grading = await judge(
                    collection,
                    await in_thread(pool, collection, scores, self._settings),
                    self._settings,
                    caller=caller,
                    grades=Grades(matrix),
                    progress=self._progress,
                    stop=stop,
                )
        scores = replace(
            scores,
            budget_is_spent=scores.budget_is_spent or grading.budget_is_spent,
            interrupted=scores.interrupted or grading.interrupted,
        )
        return Answers(collection=collection, scores=scores, grading=grading)

    def outcome(self, answers: Answers) -> Outcome:
        """Compute the result, and write the report."""
        collection, grading = answers.collection, answers.grading
        if grading is not None:
            collection = judged_collection(collection, grading)
        findings = analyse(collection, answers.scores, self._settings)
        findings = replace(findings, notes=(*findings.notes, self._provider_note()))
        if grading is not None:
            with Matrix(self._directory / MATRIX) as matrix:
                findings = with_judges(findings, grading, Grades(matrix).of_user())
        evaluation = Evaluation.of(findings)
        write(evaluation, self._directory, command=self._command)
        if grading is not None:
            write_judge_qrels(evaluation, grading, self._directory)
        return Outcome(evaluation=evaluation, scores=answers.scores, grading=grading)

    def _provider_note(self) -> str:
        provider = self._caller.provider
        if not provider:
            return (
                "No provider preferences were sent, so the provider, the price and the time may "
                "change from call to call."
            )
        preferences = json.dumps(provider, default=str)
        return f"All rerank requests had these provider preferences: {preferences}."

    def _with_own_candidates(self, report: Count | None = None) -> Collection:
        if self._collection.candidates:
            return self._collection
        return bm25(self._collection, self._settings.depths[-1], report=report)


def _check_type(collection: object) -> None:
    if not isinstance(collection, Collection):
        raise ConfigurationError(
            f"the collection must be a Collection, got {shown_value(collection)}: "
            "Collection.from_jsonl and Collection.from_beir read files"
        )


def _check_slugs(models: Iterable[str]) -> None:
    for model in models:
        if not model.isprintable() or len(model) > _LONGEST_SLUG:
            raise ConfigurationError(
                f"{shown_value(model)} is not the slug of a model, such as 'cohere/rerank-v3.5'"
            )


def _check_progress(progress: object) -> None:
    if progress is not None and not callable(progress):
        raise ConfigurationError(f"progress must be a function, got {shown_value(progress)}")


def _folder(directory: object) -> Path:
    folder = checked_path("directory", directory)
    if "\0" in str(folder):
        raise ConfigurationError(f"directory must be a path, got {shown_value(str(folder))}")
    return folder


def _check_judgements(collection: Collection) -> None:
    if not any(grade > 0 for each in collection.judgements.values() for grade in each.values()):
        error = (
            f"{collection.name}: no question has a document that is judged as relevant, so nothing "
            "can be measured: add judgements, or let a chat model judge: --judge SLUG (in Python, "
            "judge='SLUG')"
        )
        # They may say why, such as another name of the field.
        raise ConfigurationError(". ".join((error, *collection.notes)))
