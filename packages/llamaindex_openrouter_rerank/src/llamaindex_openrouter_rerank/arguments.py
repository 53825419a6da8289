"""What callers of the class pass, checked."""

import warnings
from collections.abc import Iterable

from llama_index.core.schema import NodeWithScore, QueryBundle
from openrouter_rerank.errors import InvalidRequestError


def checked(nodes: Iterable[object]) -> list[NodeWithScore]:
    """
    Return the nodes as a list of our own: the caller's may change while an answer is awaited.

    Raises:
        TypeError: Something among them is no `NodeWithScore`, and what to do about it.
    """
    given: list[NodeWithScore] = []
    for at, item in enumerate(nodes):
        if not isinstance(item, NodeWithScore):
            message = (
                f"nodes[{at}] is of type {type(item).__name__}: "
                "wrap it, NodeWithScore(node=...), or pass what a retriever returns"
            )
            raise TypeError(message)
        given.append(item)
    return given


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
