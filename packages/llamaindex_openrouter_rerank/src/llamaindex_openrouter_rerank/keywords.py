"""
The options of `OpenRouterRerank` in the forms that callers may pass, for type checkers.

`OpenRouterRerank` defines the options. A field has the type that it holds, a keyword here the types
that callers may pass for it, such as `"none"` for `MetadataMode.NONE`. Programs do not import this
module, because it needs modules of the core that the class does not need.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import MetadataMode, NodeWithScore
from openrouter_rerank.documents import Document
from openrouter_rerank.reranker import RerankKeywords

DocumentFunction: TypeAlias = Callable[[NodeWithScore], Document | None]
"""Returns the document to rank for a node, or `None` if the node has nothing to rank."""


class NodeKeywords(RerankKeywords, total=False):
    """The keyword arguments of `OpenRouterRerank`."""

    metadata_mode: MetadataMode | Literal["all", "embed", "llm", "none"]
    """
    Metadata ranked with the text. Default: the metadata that embeddings see.
    `MetadataMode.NONE` sends no metadata, such as file paths.
    """
    document_fn: DocumentFunction | None
    """
    Function that returns what of a node is ranked, instead of its text, metadata and image: a
    text, a mapping with `text` and/or `image`, a `RerankDocument`, or `None` for nothing.
    """
    keep_retrieval_score: bool
    """
    Return copies of the nodes, with the retriever's score as `retrieval_score` in their
    metadata. Prompts and embeddings do not see it.
    """
    callback_manager: CallbackManager
