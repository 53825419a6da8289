"""A sync and native async client for OpenRouter's rerank endpoint."""

from typing import TYPE_CHECKING

from ._version import __version__
from .budget import Budget
from .documents import Document, RerankDocument
from .errors import OpenRouterRerankError
from .models import DEFAULT_MODEL
from .provider import ProviderPreferences
from .ranking import AnsweredRequest, RankedDocument, Ranking, Usage
from .rate_limiter import RateLimiter, WindowRateLimiter
from .score_store import ScoreStore

if TYPE_CHECKING:
    from ._call import RequestOptions
    from .client import AsyncRerankClient, RerankClient

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


def __getattr__(name: str) -> object:
    # Imported when they are asked for: the framework classes are imported without them, and all
    # that sends and reads takes longer than all the rest.
    if name in {"AsyncRerankClient", "RerankClient"}:
        from . import client

        return getattr(client, name)
    if name == "RequestOptions":
        from ._call import RequestOptions

        return RequestOptions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
