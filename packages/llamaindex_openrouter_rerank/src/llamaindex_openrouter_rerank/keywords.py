"""The options of LlamaIndex's class as its callers write them, for type checkers."""

from collections.abc import Callable
from typing import Literal

from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import MetadataMode, NodeWithScore
from openrouter_rerank.documents import Document
from openrouter_rerank.keywords import RerankKeywords


class NodeKeywords(RerankKeywords, total=False):
    """What the class takes, as its callers write it."""

    metadata_mode: MetadataMode | Literal["all", "embed", "llm", "none"]
    document_fn: Callable[[NodeWithScore], Document | None] | None
    keep_retrieval_score: bool
    callback_manager: CallbackManager
