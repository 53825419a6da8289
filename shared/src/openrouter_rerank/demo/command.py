"""
The command `openrouter-rerank demo`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from openrouter_rerank.cli.options import WholeNumber, output_options

if TYPE_CHECKING:
    from openrouter_rerank.demo.run import Answer


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
    type=WholeNumber(min=1),
    help="Search only the first N passages, which is faster.",
)
@output_options
def command(*, questions: Sequence[str], passages: int | None, as_json: bool) -> None:
    """
    Rerank passages of Python's documentation.

    For each question, fetch 25 passages of Python's documentation from a vector store, rerank them,
    and show both orders, in each framework that is installed.

    QUESTION: your own questions, instead of the prepared ones.
    """
    if any(not question.strip() for question in questions):
        raise click.BadParameter("it is blank", param_hint="'QUESTION'")
    from openrouter_rerank.cli.output import console, progress, write_json

    with progress("reading Python's documentation"):
        from openrouter_rerank.demo.corpus import corpus
        from openrouter_rerank.demo.run import run

        searched = corpus()[:passages]
    answers = run(console(quiet=as_json), searched, questions)
    if as_json:
        write_json({"results": [_fields(answer) for answer in answers]})


def _fields(answer: "Answer") -> dict[str, object]:
    """Return an answer as JSON has it: both orders, best first, and who has ranked."""
    return {
        "question": answer.question,
        "framework": answer.framework,
        "seconds": answer.seconds,
        "rankings": [
            {
                "model": ranking.model,
                "served_model": ranking.served_model,
                "provider": ranking.provider,
                "cost": ranking.usage.cost,
            }
            for ranking in answer.rankings
        ],
        "retrieved": [{"id": hit.id, "score": hit.score} for hit in answer.outcome.retrieved],
        "reranked": [{"id": hit.id, "score": hit.score} for hit in answer.outcome.reranked],
    }
