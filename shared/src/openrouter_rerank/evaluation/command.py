"""The command `openrouter-rerank evaluate`: its options and its help."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import click

from openrouter_rerank.cli.failures import masked
from openrouter_rerank.cli.options import (
    NumberRange,
    WholeNumber,
    client_keywords,
    finite,
    model_slugs,
    output_options,
    service_options,
)

from .settings import Settings, SettingsKeywords

_ARGUMENTS = "openrouter_rerank.evaluation.arguments"
_DEFAULTS = Settings()
_COUNT = WholeNumber(min=1)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
# Characters of a value in a message.
_LONGEST = 100
# Passages, ten of each grade.
_CHECKED = 40
_SHARE = NumberRange(min=0, max=1)


def _depths(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    numbers = [part.strip() for part in value.split(",")]
    if not all(_NUMBER.fullmatch(part) for part in numbers):
        raise click.BadParameter(
            f"{value[:_LONGEST]!r} is not a list of numbers, such as 10,50,100"
        )
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
    epilog="Exit status: 0 a verdict was reached, yes or no; 1 the input or the service makes it "
    "impossible; 2 wrong usage; 3 incomplete, because the budget is spent or questions failed; "
    "130 interrupted. After 3 or 130, run the same command again to continue. All answers are kept "
    "in the folder of --out, and are never paid twice.",
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
    callback=finite,
    default=_DEFAULTS.worth,
    help=f"The smallest gain of the metric that is worth having. Default: {_DEFAULTS.worth}.",
)
@click.option(
    "--keep",
    metavar="SHARE",
    type=_SHARE,
    callback=finite,
    default=_DEFAULTS.keep,
    help="Recommend the cheapest plan with at least this share of the largest gain, and with the "
    "gain of --worth if any plan has it. "
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
    type=NumberRange(min=0),
    callback=finite,
    default=_DEFAULTS.budget,
    help="US dollars that this run may cost. Kept answers cost nothing. "
    f"Default: {_DEFAULTS.budget}.",
)
@click.option(
    "--probe",
    "probes",
    metavar="N",
    type=WholeNumber(min=0),
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
    type=WholeNumber(min=0),
    default=_DEFAULTS.seed,
    help=f"The start of all random choices. Default: {_DEFAULTS.seed}.",
)
@service_options
@output_options
def command(
    *,
    data: Path,
    run: Path | None,
    retriever: str | None,
    qrels: Path | None,
    split: str,
    check: int | None,
    out: Path,
    base_url: str | None,
    timeout: float | None,
    as_json: bool,
    **options: Unpack[SettingsKeywords],
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
    from .running import Input, run_evaluation

    return run_evaluation(
        Input(data=data, run=run, retriever=retriever, qrels=qrels, split=split),
        options,
        check=check,
        out=out,
        keywords=client_keywords(base_url, timeout),
        command_line=_command_line(click.get_current_context()),
        as_json=as_json,
    )


def _command_line(context: click.Context) -> str:
    """Return the command as it was written, for the report."""
    arguments: Sequence[str] = context.meta[_ARGUMENTS]
    return masked(shlex.join(["openrouter-rerank", "evaluate", *arguments]))
