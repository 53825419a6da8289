"""What both framework classes do: send what can be ranked, and place every document."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from openrouter_rerank.client_options import RequestOptions
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.reranker.placement import Content, LocalImageDocument

from .clients import Clients
from .image_files import read_image
from .options import RerankOptions
from .placement import Arrangement, ImagePolicy, Placement, arranged, untouched

logger = logging.getLogger("openrouter_rerank")


def place(
    options: RerankOptions, clients: Clients, query: str, contents: Sequence[Content]
) -> Placement:
    """
    Rank `contents` as `options` say, and place every one of them.

    Raises:
        OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure may pass.
    """
    if _is_blank(query):
        return untouched(len(contents), top_n=options.top_n)
    arrangement = _arranged(options, contents)
    if not arrangement.documents:
        return arrangement.unranked(top_n=options.top_n)
    client = clients.synchronous(options)
    try:
        ranking = client.rerank(
            query,
            arrangement.documents,
            model=options.model,
            top_n=options.top_n,
            **request_options(options),
        )
    except OpenRouterRerankError as error:
        return _passed_through(options, len(contents), error)
    return _placed(options, arrangement, ranking)


async def aplace(
    options: RerankOptions, clients: Clients, query: str, contents: Sequence[Content]
) -> Placement:
    """
    Rank `contents` as `options` say, and place every one of them.

    Raises:
        OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure may pass.
    """
    if _is_blank(query):
        return untouched(len(contents), top_n=options.top_n)
    if LocalImageDocument in set(map(type, contents)):
        arrangement = await asyncio.to_thread(_arranged, options, contents)
    else:
        arrangement = _arranged(options, contents)
    if not arrangement.documents:
        return arrangement.unranked(top_n=options.top_n)
    client = clients.asynchronous(options)
    try:
        ranking = await client.rerank(
            query,
            arrangement.documents,
            model=options.model,
            top_n=options.top_n,
            **request_options(options),
        )
    except OpenRouterRerankError as error:
        return _passed_through(options, len(contents), error)
    return _placed(options, arrangement, ranking)


def request_options(options: RerankOptions) -> RequestOptions:
    """Return the options that are arguments of a call."""
    return {
        "fallback_models": options.fallback_models,
        "provider": options.provider,
        "session_id": options.session_id,
        "user": options.user,
        "trace": options.trace,
        "extra_body": options.extra_body,
        "max_documents_per_request": options.max_documents_per_request,
    }


def _arranged(options: RerankOptions, contents: Sequence[Content]) -> Arrangement:
    images = ImagePolicy(
        takes_images=options.sends_images(),
        max_bytes=options.max_image_bytes,
        read=partial(read_image, root=options.image_root, max_bytes=options.max_image_bytes),
    )
    return arranged(contents, images, options.unscorable)


def _placed(options: RerankOptions, arrangement: Arrangement, ranking: Ranking) -> Placement:
    return arrangement.placed(ranking, top_n=options.top_n, score_threshold=options.score_threshold)


def _passed_through(options: RerankOptions, size: int, error: OpenRouterRerankError) -> Placement:
    # Never for a wrong key or argument: that would hide a mistake behind worse answers.
    if options.on_error == "raise" or not error.retryable:
        raise error
    logger.warning(
        "rerank failed, the order of the retriever is kept: %s: %s",
        type(error).__name__,
        error.message,
    )
    return untouched(size, top_n=options.top_n, error=error)


def _is_blank(query: object) -> bool:
    return isinstance(query, str) and not query.strip()
