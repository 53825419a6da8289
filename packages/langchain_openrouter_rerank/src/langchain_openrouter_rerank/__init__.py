"""OpenRouter's rerank models as a LangChain document compressor, and a retriever around it."""

from typing import TYPE_CHECKING

from ._version import __version__
from .rerank import OpenRouterRerank
from .runnable import RerankInput

if TYPE_CHECKING:
    from .retriever import OpenRouterRerankRetriever

__all__ = ["OpenRouterRerank", "OpenRouterRerankRetriever", "RerankInput", "__version__"]


def __getattr__(name: str) -> object:
    # Imported when it is asked for: what it is made of in LangChain takes as long as all the rest.
    if name == "OpenRouterRerankRetriever":
        from .retriever import OpenRouterRerankRetriever

        return OpenRouterRerankRetriever
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
