"""The command `openrouter-rerank rank`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .failures import INCOMPLETE, Failure, write
from .options import (
    Number,
    WholeNumber,
    client_keywords,
    finite,
    model_option,
    output_options,
    service_options,
)

if TYPE_CHECKING:
    from openrouter_rerank.client_options import ClientKeywords
    from openrouter_rerank.ranking import RankedDocument, Ranking

    from .inputs import Input

# Characters. Of a longer source, the end is shown: the name of the file, and the line.
_LONGEST_SOURCE = 24
# Characters of a document that a terminal shows, or it shows no sources.
_LEAST_OF_DOCUMENT = 24
# Blank documents that a line names.
_MOST_NAMED = 5


@click.command(
    "rank",
    epilog="In a pipe, each line has three fields with tabs between them: score, source, document.",
)
@click.argument("query")
@click.argument("files", nargs=-1, type=click.Path())
@click.option(
    "--top-n",
    metavar="N",
    type=WholeNumber(min=1),
    help="Print only the N best documents. Default: all.",
)
@click.option(
    "--threshold",
    metavar="SCORE",
    type=Number(),
    callback=finite,
    help="Print only documents with at least this score.",
)
@model_option("The model that ranks.")
@click.option("--lines", is_flag=True, help="Each line of a text file is a document.")
@click.option(
    "--jsonl",
    "json_lines",
    is_flag=True,
    help="Each line of the input is JSON: a string, or an object with text and/or image.",
)
@service_options
@output_options
def command(
    *,
    query: str,
    files: Sequence[str],
    top_n: int | None,
    threshold: float | None,
    model: str,
    lines: bool,
    json_lines: bool,
    base_url: str | None,
    timeout: float | None,
    as_json: bool,
) -> int:
    """
    Rank FILES by their relevance to QUERY, best first.

    Without FILES, or for the file -, each line of the standard input is a document. A text file is
    one document, or one for each line with --lines. Each line of a .jsonl file is a document: a
    string, or an object with text and/or image, whose other keys are printed with --json. An image
    file is a document for models that take images.
    """
    from . import output
    from .inputs import read_inputs

    if not query.strip():
        raise click.BadParameter("it is blank", param_hint="'QUERY'")
    if "" in files:
        raise click.BadParameter("the name of a file is empty", param_hint="'FILES'")
    if not files and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError("name FILES, or pipe lines into it", click.get_current_context())
    with output.progress("reading the documents"):
        found = list(read_inputs(files, lines=lines, json_lines=json_lines))
    inputs = [each for each in found if not each.is_blank]
    _check_images(inputs, model)
    with output.progress(f"ranking with {model} (documents: {len(inputs)})"):
        ranking = _rank(query, inputs, model, top_n, client_keywords(base_url, timeout))
    kept = [each for each in ranking if threshold is None or each.relevance_score >= threshold]
    if as_json:
        _print_json(query, inputs, kept, ranking)
    elif output.is_terminal():
        _print_table(inputs, kept, ranking)
    else:
        for each in kept:
            shown = inputs[each.index]
            text = (shown.document.text or "[image]").rstrip("\r\n")
            output.write_fields(f"{each.relevance_score:.6g}", shown.source, text)
    blank = [each for each in found if each.is_blank]
    if not blank:
        return 0
    _report_blank(blank, len(found))
    return INCOMPLETE


def _check_images(inputs: Sequence["Input"], model: str) -> None:
    from openrouter_rerank.models import image_model, known_model

    known = known_model(model)
    image = next((each for each in inputs if each.document.image is not None), None)
    if image is not None and known is not None and not known.takes_images:
        raise Failure(
            f"{image.source} is an image, and {model} takes only text: add --model "
            f"{image_model()}, or leave the images out"
        )


def _rank(
    query: str,
    inputs: Sequence["Input"],
    model: str,
    top_n: int | None,
    keywords: "ClientKeywords",
) -> "Ranking":
    from openrouter_rerank.client import RerankClient

    from .service import options_with_key

    with RerankClient.from_options(options_with_key(keywords)) as client:
        documents = [each.document for each in inputs]
        return client.rerank(query, documents, model=model, top_n=top_n)


def _print_json(
    query: str,
    inputs: Sequence["Input"],
    kept: Sequence["RankedDocument"],
    ranking: "Ranking",
) -> None:
    from .output import write_json

    usage = ranking.usage
    write_json(
        {
            "query": query,
            "model": ranking.model,
            "served_model": ranking.served_model,
            "provider": ranking.provider,
            "id": ranking.id,
            "documents": len(inputs),
            "results": [
                {
                    "rank": rank,
                    "index": each.index,
                    "relevance_score": each.relevance_score,
                    "source": inputs[each.index].source,
                    "document": inputs[each.index].fields,
                }
                for rank, each in enumerate(kept, start=1)
            ],
            "requests": len(ranking.requests),
            "attempts": ranking.attempts,
            "usage": {
                "cost": usage.cost,
                "search_units": usage.search_units,
                "total_tokens": usage.total_tokens,
            },
        }
    )


def _print_table(
    inputs: Sequence["Input"], kept: Sequence["RankedDocument"], ranking: "Ranking"
) -> None:
    from .escapes import first_words, one_line
    from .output import console
    from .summary import ranked_by, shown_cost
    from .tables import Column, print_table

    columns = [
        Column(heading="#", is_number=True, left_out=2),
        Column(heading="score", is_number=True),
        Column(heading="source", left_out=1, longest=_LONGEST_SOURCE),
        Column(heading="document"),
    ]
    rows = [
        [
            str(rank),
            f"{each.relevance_score:.3f}",
            inputs[each.index].source,
            first_words(inputs[each.index].document.text or "[image]"),
        ]
        for rank, each in enumerate(kept, start=1)
    ]
    print_table(columns, rows, least=_LEAST_OF_DOCUMENT, wraps=False)
    console().print(
        one_line(
            f"{len(kept)} of {len(inputs)} shown, ranked by {ranked_by(ranking)}; "
            f"{shown_cost(ranking.usage.cost)}"
        )
    )


def _report_blank(blank: Sequence["Input"], count: int) -> None:
    """Name the first of the `blank` documents, which are not ranked."""
    from .output import flush

    # After the results, also if both are written to the same file.
    flush()
    write(
        f"left out, without text ({len(blank)} of {count}): "
        + ", ".join(each.source for each in blank[:_MOST_NAMED])
        + (", ..." if len(blank) > _MOST_NAMED else "")
    )
