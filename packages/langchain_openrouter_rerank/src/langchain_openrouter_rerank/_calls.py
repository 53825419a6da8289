"""
The calls of `OpenRouterRerank`: convert the documents, rank them, return them or their scores.

Imported with the first reranker, not with the class: it needs most modules of both packages.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeGuard

from langchain_core.documents import Document
from langchain_core.runnables import RunnableConfig
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.reranker import Placement, Reranker, in_texts, in_thread

from ._convert.documents import (
    add_passages,
    checked_documents,
    checked_items,
    checked_query,
    contents,
    ranked,
)
from ._convert.items import own_text, texts_with_scores
from ._convert.pillow import LazyContent, PillowDocument, SendableContent, with_encoded_images
from ._tracing import atraced, traced


class DocumentRules(NamedTuple):
    """What of a document is ranked, and where its score goes."""

    image_keys: tuple[str, ...]
    rank_fields: tuple[str, ...]
    converter: Callable[[Document], object] | None
    score_key: str
    keep_retrieval_score: bool


def compress(
    reranker: Reranker,
    rules: DocumentRules,
    documents: Sequence[Document],
    query: str,
    config: RunnableConfig,
    *,
    name: str,
) -> list[Document]:
    """
    Return copies of the documents that `reranker` keeps, best first.

    Args:
        reranker: The reranker with the options of this call.
        rules: What of a document is ranked, and where its score goes.
        documents: The documents of the caller.
        query: The question; if it is blank, nothing is ranked.
        config: Callbacks, tags and metadata of the run.
        name: The name of the run.

    Raises:
        OpenRouterRerankError: Unless `on_error` lets the failure pass.
    """
    query = checked_query(query)
    with traced(query, config, name=name, model=reranker.model) as run:
        given = checked_documents(documents)
        read = _contents(reranker, rules, given)
        placement = _in_texts(rules, reranker.place(query, read), read, given)
        found = _ranked(rules, given, placement)
        run.record(placement, lambda: found)
        return found


async def acompress(
    reranker: Reranker,
    rules: DocumentRules,
    documents: Sequence[Document],
    query: str,
    config: RunnableConfig,
    *,
    name: str,
) -> list[Document]:
    """Return copies of the documents that `reranker` keeps, as `compress` does."""
    query = checked_query(query)
    async with atraced(query, config, name=name, model=reranker.model) as run:
        given = checked_documents(documents)
        read = await _acontents(reranker, rules, given)
        placement = _in_texts(rules, await reranker.aplace(query, read), read, given)
        found = _ranked(rules, given, placement)
        run.record(placement, lambda: found)
        return found


def rank(
    reranker: Reranker,
    rules: DocumentRules,
    items: Sequence[object],
    query: str,
    config: RunnableConfig,
    *,
    name: str,
) -> Ranking:
    """
    Return the scores of `items`, best first.

    Args:
        reranker: The reranker with the options of this call. It must raise failures.
        rules: What of a document is ranked, and where its score goes.
        items: Documents, or anything else that can be ranked.
        query: The question.
        config: Callbacks, tags and metadata of the run.
        name: The name of the run.

    Raises:
        OpenRouterRerankError: If the query is blank, or ranking failed.
    """
    query = checked_query(query)
    with traced(query, config, name=name, model=reranker.model) as run:
        given = checked_items(items, query)
        read = _contents(reranker, rules, given)
        placement = _in_texts(rules, reranker.place(query, read), read, given)
        run.record(placement, lambda: texts_with_scores(read, placement, score_key=rules.score_key))
        return placement.scores(model=reranker.model)


async def arank(
    reranker: Reranker,
    rules: DocumentRules,
    items: Sequence[object],
    query: str,
    config: RunnableConfig,
    *,
    name: str,
) -> Ranking:
    """Return the scores of `items`, as `rank` does."""
    query = checked_query(query)
    async with atraced(query, config, name=name, model=reranker.model) as run:
        given = checked_items(items, query)
        read = await _acontents(reranker, rules, given)
        placement = _in_texts(rules, await reranker.aplace(query, read), read, given)
        run.record(placement, lambda: texts_with_scores(read, placement, score_key=rules.score_key))
        return placement.scores(model=reranker.model)


def _in_texts(
    rules: DocumentRules,
    placement: Placement,
    read: Sequence[SendableContent],
    items: Sequence[object],
) -> Placement:
    """Return `placement` with the passages of long documents as positions in the items' texts."""
    if not placement.passages:
        return placement

    def text_of(at: int) -> str | None:
        is_converted = rules.converter is not None and isinstance(items[at], Document)
        return None if is_converted else own_text(items[at])

    return in_texts(placement, read, text_of)


def _ranked(
    rules: DocumentRules, documents: Sequence[Document], placement: Placement
) -> list[Document]:
    found = ranked(
        documents,
        placement,
        score_key=rules.score_key,
        keep_retrieval_score=rules.keep_retrieval_score,
    )
    if placement.passages:
        add_passages(found, placement)
    return found


def _contents(
    reranker: Reranker, rules: DocumentRules, items: Sequence[object]
) -> Sequence[SendableContent]:
    """Return what of each item is ranked, with the images of PIL encoded if images are sent."""
    found = _converted(rules, items)
    if _are_sendable(found):
        return found
    return with_encoded_images(found, refusal=reranker.image_refusal())


async def _acontents(
    reranker: Reranker, rules: DocumentRules, items: Sequence[object]
) -> Sequence[SendableContent]:
    """Return what of each item is ranked; slow conversions run in a thread."""
    if rules.converter is not None:
        return await in_thread(_contents, reranker, rules, items)
    found = _converted(rules, items)
    if _are_sendable(found):
        return found
    return await in_thread(with_encoded_images, found, refusal=reranker.image_refusal())


def _converted(rules: DocumentRules, items: Sequence[object]) -> list[LazyContent]:
    return contents(
        items,
        image_keys=rules.image_keys,
        rank_fields=rules.rank_fields,
        converter=rules.converter,
    )


def _are_sendable(found: Sequence[LazyContent]) -> TypeGuard[Sequence[SendableContent]]:
    """Return `True` if no image of PIL has to be encoded or left out."""
    return PillowDocument not in set(map(type, found))


def check_input(given: object) -> None:
    """
    Check the input of a reranker as a step of a chain.

    Raises:
        InvalidRequestError: If it is not a mapping with `query` and `documents`.
    """
    # Other keys are allowed: the other steps of a chain may need them.
    if not _is_mapping(given) or not {"query", "documents"} <= set(given):
        what = sorted(map(str, given)) if _is_mapping(given) else type(given).__name__
        raise InvalidRequestError(
            f"the input of a reranker is a mapping with query and documents, got {what!r:.200}"
        )


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)
