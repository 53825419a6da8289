"""
The options of `OpenRouterRerank` in the forms that callers may pass, for type checkers.

`OpenRouterRerank` defines the options. A field has the type that it holds, a keyword here the types
that callers may pass for it. Programs do not import this module, because it needs modules of the
core that the class does not need.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from langchain_core.documents import Document
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.reranker import RerankKeywords

DocumentConverter: TypeAlias = Callable[
    [Document], str | Mapping[str, object] | RerankDocument | None
]
"""A function that returns what of a document is ranked, or `None` if there is nothing to rank."""


class DocumentKeywords(RerankKeywords, total=False):
    """The keyword arguments of `OpenRouterRerank`."""

    image_key: str | Sequence[str] | None
    """Metadata fields whose image is ranked together with the text of the document."""
    rank_fields: Sequence[str] | None
    """Metadata fields put before the text, one line each, such as `title: Annual report`."""
    score_key: str
    """Metadata field that the score is written to."""
    keep_retrieval_score: bool
    """
    Keep the value that `score_key` had before as `retrieval_score`: the score of the retriever
    or of an earlier reranker.
    """
    document_converter: DocumentConverter | None
    """
    Function that returns what of a document is ranked, instead of the rules for texts, fields
    and images: a text, a mapping with `text` and/or `image`, a `RerankDocument`, or `None` for
    nothing. Async calls run it in a thread.
    """
    name: str | None
