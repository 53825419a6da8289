"""One call of the reranker: its documents read, ranked and returned, or their scores alone."""

import asyncio
from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.runnables import RunnableConfig
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.reranker import Content, Placement

from ._convert.documents import contents, ranked
from ._convert.pillow import LazyContent, encoded, left_out, needs_no_pillow
from ._tracing import atraced, traced
from .arguments import asked, checked
from .runnable import RerankStep
from .scores import scores, shown


def compressed(
    reranker: RerankStep, documents: Sequence[Document], query: str, config: RunnableConfig
) -> list[Document]:
    """Return the documents that `reranker` keeps, best first."""
    with traced(query, config, name=reranker.get_name(), model=reranker.model) as run:
        given = checked(documents)
        placement = _placed(reranker, query, _read(reranker, given))
        found = ranked(given, placement, score_key=reranker.score_key)
        run.ended(placement, lambda: found)
        return found


async def acompressed(
    reranker: RerankStep, documents: Sequence[Document], query: str, config: RunnableConfig
) -> list[Document]:
    """Return the documents that `reranker` keeps, best first."""
    async with atraced(query, config, name=reranker.get_name(), model=reranker.model) as run:
        given = checked(documents)
        placement = await _aplaced(reranker, query, await _aread(reranker, given))
        found = ranked(given, placement, score_key=reranker.score_key)
        run.ended(placement, lambda: found)
        return found


def scored(
    reranker: RerankStep, documents: Sequence[object], query: str, config: RunnableConfig
) -> Ranking:
    """Return the scores that `reranker` gives; it must raise what fails."""
    with traced(query, config, name=reranker.get_name(), model=reranker.model) as run:
        read = _read(reranker, asked(documents, query))
        placement = _placed(reranker, query, read)
        run.ended(placement, lambda: shown(read, placement, score_key=reranker.score_key))
        return scores(placement, model=reranker.model)


async def ascored(
    reranker: RerankStep, documents: Sequence[object], query: str, config: RunnableConfig
) -> Ranking:
    """Return the scores that `reranker` gives; it must raise what fails."""
    async with atraced(query, config, name=reranker.get_name(), model=reranker.model) as run:
        read = await _aread(reranker, asked(documents, query))
        placement = await _aplaced(reranker, query, read)
        run.ended(placement, lambda: shown(read, placement, score_key=reranker.score_key))
        return scores(placement, model=reranker.model)


def _read(reranker: RerankStep, items: Sequence[object]) -> list[LazyContent]:
    keys = reranker.image_key
    return contents(
        items,
        image_keys=(keys,) if isinstance(keys, str) else keys or (),
        rank_fields=reranker.rank_fields,
        converter=reranker.document_converter,
    )


async def _aread(reranker: RerankStep, items: Sequence[object]) -> list[LazyContent]:
    if reranker.document_converter is None:
        return _read(reranker, items)
    return await asyncio.to_thread(_read, reranker, items)


def _placed(reranker: RerankStep, query: str, read: Sequence[LazyContent]) -> Placement:
    return reranker.place(query, _sendable(reranker, read))


async def _aplaced(reranker: RerankStep, query: str, read: Sequence[LazyContent]) -> Placement:
    if needs_no_pillow(read):
        return await reranker.aplace(query, read)
    return await reranker.aplace(query, await asyncio.to_thread(_sendable, reranker, read))


def _sendable(reranker: RerankStep, read: Sequence[LazyContent]) -> Sequence[Content]:
    """Encode images of PIL, if they are sent."""
    if needs_no_pillow(read):
        return read
    return encoded(read) if reranker.sends_images() else left_out(read)
