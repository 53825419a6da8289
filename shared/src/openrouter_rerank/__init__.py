"""
A sync and native async client for OpenRouter's rerank endpoint.

Users import everything from here. `openrouter_rerank.reranker` is for framework packages, such as
`langchain-openrouter-rerank`. Modules and names with an underscore may change in any release.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__
from .errors import (
    APIConnectionError,
    APIStatusError,
    BadGatewayError,
    BadRequestError,
    BudgetExceededError,
    ConfigurationError,
    DeadlineExceededError,
    EdgeNetworkTimeoutError,
    ForbiddenError,
    GatewayTimeoutError,
    InternalServerError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    OpenRouterRerankError,
    PayloadTooLargeError,
    PaymentRequiredError,
    ProviderOverloadedError,
    RequestTimeoutError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
    UnprocessableEntityError,
)

if TYPE_CHECKING:
    from .budget import Budget
    from .client import AsyncRerankClient, RerankClient
    from .client_options import ClientKeywords, ClientOptions, RequestOptions
    from .documents import Document, RerankDocument
    from .http_client import AsyncHTTPClient, HTTPClient
    from .images import data_uri
    from .models import (
        DEFAULT_MODEL,
        MODELS,
        ModelListing,
        RerankModel,
        known_model,
        model_for,
    )
    from .provider import MaxPrice, ProviderPreferences
    from .ranking import AnsweredRequest, Passage, RankedDocument, Ranking, Usage
    from .rate_limiter import RateLimiter, WindowRateLimiter
    from .score_store import ScoreStore

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "APIConnectionError",
    "APIStatusError",
    "AnsweredRequest",
    "AsyncHTTPClient",
    "AsyncRerankClient",
    "BadGatewayError",
    "BadRequestError",
    "Budget",
    "BudgetExceededError",
    "ClientKeywords",
    "ClientOptions",
    "ConfigurationError",
    "DeadlineExceededError",
    "Document",
    "EdgeNetworkTimeoutError",
    "ForbiddenError",
    "GatewayTimeoutError",
    "HTTPClient",
    "InternalServerError",
    "InvalidRequestError",
    "InvalidResponseError",
    "MaxPrice",
    "ModelListing",
    "NotFoundError",
    "OpenRouterRerankError",
    "Passage",
    "PayloadTooLargeError",
    "PaymentRequiredError",
    "ProviderOverloadedError",
    "ProviderPreferences",
    "RankedDocument",
    "Ranking",
    "RateLimiter",
    "RequestOptions",
    "RequestTimeoutError",
    "RerankClient",
    "RerankDocument",
    "RerankModel",
    "ScoreStore",
    "ServiceUnavailableError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnprocessableEntityError",
    "Usage",
    "WindowRateLimiter",
    "__version__",
    "data_uri",
    "known_model",
    "model_for",
]

_MODULES = {
    "budget": ("Budget",),
    "client": ("AsyncRerankClient", "RerankClient"),
    "client_options": ("ClientKeywords", "ClientOptions", "RequestOptions"),
    "documents": ("Document", "RerankDocument"),
    "http_client": ("AsyncHTTPClient", "HTTPClient"),
    "images": ("data_uri",),
    "models": (
        "DEFAULT_MODEL",
        "MODELS",
        "ModelListing",
        "RerankModel",
        "known_model",
        "model_for",
    ),
    "provider": ("MaxPrice", "ProviderPreferences"),
    "ranking": ("AnsweredRequest", "Passage", "RankedDocument", "Ranking", "Usage"),
    "rate_limiter": ("RateLimiter", "WindowRateLimiter"),
    "score_store": ("ScoreStore",),
}


def __getattr__(name: str) -> object:
    # Lazily: the framework packages import modules from here, and would else import all of them.
    for module, names in _MODULES.items():
        if name in names:
            found: object = getattr(import_module(f".{module}", __name__), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
