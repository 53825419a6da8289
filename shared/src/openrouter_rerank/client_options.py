"""The options of both clients and of one call."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from .provider import ProviderPreferences

DEFAULT_TIMEOUT = 30.0
"""Seconds. Ninety-five of a hundred calls are answered within six, the slowest models included."""


class RequestOptions(TypedDict, total=False):
    """The less common arguments of `rerank`."""

    fallback_models: Sequence[str]
    """Asked in order when the model before could not answer; one ranking has one model's scores."""
    provider: ProviderPreferences | Mapping[str, object] | None
    """Which providers may serve the request."""
    session_id: str | None
    """Groups requests in OpenRouter's activity page; 256 characters at most."""
    user: str | None
    """An id of your user, for OpenRouter's abuse detection."""
    trace: Mapping[str, object] | None
    """Passed on to the observability tools connected to the OpenRouter account."""
    extra_body: Mapping[str, object] | None
    """Further fields of the request, passed on as they are."""
    timeout: float | None
    """Seconds that this call may take, instead of the client's."""
    max_documents_per_request: int | None
    """More documents go out in several requests, merged by score; by default the model's limit."""
