"""What callers of the class pass, checked."""

import warnings
from collections.abc import Iterable
from typing import TypeGuard

from llama_index.core.schema import NodeWithScore, QueryBundle
from openrouter_rerank.errors import InvalidRequestError


def checked(nodes: Iterable[object]) -> list[NodeWithScore]:
    """
    Return the nodes as a list of our own: the caller's may change while an answer is awaited.

    Raises:
        TypeError: Something among them is no `NodeWithScore`, and what to do about it.
    """
    given = list(nodes)
    if _are_scored(given):
        return given
    at, kind = next((at, type(n)) for at, n in enumerate(given) if not isinstance(n, NodeWithScore))
    message = (
        f"nodes[{at}] is of type {kind.__name__}: "
        "wrap it, NodeWithScore(node=...), or pass what a retriever returns"
    )
    raise TypeError(message)


def _are_scored(items: list[object]) -> TypeGuard[list[NodeWithScore]]:
    return all(issubclass(kind, NodeWithScore) for kind in set(map(type, items)))


def asked(query: object) -> QueryBundle:
    """
    Return the query as a bundle.

    Raises:
        InvalidRequestError: There is none.
    """
    bundle = QueryBundle(query) if isinstance(query, str) else query
    if not isinstance(bundle, QueryBundle):
        raise InvalidRequestError("there is no query to rank for: pass query_str or query_bundle")
    if bundle.image_path is not None:
        warnings.warn(
            "the image_path of the query is ignored: rerank models are asked in words",
            stacklevel=2,
        )
    return bundle
