"""
The options as their callers write them: a list for a tuple, a string for a key or a path.

A field tells type checkers what it holds, these what may be passed, under any of its names. What
each option means is told by its field in `options`.
"""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Literal, TypedDict

from pydantic import SecretStr

from openrouter_rerank.budget import Budget
from openrouter_rerank.http_client import AsyncHTTPClient, HTTPClient
from openrouter_rerank.provider import ProviderPreferences
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.rate_limiter import RateLimiter
from openrouter_rerank.score_store import ScoreStore

from .placement import UnscorablePolicy


class RerankKeywords(TypedDict, total=False):
    """What both framework classes take."""

    model: str
    model_name: str
    fallback_models: Sequence[str]
    top_n: int | None
    score_threshold: float | None
    api_key: str | SecretStr | None
    openrouter_api_key: str | SecretStr | None
    base_url: str | None
    openrouter_api_base: str | None
    api_base: str | None
    app_url: str | None
    app_title: str | None
    app_categories: Sequence[str]
    session_id: str | None
    user: str | None
    trace: Mapping[str, object] | None
    provider: ProviderPreferences | Mapping[str, object] | None
    openrouter_provider: ProviderPreferences | Mapping[str, object] | None
    extra_body: Mapping[str, object] | None
    model_kwargs: Mapping[str, object] | None
    default_headers: Mapping[str, str] | None
    timeout: float
    max_retries: int
    max_concurrency: int
    max_documents_per_request: int | None
    on_error: Literal["raise", "passthrough"]
    unscorable: UnscorablePolicy
    image_mode: Literal["auto", "always", "never"]
    image_root: str | PathLike[str] | None
    max_image_bytes: int
    budget: Budget | float | None
    score_store: ScoreStore | None
    score_ttl: float | None
    rate_limiter: RateLimiter | None
    http_client: HTTPClient | None
    http_async_client: AsyncHTTPClient | None
    on_response: Callable[[Ranking], object] | None
