"""What the command `openrouter-rerank evaluate` does with its options."""

import json
import os
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import click
from click.core import ParameterSource

from openrouter_rerank.cli import INTERRUPTED, output
from openrouter_rerank.cli.failures import INCOMPLETE, write
from openrouter_rerank.cli.service import check_key
from openrouter_rerank.client_options import ClientKeywords
from openrouter_rerank.errors import ConfigurationError

from .analysis.measures import Metric
from .analysis.number_formats import count
from .collection.collection import Collection
from .collection.named_retriever import named_retriever
from .evaluating import MATRIX, Answers, Outcome, Work, answered
from .judge.human_check import check_judges
from .judge.judged import family_warnings
from .report.progress_bars import ProgressBars
from .report.terminal import show
from .settings import Settings, SettingsKeywords, settings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """The options that say what is evaluated."""

    data: Path
    run: Path | None
    retriever: str | None
    qrels: Path | None
    split: str


def run_evaluation(
    given: Input,
    options: SettingsKeywords,
    *,
    check: int | None,
    out: Path,
    keywords: ClientKeywords,
    command_line: str,
    as_json: bool,
) -> int:
    """
    Evaluate, print the result, and return the exit status.

    Args:
        given: What is evaluated.
        options: See `Settings`.
        check: The number of documents that the user grades. `None`: none.
        out: The folder of the report and of the answers.
        keywords: The options of the client.
        command_line: The command as it was written, for the report.
        as_json: Print the result as JSON.
    """
    settings = _settings(options)
    if given.run is not None and given.retriever is not None:
        raise click.UsageError("--run cannot be combined with --retriever: both name candidates")
    if check is not None:
        _refuse_check_without_judge_or_terminal(settings)
    check_key()
    for warning in family_warnings(settings):
        write(f"warning: {warning}")
    with output.progress("reading the data"):
        collection = _collection(given)
    # What the user's retriever prints must not be within the result.
    with redirect_stdout(sys.stderr), ProgressBars(settings.judge) as bars:
        work = Work(
            collection,
            settings,
            directory=out,
            retrieve=None if given.retriever is None else named_retriever(given.retriever),
            keywords=keywords,
            progress=bars,
            command=command_line,
        )
        answers = answered(work, bars.show_candidates)
    if check is not None:
        answers = _checked(answers, check, out)
    with output.progress("computing the result"):
        outcome = work.outcome(answers)
    _print(outcome, out, as_json=as_json)
    return _status(outcome)


def _settings(options: SettingsKeywords) -> Settings:
    try:
        settings = settings_of(options)
        Metric(settings.metric)
    except ConfigurationError as error:
        raise click.UsageError(error.message) from error
    return settings


def _refuse_check_without_judge_or_terminal(settings: Settings) -> None:
    if not settings.judge:
        raise click.UsageError("--check checks a judge: name one with --judge")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("--check needs a terminal, in which you grade documents")


def _collection(given: Input) -> Collection:
    data = given.data
    if data.suffix.lower() not in {".jsonl", ".gz"} or os.path.isdir(data):  # noqa: PTH112 - raises no exception
        return Collection.from_beir(
            data,
            split=given.split,
            qrels=given.qrels,
            run=given.run,
            with_documents=given.retriever is None,
        )
    for name in ("run", "qrels", "split"):
        if _is_given(click.get_current_context(), name):
            raise click.UsageError(f"--{name} is for a BEIR folder: {data} has all of its data")
    return Collection.from_jsonl(data)


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _checked(answers: Answers, wanted: int, out: Path) -> Answers:
    """Let the user grade documents. After Ctrl-C, the answers are those of an interrupted run."""
    if answers.grading is None or answers.scores.interrupted:
        return answers
    try:
        check_judges(answers.grading, wanted, out / MATRIX)
    except KeyboardInterrupt:
        return replace(answers, scores=replace(answers.scores, interrupted=True))
    return answers


def _print(outcome: Outcome, out: Path, *, as_json: bool) -> None:
    evaluation = outcome.evaluation
    if outcome.scores.interrupted:
        write("interrupted: all answers are kept. Run the same command again to go on.")
    elif not evaluation.is_complete:
        write(f"incomplete: {_why_incomplete(outcome)}")
    if as_json:
        output.write_json(json.loads((out / "evaluation.json").read_text(encoding="utf-8")))
    else:
        show(evaluation, output.console(), report=out / "report.html")


def _why_incomplete(outcome: Outcome) -> str:
    if outcome.scores.budget_is_spent:
        if not outcome.evaluation.settings.budget:
            return "with --budget 0, only kept answers count: raise it to ask the models."
        return (
            "the budget is spent. Run the same command again to go on: it may cost as much again."
        )
    failures = [*_failed_rankings(outcome), *_failed_grades(outcome)]
    what = " ".join(failures) or "some questions have no answer."
    return f"{what} Run the same command again to ask what is missing."


def _failed_rankings(outcome: Outcome) -> list[str]:
    """Return a sentence about the questions or the probes that failed, with the last reason."""
    of_models = outcome.scores.failures.values()
    reasons = {question: text for each in of_models for question, text in each.items()}
    if not reasons:
        probes = sum(outcome.scores.failed_probes.values())
        return [f"{count(probes, 'probe')} failed."] if probes else []
    last = [*reasons.values()][-1].rstrip(".")
    return [f"{count(len(reasons), 'question')} failed, the last with: {last}."]


def _failed_grades(outcome: Outcome) -> list[str]:
    """Return a sentence for each judge that did not grade all documents, with the first reason."""
    if outcome.grading is None:
        return []
    return [
        f"{judge} failed for {count(failed, 'document')}, the first with: {reason.rstrip('.')}."
        for judge, (failed, reason) in outcome.grading.failures.items()
    ]


def _status(outcome: Outcome) -> int:
    if outcome.scores.interrupted:
        return INTERRUPTED
    return 0 if outcome.evaluation.is_complete else INCOMPLETE
