"""The calls of `OpenRouterRerank`: check the arguments, rank the nodes, report to the handlers."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import NamedTuple, TypeGuard, TypeVar

from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from openrouter_rerank.documents import Document
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.reranker import (
    Content,
    ErrorsSuppressed,
    Placement,
    Reranker,
    in_texts,
    in_thread,
)
from pydantic import BaseModel

from ._convert.items import is_node, item_text, items_contents, shown_nodes, shown_result
from ._convert.nodes import add_passages, contents, have_images, ranked
from ._tracing import Outcome, traced

_ITEM = TypeVar("_ITEM")


class NodeRules(NamedTuple):
    """What of a node is ranked, and what happens to the score of its retriever."""

    metadata_mode: MetadataMode
    document_fn: Callable[[NodeWithScore], Document | None] | None
    keep_retrieval_score: bool


def postprocess(
    reranker: Reranker,
    rules: NodeRules,
    nodes: Iterable[NodeWithScore],
    query_bundle: QueryBundle | str | None,
    callback_manager: CallbackManager,
) -> list[NodeWithScore]:
    """
    Rank `nodes` and return those that `reranker` keeps, best first.

    Raises:
        OpenRouterRerankError: If ranking fails; see `openrouter_rerank.errors` for the tree.
    """
    given, query = checked_nodes(nodes), checked_query(query_bundle)
    with _traced(reranker, lambda: given, query, callback_manager, len(given)) as outcome:
        read = _contents(rules, given)
        placement = reranker.place(query.query_str.strip(), read)
        placement = _in_texts(rules, placement, read, given)
        result = _ranked(rules, given, placement)
        outcome.record(placement, lambda: result)
        return result


async def apostprocess(
    reranker: Reranker,
    rules: NodeRules,
    nodes: Iterable[NodeWithScore],
    query_bundle: QueryBundle | str | None,
    callback_manager: CallbackManager,
) -> list[NodeWithScore]:
    """
    Rank `nodes` and return those that `reranker` keeps, best first.

    Raises:
        OpenRouterRerankError: If ranking fails; see `openrouter_rerank.errors` for the tree.
    """
    given, query = checked_nodes(nodes), checked_query(query_bundle)
    with _traced(reranker, lambda: given, query, callback_manager, len(given)) as outcome:
        read = await _converted(_contents, rules, given)
        placement = await reranker.aplace(query.query_str.strip(), read)
        placement = _in_texts(rules, placement, read, given)
        result = _ranked(rules, given, placement)
        outcome.record(placement, lambda: result)
        return result


def rank(
    reranker: Reranker,
    rules: NodeRules,
    documents: Iterable[object],
    query: QueryBundle | str,
    callback_manager: CallbackManager,
) -> Ranking:
    """
    Return the scores of `documents`, best first. `reranker` must raise failures.

    Raises:
        OpenRouterRerankError: If the query is blank, or ranking failed.
    """
    items, bundle = _as_list("documents", documents), _question(query)
    with _traced(
        reranker, lambda: shown_nodes(items), bundle, callback_manager, len(items)
    ) as outcome:
        read = _items_contents(rules, items)
        placement = reranker.place(bundle.query_str.strip(), read)
        placement = _in_texts(rules, placement, read, items)
        outcome.record(placement, lambda: shown_result(items, placement))
        return placement.scores(model=reranker.model)


async def arank(
    reranker: Reranker,
    rules: NodeRules,
    documents: Iterable[object],
    query: QueryBundle | str,
    callback_manager: CallbackManager,
) -> Ranking:
    """Return the scores of `documents`, as `rank` does."""
    items, bundle = _as_list("documents", documents), _question(query)
    with _traced(
        reranker, lambda: shown_nodes(items), bundle, callback_manager, len(items)
    ) as outcome:
        read = await _converted(_items_contents, rules, items)
        placement = await reranker.aplace(bundle.query_str.strip(), read)
        placement = _in_texts(rules, placement, read, items)
        outcome.record(placement, lambda: shown_result(items, placement))
        return placement.scores(model=reranker.model)


def _traced(
    reranker: Reranker,
    nodes: Callable[[], Sequence[NodeWithScore]],
    query: QueryBundle,
    callback_manager: CallbackManager,
    size: int,
) -> AbstractContextManager[Outcome]:
    model, top_n = reranker.model, reranker.top_n
    return traced(nodes, query, callback_manager, size=size, model=model, top_n=top_n)


def _contents(rules: NodeRules, nodes: Sequence[NodeWithScore]) -> list[Content]:
    return contents(nodes, metadata_mode=rules.metadata_mode, document_fn=rules.document_fn)


def _items_contents(rules: NodeRules, items: Sequence[object]) -> list[Content]:
    return items_contents(items, metadata_mode=rules.metadata_mode, document_fn=rules.document_fn)


async def _converted(
    convert: Callable[[NodeRules, Sequence[_ITEM]], list[Content]],
    rules: NodeRules,
    items: Sequence[_ITEM],
) -> list[Content]:
    # `document_fn` may use what belongs to the event loop, so it never runs in another thread.
    if rules.document_fn is None and have_images(items):
        # Checking the base64 of twenty photographs would block the event loop for too long.
        return await in_thread(convert, rules, items)
    return convert(rules, items)


def _question(query: QueryBundle | str) -> QueryBundle:
    bundle = checked_query(query)
    if not bundle.query_str.strip():
        raise InvalidRequestError("query is blank: pass the question to rank the documents by")
    return bundle


def _in_texts(
    rules: NodeRules, placement: Placement, read: Sequence[Content], items: Sequence[object]
) -> Placement:
    """Return `placement` with the passages of long documents as positions in the items' texts."""
    if not placement.passages:
        return placement

    def text_of(at: int) -> str | None:
        is_converted = rules.document_fn is not None and is_node(items[at])
        return None if is_converted else item_text(items[at])

    return in_texts(placement, read, text_of)


def _ranked(
    rules: NodeRules, nodes: Sequence[NodeWithScore], placement: Placement
) -> list[NodeWithScore]:
    found = ranked(nodes, placement, keep_retrieval_score=rules.keep_retrieval_score)
    if placement.passages:
        add_passages(found, placement)
    return found


def checked_nodes(nodes: Iterable[object]) -> list[NodeWithScore]:
    """
    Return `nodes` as a new list, because callers may change theirs during an asynchronous call.

    Raises:
        InvalidRequestError: If there is no list, or an item is not a `NodeWithScore`. The message
            names its position and the fix.
    """
    given = _as_list("nodes", nodes)
    if _are_nodes_with_score(given):
        return given
    at, wrong = next((at, n) for at, n in enumerate(given) if not isinstance(n, NodeWithScore))
    if isinstance(wrong, tuple):
        raise InvalidRequestError(
            f"nodes[{at}] is a tuple: pass NodeWithScore(node=node, score=score) for each"
        )
    raise InvalidRequestError(
        f"nodes[{at}] is of type {type(wrong).__name__}: "
        "wrap it, NodeWithScore(node=...), or pass what a retriever returns"
    )


def _as_list(name: str, given: Iterable[object]) -> list[object]:
    # A single node could be iterated: it yields the names and values of its fields.
    if not isinstance(given, str | bytes | Mapping | BaseModel):
        with suppress(TypeError):
            return list(given)
    raise InvalidRequestError(
        f"{name} is of type {type(given).__name__}: pass a list, with one item for each node"
    )


def _are_nodes_with_score(items: list[object]) -> TypeGuard[list[NodeWithScore]]:
    return all(issubclass(kind, NodeWithScore) for kind in set(map(type, items)))


def checked_query(query: object) -> QueryBundle:
    """
    Return `query`, a bundle or a string, as a bundle. Warn if it has an image, which is not sent.

    Raises:
        InvalidRequestError: If `query` is neither.
    """
    if query is None:
        raise InvalidRequestError("no query: pass query_str or query_bundle")
    bundle = _bundle(query)
    text: object = query if bundle is None else bundle.query_str
    if bundle is None or not isinstance(text, str):
        raise InvalidRequestError(
            f"query must be a string or a QueryBundle of one, got an object of type "
            f"{type(text).__name__}: pass the question as query_str"
        )
    if bundle.image_path is not None:
        warnings.warn(
            "image_path of the query is ignored: rerank models accept only text as the query",
            stacklevel=2,
        )
    return bundle


def _bundle(query: object) -> QueryBundle | None:
    if type(query) is QueryBundle:
        return query
    with ErrorsSuppressed():  # The attributes of a user's object may raise any exception
        if isinstance(query, str):
            # If it is of a subclass, take the content.
            return QueryBundle(str.__str__(query))
        if isinstance(query, QueryBundle):
            return query
    return None
