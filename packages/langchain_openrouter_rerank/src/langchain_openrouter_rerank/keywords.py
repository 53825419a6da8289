"""The options of LangChain's class as its callers write them, for type checkers."""

from collections.abc import Sequence

from openrouter_rerank.reranker.keywords import RerankKeywords

from .options import DocumentConverter


class DocumentKeywords(RerankKeywords, total=False):
    """What the class takes, as its callers write it."""

    image_key: str | Sequence[str] | None
    rank_fields: Sequence[str]
    score_key: str
    document_converter: DocumentConverter | None
    name: str | None
