"""The keywords of the framework classes and their calls, with the types that callers may pass."""

from collections.abc import Mapping
from os import PathLike
from typing import Literal

from openrouter_rerank.client_options.keywords import ClientKeywords, RequestFields, RequestOptions
from openrouter_rerank.http_client import AsyncHTTPClient, HTTPClient
from openrouter_rerank.provider import ProviderPreferences


class CallOptions(RequestOptions, total=False):
    """The options of one call. They replace those that the reranker was created with."""

    model: str
    """Slug of the rerank model."""
    top_n: int | None
    """Number of documents to return, at least 1; `None` returns all."""
    score_threshold: float | None
    """Return only ranked documents with at least this score; `None` returns all."""


# Only type checkers read this class. A field says what an option holds; a keyword says what may be
# passed for it, under any of its names.
class RerankKeywords(ClientKeywords, RequestFields, total=False):
    """The keywords of both framework classes."""

    model: str
    """Slug of the rerank model. Default: the model of OpenRouter's own examples."""
    model_name: str
    """Another name of `model`."""
    top_n: int | None
    """
    Number of documents to return, at least 1. Default: all of them, so that reranking loses
    nothing.
    """
    score_threshold: float | None
    """
    Return only ranked documents with at least this score, and none without a score. A call that
    ranks nothing, because the query is blank or `on_error` lets a failure pass, returns the
    retriever's order. Cannot be combined with `fallback_models`, because each model has its own
    score scale.
    """
    openrouter_provider: ProviderPreferences | Mapping[str, object] | None
    """Another name of `provider`."""
    model_kwargs: Mapping[str, object] | None
    """Another name of `extra_body`."""
    on_error: Literal["raise", "passthrough", "passthrough_all"]
    """
    What to do if reranking fails: "raise" the error, or "passthrough" to log a warning and
    return the retriever's order if the failure is temporary. "passthrough_all" does so for
    every failure of the service, the account or the budget. Wrong options and arguments are
    always raised.
    """
    unscorable: Literal["keep", "drop", "raise"]
    """
    Documents with nothing to rank: "keep" them behind the ranked ones (with `score_threshold`,
    they are left out), "drop" them, or "raise" an error, also for an image that cannot be sent.
    """
    image_mode: Literal["auto", "always", "never"]
    """
    Whether images are sent: "auto" (only if every model is known to take them), "always" or
    "never". Otherwise only the text is sent.
    """
    image_root: str | PathLike[str] | None
    """The only folder from which local images are read. It must exist. Default: none."""
    max_image_bytes: int
    """
    Size in bytes of the largest image that is sent. NVIDIA's models have failed at 30 MB a
    request.
    """
    http_client: HTTPClient | None
    """An `httpx.Client` or `httpx2.Client` for sync calls, used as it is and never closed."""
    http_async_client: AsyncHTTPClient | None
    """
    An `httpx.AsyncClient` or `httpx2.AsyncClient` for async calls, used as it is and never
    closed.
    """
