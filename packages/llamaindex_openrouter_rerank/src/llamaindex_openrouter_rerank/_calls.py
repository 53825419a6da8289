"""One call of the postprocessor: its nodes read, ranked and returned, and its handlers told."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager

from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import NodeWithScore, QueryBundle
from openrouter_rerank.reranker import Content, Placement

from ._convert.nodes import chosen, contents, hold_image, ranked
from ._tracing import Conclude, reported
from .arguments import asked, checked
from .options import NodeOptions


def postprocessed(
    options: NodeOptions,
    nodes: Sequence[NodeWithScore],
    query_bundle: QueryBundle | str | None,
    callback_manager: CallbackManager,
) -> list[NodeWithScore]:
    """Return the nodes that are kept, best first."""
    given, query = checked(nodes), asked(query_bundle)
    with _reported(options, given, query, callback_manager) as conclude:
        placement = options.place(query.query_str.strip(), _contents(options, given))
        return conclude(placement, _ranked(options, given, placement))


async def apostprocessed(
    options: NodeOptions,
    nodes: Sequence[NodeWithScore],
    query_bundle: QueryBundle | str | None,
    callback_manager: CallbackManager,
) -> list[NodeWithScore]:
    """Return the nodes that are kept, best first."""
    given, query = checked(nodes), asked(query_bundle)
    with _reported(options, given, query, callback_manager) as conclude:
        read = await _acontents(options, given)
        placement = await options.aplace(query.query_str.strip(), read)
        return conclude(placement, _ranked(options, given, placement))


def _contents(options: NodeOptions, nodes: Sequence[NodeWithScore]) -> list[Content]:
    if options.document_fn is not None:
        return chosen(nodes, options.document_fn)
    return contents(nodes, metadata_mode=options.metadata_mode)


async def _acontents(options: NodeOptions, nodes: Sequence[NodeWithScore]) -> list[Content]:
    if options.document_fn is None and hold_image(nodes):
        # Checking the base64 of twenty photographs would hold the event loop up for long.
        return await asyncio.to_thread(_contents, options, nodes)
    return _contents(options, nodes)


def _ranked(
    options: NodeOptions, nodes: Sequence[NodeWithScore], placement: Placement
) -> list[NodeWithScore]:
    return ranked(nodes, placement, keep_retrieval_score=options.keep_retrieval_score)


def _reported(
    options: NodeOptions,
    nodes: Sequence[NodeWithScore],
    query: QueryBundle,
    callback_manager: CallbackManager,
) -> AbstractContextManager[Conclude]:
    return reported(
        nodes,
        query,
        model=options.model,
        top_n=options.top_n,
        callback_manager=callback_manager,
    )
