"""OpenRouter's rerank models for LangChain: a document compressor and a retriever."""

from typing import TYPE_CHECKING

from ._version import __version__
from .rerank import OpenRouterRerank, RerankInput

if TYPE_CHECKING:
    from .retriever import OpenRouterRerankRetriever

__all__ = ["OpenRouterRerank", "OpenRouterRerankRetriever", "RerankInput", "__version__"]


def __getattr__(name: str) -> object:
    # Imported on first use: the LangChain modules that the retriever needs take as long to import
    # as everything else here.
    if name == "OpenRouterRerankRetriever":
        from .retriever import OpenRouterRerankRetriever

        return OpenRouterRerankRetriever
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
