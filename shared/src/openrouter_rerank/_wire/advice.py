"""What to do about an error response: the last sentences of its message."""

import math
from collections.abc import Mapping
from difflib import get_close_matches

from openrouter_rerank._attempt import Response
from openrouter_rerank.models import MODELS, base_slug, known_model

from .server_text import is_page, json_list, shown

_CHECK_CALL = "Check the documents and the options of the call."
_OF_STATUS = {
    401: "Check OPENROUTER_API_KEY or api_key (keys: openrouter.ai/keys).",
    402: "Add credits (openrouter.ai/credits), or raise the limit of the key.",
    403: "Check what the key may do and spend (openrouter.ai/keys), and the privacy settings.",
    404: "Check model and provider.",
    413: "Set max_documents_per_request, or shorten the documents.",
}
# Seconds. Rate limits are counted by the minute; a longer wait is for a limit of the day.
_LONGEST_WINDOW = 120
# Seconds. A longer wait is a mistake of the server.
_LONGEST_SHOWN_WAIT = 1e7
# How similar the nearest name of a model must be, from 0 to 1.
_SIMILAR = 0.6


def advice(
    status: int,
    response: Response,
    *,
    model: str,
    message: str,
    has_error: bool,
    availability: Mapping[str, object],
    retry_after: float | None,
) -> str:
    """
    Return what to do about an error response, as one or more sentences.

    Args:
        status: The status of the error.
        response: The response.
        model: The slug that the request named.
        message: What the server said.
        has_error: `True` if the body has an `error`, as those of OpenRouter have.
        availability: `error.availability` of the response: why no provider serves the request.
        retry_after: Seconds that the server asks to wait.
    """
    # A page with such a status is from a gateway or a firewall. Temporary failures have pages too.
    is_foreign = status in {404, 405} or (is_page(response) and status in {400, 401, 403})
    if not has_error and is_foreign:
        return check_base_url(response)
    return (
        _of_availability(availability, response)
        or _about_model(status, model, message)
        or _of_status(status, model, retry_after)
    )


def _about_model(status: int, model: str, message: str) -> str:
    if status not in {400, 404} or not ("model" in message.lower() or model in message):
        return ""
    if nearest := _nearest(model):
        return f"Did you mean {nearest!r}? RerankClient.models() lists the models."
    return "Check model: RerankClient.models() lists the models." if status == 400 else ""


def _of_status(status: int, model: str, retry_after: float | None) -> str:
    wait = "Retry later"
    if retry_after is not None and retry_after < _LONGEST_SHOWN_WAIT:
        wait = f"Retry after {math.ceil(retry_after)} s"
    if status == 429 and (retry_after or 0) <= _LONGEST_WINDOW:
        return f"{wait}, lower max_concurrency, or set rate_limiter."
    if status in {200, 408, 429} or status >= 500:
        # The list of models is requested for no model.
        return f"{wait}, or set fallback_models." if model else f"{wait}."
    return _OF_STATUS.get(status, _CHECK_CALL)


def check_base_url(response: Response) -> str:
    """Return what to do if no rerank endpoint answers at the URL."""
    return f"Check base_url: no rerank endpoint answers at {response.url or 'its URL'}."


def _of_availability(availability: Mapping[str, object], response: Response) -> str:
    models = _texts(availability.get("fallback_models"), response)
    excluded = _texts(availability.get("excluded_by"), response)
    page = _texts(availability.get("docs_url"), response)
    return " ".join(
        [
            *([f"Providers were excluded by {', '.join(excluded)}."] if excluded else []),
            *([f"Set fallback_models={models!r}."] if models else []),
            *([f"See {page[0]}"] if page else []),
        ]
    )


def _texts(value: object, response: Response) -> list[str]:
    items = [value] if isinstance(value, str) else json_list(value)
    return [shown(item, response)[:100] for item in items if isinstance(item, str)][:5]


def _nearest(slug: str) -> str | None:
    """Return the new or the most similar listed slug, unless `slug` is listed itself."""
    known = known_model(slug)
    if known is not None:
        return known.slug if base_slug(slug) in known.aliases else None
    return next(iter(get_close_matches(slug[:100], MODELS, n=1, cutoff=_SIMILAR)), None)
