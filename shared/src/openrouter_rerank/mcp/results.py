"""
Turns what the client returns into the results of the tools. No I/O.
"""

import json
from collections.abc import Sequence

from mcp import types
from pydantic import BaseModel

from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.mcp.tools import (
    ListRerankModelsResult,
    ModelResult,
    RankedResult,
    RerankResult,
)
from openrouter_rerank.models import ModelListing, RerankModel
from openrouter_rerank.ranking import RankedDocument, Ranking


def rerank_result(
    ranking: Ranking, texts: Sequence[str | RerankDocument] | None
) -> types.CallToolResult:
    """
    Return the result of the tool `rerank`.

    Args:
        ranking: What the client returned.
        texts: The documents that the caller passed, if the result contains their texts.
    """
    return _result(
        RerankResult(
            results=[_ranked(document, texts) for document in ranking],
            model=ranking.model,
            served_model=ranking.served_model,
            provider=ranking.provider,
            cost=ranking.usage.cost,
        )
    )


def models_result(listing: ModelListing, default_model: str) -> types.CallToolResult:
    """
    Return the result of the tool `list_rerank_models`.

    Args:
        listing: The models.
        default_model: The slug that `rerank` uses if a call names no model.
    """
    return _result(
        ListRerankModelsResult(
            models=[
                ModelResult(
                    slug=_sendable_slug(model),
                    context_length=model.context_length,
                    takes_images=model.takes_images,
                    price=model.price,
                )
                for model in listing
            ],
            default_model=default_model,
            is_live=listing.is_live,
            problem=listing.problem,
        )
    )


def tool_error(text: str) -> types.CallToolResult:
    """Return a tool error with this text, which the language model reads."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)


def _sendable_slug(model: RerankModel) -> str:
    # Free models are listed without the variant that makes them free.
    is_free = model.billing == "free" and ":" not in model.slug
    return f"{model.slug}:free" if is_free else model.slug


def _ranked(document: RankedDocument, texts: Sequence[str | RerankDocument] | None) -> RankedResult:
    # The text of the caller's document, never the text that a response repeats.
    given = None if texts is None else texts[document.index]
    return RankedResult(
        index=document.index,
        relevance_score=document.relevance_score,
        text=given.text if isinstance(given, RerankDocument) else given,
    )


def _result(result: BaseModel) -> types.CallToolResult:
    content = result.model_dump(mode="json", exclude_none=True)
    # Clients that know no structured results show the text to the language model.
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=content
    )
