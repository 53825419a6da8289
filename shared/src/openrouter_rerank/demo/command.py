"""
The command `openrouter-rerank demo`.
"""

from collections.abc import Sequence

import click

from openrouter_rerank.cli.options import debug_option


@click.command(
    "demo",
    epilog=(
        "OpenRouter answers if OPENROUTER_API_KEY is set. Otherwise the local scorer answers, "
        "which needs no key and no network."
    ),
)
@click.argument("questions", metavar="[QUESTION]...", nargs=-1)
@click.option(
    "--passages",
    metavar="N",
    type=click.IntRange(min=1),
    help="Search only the first N passages, which is faster.",
)
@debug_option
def command(*, questions: Sequence[str], passages: int | None) -> None:
    """
    Rerank passages of Python's documentation.

    For each question, fetch 25 passages of Python's documentation from a vector store, rerank them,
    and show both orders, in each framework that is installed.

    QUESTION: your own questions, instead of the prepared ones.
    """
    if any(not question.strip() for question in questions):
        raise click.UsageError("a QUESTION is blank", click.get_current_context())
    from openrouter_rerank.demo.corpus import corpus
    from openrouter_rerank.demo.run import run
    from openrouter_rerank.demo.terminal import console

    run(console(), corpus()[:passages], questions)
