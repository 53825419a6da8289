"""
The keywords of the clients and of their calls, with the types that callers may pass.

Type checkers and editors read them. The descriptions are those of the fields: see `make generate`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from pydantic import SecretStr

from openrouter_rerank.budget import Budget
from openrouter_rerank.provider import ProviderPreferences
from openrouter_rerank.rate_limiter import RateLimiter
from openrouter_rerank.score_store import ScoreStore

if TYPE_CHECKING:
    from openrouter_rerank.ranking import Ranking


class RequestFields(TypedDict, total=False):
    """The options of a call that describe its requests."""

    fallback_models: Sequence[str] | None
    """Models to try, in order, if `model` fails or is unavailable. A ranking never mixes models."""
    provider: ProviderPreferences | Mapping[str, object] | None
    """Which providers may serve a request: see `openrouter_rerank.ProviderPreferences`."""
    session_id: str | None
    """Groups requests on OpenRouter's activity page; at most 256 characters."""
    user: str | None
    """ID of your end user, for OpenRouter's abuse detection."""
    trace: Mapping[str, object] | None
    """Metadata for the observability tools connected to your OpenRouter account."""
    extra_body: Mapping[str, object] | None
    """Extra fields of the request body, sent unchanged."""
    max_documents_per_request: int | None
    """
    Maximum documents per request, at least 1; longer lists are split and merged. Default: the
    model's limit.
    """
    long_documents: Literal["truncate", "split", "raise"]
    """
    What to do with documents that exceed the model's context: "truncate" (the service ranks
    only their start), "split" (rank them by their best passage), or "raise" an error.
    """
    passage_tokens: int
    """
    Maximum length of a passage in estimated tokens, at least 32, if `long_documents` is
    "split".
    """
    max_passages: int | None
    """
    Maximum passages of one document, at least 1; the text behind them is not ranked. Default:
    all.
    """


class ClientOverrides(TypedDict, total=False):
    """The options of a client that a call can replace. `None` is the value of the client."""

    timeout: float | None
    """Seconds that this call may take, instead of the client's `timeout`."""
    max_retries: int | None
    """Attempts of this call after the first, instead of the client's `max_retries`."""
    app_url: str | None
    """URL of the app that makes this call, instead of the client's `app_url`."""
    app_title: str | None
    """Name of the app that makes this call, instead of the client's `app_title`."""
    app_categories: Sequence[str] | None
    """Marketplace categories of the app that makes this call; `[]` sends none."""
    extra_headers: Mapping[str, str] | None
    """
    Extra headers of this call. They override those of the client, `default_headers` included.
    """


class RequestOptions(RequestFields, ClientOverrides, total=False):
    """The less common arguments of `rerank`."""


REQUEST_OPTIONS = frozenset(RequestOptions.__annotations__)
"""The names of all `RequestOptions`."""


class ClientKeywords(TypedDict, total=False):
    """The keywords of the clients, with the types that callers may pass; for type checkers."""

    api_key: str | SecretStr | None
    """
    Your OpenRouter API key. Default: `OPENROUTER_API_KEY` in the environment, read at each
    call.
    """
    openrouter_api_key: str | SecretStr | None
    """Another name of `api_key`."""
    base_url: str | None
    """
    Base URL of the API, with or without `/rerank`; https, or http to loopback. Default:
    `OPENROUTER_API_BASE` in the environment, else OpenRouter.
    """
    openrouter_api_base: str | None
    """Another name of `base_url`."""
    api_base: str | None
    """Another name of `base_url`."""
    allow_insecure_http: bool
    """
    Accept http to other machines too, for a gateway in your own network: the key and the
    documents are then sent unencrypted.
    """
    app_url: str | None
    """URL of your app, sent as `HTTP-Referer`. Default: `OPENROUTER_APP_URL` in the environment."""
    app_title: str | None
    """Name of your app on openrouter.ai. Default: `OPENROUTER_APP_TITLE` in the environment."""
    app_categories: Sequence[str] | None
    """Marketplace categories of your app, at most 2."""
    default_headers: Mapping[str, str] | None
    """Extra request headers. They override the client's own."""
    timeout: float
    """
    Seconds that a whole call may take, more than 0: attempts, waits, the response body and
    fallback models. More than 600 causes a warning, because `ChatOpenRouter` counts
    milliseconds.
    """
    max_retries: int
    """
    Attempts after the first, 0 or more. An attempt that may have been billed is repeated at
    most once, and never with 0.
    """
    max_concurrency: int
    """Maximum number of requests in flight, at least 1; for async calls, in each event loop."""
    budget: Budget | float | None
    """Spending limit in US dollars, or a `Budget` to share. Calls are refused once it is spent."""
    score_store: ScoreStore | None
    """
    Caches scores, so that you never pay twice for the same score. Accepts any LangChain
    `BaseStore` of bytes.
    """
    score_ttl: float | None
    """Seconds after which a cached score is requested again, more than 0. Default: never."""
    rate_limiter: RateLimiter | None
    """Gives permission for each request: a `WindowRateLimiter`, or a rate limiter of LangChain."""
    on_response: "Callable[[Ranking], object] | None"
    """Called with each `Ranking`, for example to add up cost and usage."""
