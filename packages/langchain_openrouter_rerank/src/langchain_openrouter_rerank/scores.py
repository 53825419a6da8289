"""What `rerank` makes of a placement: scores alone, and what traces show beside them. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from langchain_core.documents import Document
from openrouter_rerank.ranking import RankedDocument, Ranking
from openrouter_rerank.reranker import Placement, Unscorable

from ._convert.pillow import LazyContent


def scores(placement: Placement, *, model: str) -> Ranking:
    """Return the ranking, with the positions that the documents had in the list of the caller."""
    ranking = placement.ranking or Ranking(results=(), model=model, requests=())
    return replace(
        ranking,
        results=tuple(
            RankedDocument(placed.index, placed.relevance_score)
            for placed in placement.order
            if placed.relevance_score is not None
        ),
    )


def shown(
    contents: Sequence[LazyContent], placement: Placement, *, score_key: str
) -> list[Document]:
    """Return the texts that were ranked as documents, for those who trace."""
    return [
        Document(
            _text(contents[placed.index]),
            metadata={"index": placed.index, score_key: placed.relevance_score},
        )
        for placed in placement.order
        if placed.relevance_score is not None
    ]


def _text(content: LazyContent) -> str:
    text = content if isinstance(content, str | Unscorable) else content.text
    return text if isinstance(text, str) else ""
