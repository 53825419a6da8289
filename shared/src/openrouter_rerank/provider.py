"""OpenRouter's provider preferences: which providers may serve a request, and in which order."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

__all__ = ["MaxPrice", "ProviderPreferences"]


class MaxPrice(TypedDict, total=False):
    """The highest prices to pay, in US dollars: for a million tokens, an image or a request."""

    prompt: float | str
    completion: float | str
    image: float | str
    audio: float | str
    request: float | str


class ProviderPreferences(TypedDict, total=False):
    """
    The preferences that OpenRouter documents. All are optional; others are sent unchanged.

    Source: schema `ProviderPreferences` of OpenRouter's OpenAPI description. Its lists of names
    grow every month, so names are plain strings here.
    """

    order: Sequence[str] | None
    """Slugs of the providers to try first, in this order."""
    only: Sequence[str] | None
    """The only providers that may serve the request."""
    ignore: Sequence[str] | None
    """Providers that must not serve the request."""
    allow_fallbacks: bool | None
    """Whether other providers may serve it if the preferred ones cannot. OpenRouter's default."""
    require_parameters: bool | None
    """Use only providers that support every parameter of the request."""
    data_collection: Literal["allow", "deny"] | None
    """`deny`: use only providers that do not keep the data."""
    zdr: bool | None
    """Use only endpoints with zero data retention."""
    enforce_distillable_text: bool | None
    quantizations: Sequence[str] | None
    sort: str | Mapping[str, str | None] | None
    """`price`, `throughput`, `latency`, or `{"by": ..., "partition": ...}`."""
    max_price: MaxPrice | None
    preferred_min_throughput: float | Mapping[str, float] | None
    """Tokens per second: one number, or one for each percentile."""
    preferred_max_latency: float | Mapping[str, float] | None
    """Seconds: one number, or one for each percentile."""
    options: Mapping[str, Mapping[str, object]] | None
    """Options for single providers, by their slugs."""
