"""
What the framework packages share. It is public for them, and released together with them.

What belongs here: the options that both framework classes have, their calls, their clients, and
where each document ends up. What does not belong here: anything of one framework (its documents,
callbacks and settings belong to its package), and anything that a user of the plain client needs.

How a call runs: a framework package converts its documents to `Content` and calls
`Reranker.place(query, contents)`. `calls.py` gets the client that fits the options (`Clients`), and
`placement.py` divides the documents into those to send and those with nothing to rank; images in
files are read by `image_files.py`. The client ranks, and `placement.py` returns a `Placement`: the
positions of the documents in their new order, with scores. The package puts its own documents in
that order, and `passages.py` says where in a long document its best passage is. If the service
fails and `on_error` lets the failure pass, the placement keeps the order of the input. If the
service refuses a document and names it (`refused_documents.py`), the call is made once more without
it. `situations.py` logs what was not ranked.

`options.py` has the fields. `keywords.py` repeats their names for type checkers, with the types
that callers may pass, and has the options of one call. `reranker.py` has the base class, which
makes calls and their copies, pickles and closes. `overrides.py` finds the sync method of a subclass
that an async call has to use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openrouter_rerank._tracebacks import ErrorsSuppressed, raise_if_from_signal
    from openrouter_rerank._transport.threads import in_thread

    from .keywords import CallOptions, RerankKeywords
    from .options import RerankOptions
    from .passages import PASSAGE_KEY, RETRIEVAL_SCORE, in_texts, passage_metadata
    from .placement import Content, LocalImageDocument, Placed, Placement, Unscorable, WithoutImage
    from .reranker import Reranker

__all__ = [
    "PASSAGE_KEY",
    "RETRIEVAL_SCORE",
    "CallOptions",
    "Content",
    "ErrorsSuppressed",
    "LocalImageDocument",
    "Placed",
    "Placement",
    "RerankKeywords",
    "RerankOptions",
    "Reranker",
    "Unscorable",
    "WithoutImage",
    "in_texts",
    "in_thread",
    "passage_metadata",
    "raise_if_from_signal",
]

_MODULES = {
    "._tracebacks": ("ErrorsSuppressed", "raise_if_from_signal"),
    "._transport.threads": ("in_thread",),
    "keywords": ("CallOptions", "RerankKeywords"),
    "options": ("RerankOptions",),
    "passages": ("PASSAGE_KEY", "RETRIEVAL_SCORE", "in_texts", "passage_metadata"),
    "placement": (
        "Content",
        "LocalImageDocument",
        "Placed",
        "Placement",
        "Unscorable",
        "WithoutImage",
    ),
    "reranker": ("Reranker",),
}


def __getattr__(name: str) -> object:
    # Lazily: the classes of the framework packages need the options only, and importing the rest
    # would double the time that importing such a class takes.
    for module, names in _MODULES.items():
        if name in names:
            found: object = getattr(import_module(f".{module}", __name__), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
