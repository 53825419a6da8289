"""OpenRouter's rerank models as a LlamaIndex node postprocessor."""

from ._version import __version__
from .rerank import OpenRouterRerank
from .score_store import KVScoreStore

__all__ = ["KVScoreStore", "OpenRouterRerank", "__version__"]
