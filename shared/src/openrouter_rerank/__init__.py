"""A sync and native async client for OpenRouter's rerank endpoint."""

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .budget import Budget
    from .client import AsyncRerankClient, RerankClient
    from .client_options import RequestOptions
    from .documents import Document, RerankDocument
    from .errors import OpenRouterRerankError
    from .models import DEFAULT_MODEL
    from .provider import ProviderPreferences
    from .ranking import AnsweredRequest, RankedDocument, Ranking, Usage
    from .rate_limiter import RateLimiter, WindowRateLimiter
    from .score_store import ScoreStore

__all__ = [
    "DEFAULT_MODEL",
    "AnsweredRequest",
    "AsyncRerankClient",
    "Budget",
    "Document",
    "OpenRouterRerankError",
    "ProviderPreferences",
    "RankedDocument",
    "Ranking",
    "RateLimiter",
    "RequestOptions",
    "RerankClient",
    "RerankDocument",
    "ScoreStore",
    "Usage",
    "WindowRateLimiter",
    "__version__",
]


_HOMES = {
    "client_options": ("RequestOptions",),
    "budget": ("Budget",),
    "client": ("AsyncRerankClient", "RerankClient"),
    "documents": ("Document", "RerankDocument"),
    "errors": ("OpenRouterRerankError",),
    "models": ("DEFAULT_MODEL",),
    "provider": ("ProviderPreferences",),
    "ranking": ("AnsweredRequest", "RankedDocument", "Ranking", "Usage"),
    "rate_limiter": ("RateLimiter", "WindowRateLimiter"),
    "score_store": ("ScoreStore",),
}


def __getattr__(name: str) -> object:
    # Imported when they are asked for: importing a module from here, as the framework classes do,
    # would else import all the others too.
    for home, names in _HOMES.items():
        if name in names:
            found: object = getattr(import_module(f".{home}", __name__), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
