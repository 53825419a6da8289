"""The command `openrouter-rerank models`."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import click

from .failures import write
from .latencies import LATENCIES
from .options import client_keywords, output_options, service_options
from .wording import for_command_line

if TYPE_CHECKING:
    from openrouter_rerank.models import ModelListing, RerankModel

_SortKey: TypeAlias = tuple[float, float, str]

_DOLLARS = re.compile(r"\$([0-9.]+)")
_LAST = float("inf")
_UNKNOWN = "-"
_BILLINGS = {"tokens": 1.0, "search units": 2.0}


def _price(model: "RerankModel") -> _SortKey:
    found = _DOLLARS.search(model.price or "")
    if model.billing == "free":
        return (0.0, 0.0, "")
    if found is None:
        return (_LAST, 0.0, "")
    # Tokens and search units cannot be compared without knowing the documents.
    return (_BILLINGS.get(model.billing or "", _LAST), float(found[1]), "")


def _latency(model: "RerankModel") -> _SortKey:
    latency = LATENCIES.get(model.slug)
    return (_LAST if latency is None else float(latency.split()[0]), 0.0, "")


def _context(model: "RerankModel") -> _SortKey:
    return (-(model.context_length or 0), 0.0, "")


def _images(model: "RerankModel") -> _SortKey:
    return (not model.takes_images, 0.0, "")


def _name(model: "RerankModel") -> _SortKey:
    return (0.0, 0.0, model.slug)


_ORDERS: Mapping[str, Callable[["RerankModel"], _SortKey]] = {
    "price": _price,
    "latency": _latency,
    "context": _context,
    "images": _images,
    "name": _name,
}

# The columns in the order in which a narrow terminal leaves them out.
_LEFT_OUT = ("removed", "billing", "documents", "images", "latency", "context")
# Characters of a price that a line shows, or a column is left out: "$0.02 per million tokens".
_LEAST_OF_PRICE = 24


@click.command(
    "models",
    epilog="In a pipe, each line has eight fields with tabs between them: model, tokens of "
    "context, documents in a request, images (yes or no), billing, the day after which it may be "
    "removed, latency, price. A field that is not known is -.",
)
@click.option(
    "--sort",
    "order",
    metavar="ORDER",
    type=click.Choice(list(_ORDERS)),
    help="price: free models, then those billed by tokens, then by search units, each from the "
    "cheapest. latency: the fastest first. context: the longest first. images: models that take "
    "images first. name: by slug. Default: the order of the list.",
)
@service_options
@output_options
def command(
    *, order: str | None, base_url: str | None, timeout: float | None, as_json: bool
) -> None:
    """
    List the rerank models that the service offers today.

    No key is needed. Without a network, the list is the one that is built in. Prices and latencies
    are always built in, because the list of the service has none.
    """
    from . import output
    from .service import Service

    with output.progress("requesting the list of models"):
        listing = Service(client_keywords(base_url, timeout)).models()
    models = sorted(listing, key=_ORDERS[order]) if order else list(listing)
    if as_json:
        _print_json(listing, models)
    elif output.is_terminal():
        _print_table(models, order)
        output.console().print(_source(listing))
    else:
        for model in models:
            output.write_fields(*_cells(model))
        write(_source(listing))


def _print_table(models: Sequence["RerankModel"], order: str | None) -> None:
    from .tables import Column, print_table

    columns = [
        Column(
            heading=heading,
            is_number=heading in {"context", "documents"},
            # The column that the models are sorted by is left out last.
            left_out=len(_LEFT_OUT) if heading == order else _LEFT_OUT.index(heading),
        )
        for heading in ("context", "documents", "images", "billing", "removed", "latency")
    ]
    print_table(
        [Column(heading="model"), *columns, Column(heading="price")],
        [*map(_cells, models)],
        least=_LEAST_OF_PRICE,
        wraps=True,
    )


def _cells(model: "RerankModel") -> list[str]:
    return [
        model.slug,
        _shown(model.context_length),
        _shown(model.max_documents),
        "yes" if model.takes_images else "no",
        _shown(model.billing),
        _shown(model.expires),
        _shown(LATENCIES.get(model.slug)),
        _shown(model.price),
    ]


def _shown(value: object) -> str:
    return _UNKNOWN if value is None else str(value)


def _source(listing: "ModelListing") -> str:
    from openrouter_rerank.models import CATALOGUE_DATE

    if listing.is_live:
        return f"The list is live. Prices and latencies are built in, as of {CATALOGUE_DATE}."
    return f"The list is built in, as of {CATALOGUE_DATE}, because: {_problem(listing)}"


def _problem(listing: "ModelListing") -> str | None:
    return None if listing.problem is None else for_command_line(listing.problem)


def _print_json(listing: "ModelListing", models: Sequence["RerankModel"]) -> None:
    from openrouter_rerank.models import CATALOGUE_DATE

    from .output import write_json

    write_json(
        {
            "source": "live" if listing.is_live else "built in",
            "problem": _problem(listing),
            "built_in_date": str(CATALOGUE_DATE),
            "models": [
                {
                    "slug": model.slug,
                    "aliases": list(model.aliases),
                    "context_length": model.context_length,
                    "query_length": model.query_length,
                    "max_documents": model.max_documents,
                    "max_request_bytes": model.max_request_bytes,
                    "takes_images": model.takes_images,
                    "image_formats": list(model.image_formats),
                    "billing": model.billing,
                    "price": model.price,
                    "latency": LATENCIES.get(model.slug),
                    "expires": None if model.expires is None else str(model.expires),
                    "replacement": model.replacement,
                    "derived_from": model.derived_from,
                }
                for model in models
            ],
        }
    )
