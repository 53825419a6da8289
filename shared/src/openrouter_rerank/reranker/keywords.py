"""The keywords of the framework classes, with the types that callers may pass."""

from collections.abc import Mapping
from os import PathLike
from typing import Literal

from openrouter_rerank.client_options import ClientKeywords, RequestFields
from openrouter_rerank.http_client import AsyncHTTPClient, HTTPClient
from openrouter_rerank.provider import ProviderPreferences


# Only type checkers read this module. A field says what an option holds; a keyword says what may be
# passed for it, under any of its names.
class RerankKeywords(ClientKeywords, RequestFields, total=False):
    """The keywords of both framework classes."""

    model: str
    model_name: str
    top_n: int | None
    score_threshold: float | None
    openrouter_provider: ProviderPreferences | Mapping[str, object] | None
    model_kwargs: Mapping[str, object] | None
    on_error: Literal["raise", "passthrough"]
    unscorable: Literal["keep", "drop", "raise"]
    image_mode: Literal["auto", "always", "never"]
    image_root: str | PathLike[str] | None
    max_image_bytes: int
    http_client: HTTPClient | None
    http_async_client: AsyncHTTPClient | None
