"""OpenRouter's rerank models as a LangChain document compressor, and a retriever around it."""

from ._version import __version__
from .rerank import OpenRouterRerank
from .retriever import OpenRouterRerankRetriever
from .runnable import RerankInput

__all__ = ["OpenRouterRerank", "OpenRouterRerankRetriever", "RerankInput", "__version__"]
