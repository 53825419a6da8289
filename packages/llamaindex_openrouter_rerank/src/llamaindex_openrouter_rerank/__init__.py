"""OpenRouter's rerank models as a LlamaIndex node postprocessor."""

from ._version import __version__
from .rerank import OpenRouterRerank

__all__ = ["OpenRouterRerank", "__version__"]
