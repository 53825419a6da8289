"""A LlamaIndex node postprocessor that reranks nodes with OpenRouter's rerank models."""

from ._version import __version__
from .rerank import OpenRouterRerank
from .score_store import KVScoreStore

__all__ = ["KVScoreStore", "OpenRouterRerank", "__version__"]
