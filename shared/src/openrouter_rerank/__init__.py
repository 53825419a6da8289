"""A sync and native async client for OpenRouter's rerank endpoint."""

from ._call import RequestOptions
from ._version import __version__
from .budget import Budget
from .client import AsyncRerankClient, RerankClient
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
