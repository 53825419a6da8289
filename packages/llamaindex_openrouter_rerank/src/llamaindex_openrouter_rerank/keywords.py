"""The options of LlamaIndex's class as its callers write them, for type checkers."""

from typing import Literal

from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import MetadataMode
from openrouter_rerank.reranker.keywords import RerankKeywords

from .options import DocumentFunction


class NodeKeywords(RerankKeywords, total=False):
    """What the class takes, as its callers write it."""

    metadata_mode: MetadataMode | Literal["all", "embed", "llm", "none"]
    document_fn: DocumentFunction | None
    keep_retrieval_score: bool
    callback_manager: CallbackManager
