"""The command `openrouter-rerank evaluate`."""

import json
import os
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click
from click.core import ParameterSource

from openrouter_rerank.cli import INTERRUPTED
from openrouter_rerank.cli.failures import INCOMPLETE, masked, write
from openrouter_rerank.cli.options import (
    client_keywords,
    model_slugs,
    output_options,
    service_options,
)
from openrouter_rerank.errors import ConfigurationError

from .settings import Settings, SettingsKeywords, settings_of

if TYPE_CHECKING:
    from .asking.scores import Scores
    from .collection.collection import Collection
    from .collection.retriever import Retriever
    from .evaluating import Answers, Outcome

_ARGUMENTS = "openrouter_rerank.evaluation.arguments"
_DEFAULTS = Settings()
_COUNT = click.IntRange(min=1)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_NO_MONEY = "With --budget 0, only kept answers count: raise it to ask the models."
# Characters of a value in a message.
_LONGEST = 100
# Passages, ten of each grade.
_CHECKED = 40
_SHARE = click.FloatRange(min=0, max=1)


def _depths(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    numbers = [part.strip() for part in value.split(",")]
    if not all(_NUMBER.fullmatch(part) for part in numbers):
        raise click.BadParameter(f"{value[:_LONGEST]!r} is no list of numbers, such as 10,50,100")
    return tuple(map(int, numbers))


class _Command(click.Command):
    """A command that keeps its arguments as they were written."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep and parse the arguments."""
        ctx.meta[_ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)


@click.command(
    "evaluate",
    cls=_Command,
    short_help="say whether reranking is worth it on your data",
    epilog="Exit status: 0 a verdict was reached, yes or no; 1 the input or the service makes it "
    "impossible; 2 wrong usage; 3 incomplete, because the budget is spent or questions failed: "
    "run the same command again to go on; 130 interrupted. All answers are kept in the folder of "
    "--out, and are never paid twice.",
)
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--model",
    "models",
    metavar="SLUG",
    multiple=True,
    default=_DEFAULTS.models,
    shell_complete=model_slugs,
    help="A model to evaluate. Repeat it for more; a report can show 2 to 6. `openrouter-rerank "
    "models` lists them. "
    f"Default: {_DEFAULTS.models[0]}.",
)
@click.option(
    "--run",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The candidates of your own retriever, as a TREC run: 6 columns, query Q0 document rank "
    "score tag.",
)
@click.option(
    "--retriever",
    metavar="MODULE:FUNCTION",
    help="Your own retriever: FUNCTION(question) returns a list of (id, text) or (id, text, "
    "score), best first. Modules in the working directory are found. A BEIR folder then needs no "
    "corpus.jsonl, which is not read.",
)
@click.option(
    "--qrels",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Judgements, in the 3 columns of BEIR or the 4 of TREC. Default: those of --split.",
)
@click.option(
    "--split",
    metavar="NAME",
    default="test",
    help="The part of a BEIR folder: the judgements are in qrels/NAME.tsv. Default: test.",
)
@click.option(
    "--depths",
    metavar="N,N,...",
    callback=_depths,
    default=",".join(map(str, _DEFAULTS.depths)),
    help="Numbers of candidates. The models are asked at the largest. Default: 10,20,50,100.",
)
@click.option(
    "--metric",
    metavar="NAME",
    default=_DEFAULTS.metric,
    help="The metric that decides: any name that ir-measures knows. MRR@10, R@5, R@10, Success@1 "
    "and Judged@10 are always shown. "
    f"Default: {_DEFAULTS.metric}.",
)
@click.option(
    "--two-step",
    is_flag=True,
    help="Also compute plans in which a cheap model chooses what a stronger one orders.",
)
@click.option(
    "--worth",
    metavar="GAIN",
    type=_SHARE,
    default=_DEFAULTS.worth,
    help=f"The smallest gain of the metric that is worth having. Default: {_DEFAULTS.worth}.",
)
@click.option(
    "--keep",
    metavar="SHARE",
    type=_SHARE,
    default=_DEFAULTS.keep,
    help="Recommend the cheapest plan with at least this share of the largest gain. "
    f"Default: {_DEFAULTS.keep}.",
)
@click.option(
    "--questions",
    metavar="N",
    type=_COUNT,
    help="Evaluate a random sample of N questions. Default: all.",
)
@click.option(
    "--budget",
    metavar="DOLLARS",
    type=click.FloatRange(min=0),
    default=_DEFAULTS.budget,
    help="US dollars that this run may cost. Kept answers cost nothing. "
    f"Default: {_DEFAULTS.budget}.",
)
@click.option(
    "--probe",
    "probes",
    metavar="N",
    type=click.IntRange(min=0),
    default=_DEFAULTS.probes,
    help="Ask N questions alone, at each depth: for times, for prices, and to check that smaller "
    "depths may be computed from the largest. 0: none. "
    f"Default: {_DEFAULTS.probes}.",
)
@click.option(
    "--concurrency",
    metavar="N",
    type=_COUNT,
    default=_DEFAULTS.concurrency,
    help=f"Requests in flight together, except for probes. Default: {_DEFAULTS.concurrency}.",
)
@click.option(
    "--judge",
    metavar="SLUG",
    multiple=True,
    help="A chat model that grades what has no judgement. A second --judge confirms what the first "
    "calls relevant.",
)
@click.option(
    "--check",
    metavar="[N]",
    type=_COUNT,
    is_flag=False,
    flag_value=_CHECKED,
    help="Grade N documents yourself, to see how far you can trust the judge. "
    f"Without N: {_CHECKED}.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("evaluation"),
    help="The folder of the report and of the answers. A later run continues from there. "
    "Default: evaluation.",
)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(min=0),
    default=_DEFAULTS.seed,
    help=f"The start of all random choices. Default: {_DEFAULTS.seed}.",
)
@service_options
@output_options
def command(
    *,
    data: Path,
    models: tuple[str, ...],
    run: Path | None,
    retriever: str | None,
    qrels: Path | None,
    split: str,
    depths: tuple[int, ...],
    metric: str,
    two_step: bool,
    worth: float,
    keep: float,
    questions: int | None,
    budget: float,
    probes: int,
    concurrency: int,
    judge: tuple[str, ...],
    check: int | None,
    out: Path,
    seed: int,
    base_url: str | None,
    timeout: float | None,
    as_json: bool,
) -> int:
    """
    Evaluate whether reranking is worth it on DATA, with which model, and at which depth.

    DATA is a BEIR folder (corpus.jsonl, queries.jsonl, qrels/test.tsv), or a .jsonl file with one
    question in each line: {"query": ..., "candidates": [{"text": ..., "relevance": 1}, ...]}. The
    candidates are in the order of your retriever, best first. Those without "relevance" count as
    not relevant, unless a --judge grades them.

    Pass the candidates of your own retriever with --run or --retriever. Otherwise the candidates of
    a BEIR folder are found with BM25, and the result says little about your retriever.
    """
    from openrouter_rerank.cli import output
    from openrouter_rerank.cli.service import check_key

    from .evaluating import Work, answered
    from .judge.judged import family_warnings
    from .report.progress_bars import ProgressBars

    settings = _settings(
        models=models,
        depths=depths,
        metric=metric,
        two_step=two_step,
        worth=worth,
        keep=keep,
        questions=questions,
        budget=budget,
        probes=probes,
        concurrency=concurrency,
        judge=judge,
        seed=seed,
    )
    if run is not None and retriever is not None:
        raise click.UsageError("--run and --retriever exclude each other: both name candidates")
    if check is not None:
        _refuse_check_without_judge_or_terminal(judge)
    check_key()
    for warning in family_warnings(settings):
        write(f"warning: {warning}")
    with output.progress("reading the data"):
        collection = _collection(
            data, run=run, qrels=qrels, split=split, with_documents=retriever is None
        )
    # What the user's retriever prints must not be within the result.
    with redirect_stdout(sys.stderr), ProgressBars(settings.judge) as bars:
        work = Work(
            collection,
            settings,
            directory=out,
            retrieve=_retriever(retriever),
            keywords=client_keywords(base_url, timeout),
            progress=bars,
            command=_command_line(click.get_current_context()),
        )
        answers = answered(work, bars.show_candidates)
    if check is not None:
        answers = _checked(answers, check, out)
    with output.progress("computing the result"):
        outcome = work.outcome(answers)
    _print(outcome, out, as_json=as_json)
    return _status(outcome)


def _settings(**options: Unpack[SettingsKeywords]) -> Settings:
    from .analysis.measures import Metric

    try:
        settings = settings_of(options)
        Metric(settings.metric)
    except ConfigurationError as error:
        raise click.UsageError(error.message) from error
    return settings


def _refuse_check_without_judge_or_terminal(judge: tuple[str, ...]) -> None:
    if not judge:
        raise click.UsageError("--check checks a judge: name one with --judge")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("--check needs a terminal, in which you grade documents")


def _checked(answers: "Answers", count: int, out: Path) -> "Answers":
    """Let the user grade documents. After Ctrl-C, the answers are those of an interrupted run."""
    from .evaluating import MATRIX
    from .judge.human_check import check_judges

    if answers.grading is None or answers.scores.interrupted:
        return answers
    try:
        check_judges(answers.grading, count, out / MATRIX)
    except KeyboardInterrupt:
        return replace(answers, scores=replace(answers.scores, interrupted=True))
    return answers


def _collection(
    data: Path, *, run: Path | None, qrels: Path | None, split: str, with_documents: bool
) -> "Collection":
    from .collection.collection import Collection

    if data.suffix.lower() not in {".jsonl", ".gz"} or os.path.isdir(data):  # noqa: PTH112 - raises no exception
        return Collection.from_beir(
            data, split=split, qrels=qrels, run=run, with_documents=with_documents
        )
    for name in ("run", "qrels", "split"):
        if _is_given(click.get_current_context(), name):
            raise click.UsageError(f"--{name} is for a BEIR folder: {data} has all of its data")
    return Collection.from_jsonl(data)


def _retriever(name: str | None) -> "Retriever | None":
    from .collection.named_retriever import named_retriever

    return None if name is None else named_retriever(name)


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _command_line(context: click.Context) -> str:
    """Return the command as it was written, for the report."""
    arguments: Sequence[str] = context.meta[_ARGUMENTS]
    return masked(shlex.join(["openrouter-rerank", "evaluate", *arguments]))


def _print(outcome: "Outcome", out: Path, *, as_json: bool) -> None:
    from openrouter_rerank.cli import output

    from .report.terminal import show

    evaluation, scores = outcome.evaluation, outcome.scores
    if scores.interrupted:
        write("interrupted: all answers are kept. Run the same command again to go on.")
    elif scores.budget_is_spent:
        cure = "Run the same command again to go on." if evaluation.settings.budget else _NO_MONEY
        write(f"incomplete: the budget is spent. {cure}")
    elif not evaluation.is_complete:
        write(f"incomplete: {_failures(scores)} Run the same command again to ask what is missing.")
    if as_json:
        output.write_json(json.loads((out / "evaluation.json").read_text(encoding="utf-8")))
    else:
        show(evaluation, output.console(), report=out / "report.html")


def _failures(scores: "Scores") -> str:
    """Return how many questions failed, and the reason of the last one, as a sentence."""
    from .analysis.number_formats import count

    failed = [pair for failures in scores.failures.values() for pair in failures.items()]
    if not failed and (probes := sum(scores.failed_probes.values())):
        return f"{probes:,} probe{'' if probes == 1 else 's'} failed."
    if not failed:
        return "some questions have no answer."
    questions = count(len({question for question, _ in failed}), "question")
    return f"{questions} failed, the last with: {failed[-1][1].rstrip('.')}."


def _status(outcome: "Outcome") -> int:
    if outcome.scores.interrupted:
        return INTERRUPTED
    return 0 if outcome.evaluation.is_complete else INCOMPLETE
