"""
The error that a response means. Its message is one line: what happened, where, what to do.

Works for any bytes, and raises nothing. `docs/errors.md` lists the exact texts.
"""

import sys
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from openrouter_rerank._attempt import Response
from openrouter_rerank.errors import APIStatusError, Scalar

from .advice import advice
from .server_text import (
    MOST_ITEMS,
    description,
    json_list,
    json_object,
    log_safe,
    message_in,
    shown,
    title,
    unpacked,
)

# What can be looked up later comes first: OpenRouter finds a generation by its id.
_REQUEST_ID_HEADERS = ("x-generation-id", "x-request-id", "cf-ray")
# Other objects may quote documents. Of these, each field becomes an entry of the metadata.
_KEPT_OBJECTS = frozenset({"availability", "headers"})
# Moderation quotes the flagged text here. Errors must not contain texts of documents.
_QUOTING_METADATA = frozenset({"flagged_input"})
# Characters. No field has a longer name, and masking the secrets in a text takes time.
_LONGEST_NAME = 300
# Milliseconds of the year 1973; as seconds, the year 5138. So a larger number is in milliseconds.
_FIRST_MILLISECONDS = 1e11
# Seconds. The longest known limits are counted by the day.
_LONGEST_WINDOW = 32 * 86_400.0


def status_error(
    response: Response, body: Mapping[str, object], model: str
) -> APIStatusError | None:
    """
    Return the error that `response` means. `None` if it is a success without an `error`.

    Args:
        response: The response.
        body: The JSON object in its body; empty if there is none.
        model: The slug that the request named.

    If `error.code` is the status of an error, it counts instead of the status of the response:
    OpenRouter may report the failure of a provider with the status 200 or 400. A success with any
    other code is treated as a temporary failure.
    """
    error = body.get("error")
    is_success = 200 <= response.status < 300
    if is_success and error is None:
        return None
    fields = json_object(error)
    metadata = dict(json_object(fields.get("metadata")))
    availability = json_object(fields.get("availability", metadata.get("availability")))
    if availability:
        metadata["availability"] = availability
    code = fields.get("code", fields.get("http_status"))
    status = _status(code) or (200 if is_success else response.status)
    kept = _kept(metadata, response)
    provider = kept.get("provider_name")
    provider = provider if isinstance(provider, str) else None
    retry_after = _retry_after(status, response, availability, metadata)
    message = _message(body, metadata, response)
    return APIStatusError.of(
        status,
        f"{message.rstrip('.')} ({place(response, model, provider=provider, status=status)}). "
        + advice(
            status,
            response,
            model=model,
            message=message,
            has_error=error is not None,
            availability=availability,
            retry_after=retry_after,
        ),
        code=_code(code, response),
        metadata=kept,
        provider=provider,
        model=model,
        request_id=_request_id(response),
        retry_after=retry_after,
        retryable=_retryable(status, availability.get("retryable")),
    )


def redirect_text(response: Response, model: str) -> str:
    """Return the message for a redirect."""
    target = shown(response.headers.get("location", "another URL"), response)
    return (
        f"the response is a redirect to {target}, and redirects are never followed "
        f"({place(response, model)}). Check base_url."
    )


def place(
    response: Response, model: str, *, provider: str | None = None, status: int | None = None
) -> str:
    """
    Return where a response came from: status, host, model and provider.

    Args:
        response: The response.
        model: The slug that the request named.
        provider: The provider, if the response names it.
        status: The status of the error: shown if it differs from that of the response.
    """
    host = urlsplit(response.url).netloc
    code = "" if status is None or status == response.status else f" with code {status}"
    return (
        f"HTTP {response.status}{code}{f' from {host}' if host else ''}"
        f"{f', model {log_safe(model)[:100]}' if model else ''}"
        f"{f', provider {provider}' if provider else ''}"
    )


def _retryable(status: int, said: object) -> bool | None:
    """Return what the service says about a retry. `None` if the status alone decides."""
    # No retry helps against a wrong key or argument. The other errors of a provider, 429 and those
    # from 500 on, are retryable by their status.
    return said if isinstance(said, bool) and (status in {404, 408} or not said) else None


def _status(code: object) -> int | None:
    """Return `code` if it is the status of an error."""
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599:
        return code
    return None


def _message(body: Mapping[str, object], metadata: Mapping[str, object], response: Response) -> str:
    """Return what the service and the provider say, or else a description of the response."""
    said = shown(message_in(body.get("error")) or message_in({**body, "error": None}), response)
    # OpenRouter's own message is then "Provider returned error", and this is the provider's.
    cause = shown(message_in(unpacked(metadata.get("raw"))), response)
    if cause not in said:
        return f"{said.rstrip('.')}: {cause}" if said else cause
    if said:
        return said
    page = shown(title(response.body), response)
    return page or f"the response has no message ({description(response)})"


def _code(code: object, response: Response) -> int | str | None:
    if isinstance(code, str):
        return shown(code, response)
    # A number of thousands of digits cannot be written in a message.
    return code if isinstance(code, int) and abs(code) < sys.maxsize else None


def _kept(metadata: Mapping[str, object], response: Response) -> dict[str, Scalar]:
    """Return the metadata that the error keeps: scalars, and the reason of a provider as text."""
    kept: dict[str, Scalar] = {}
    for name, value in list(metadata.items())[:MOST_ITEMS]:
        if name in _KEPT_OBJECTS:
            for inner, each in list(json_object(value).items())[:MOST_ITEMS]:
                _keep(kept, f"{name}.{inner}", each, response)
        elif name not in _QUOTING_METADATA:
            reason = name == "raw" and not isinstance(value, str)
            _keep(kept, name, message_in(value) or None if reason else value, response)
    return kept


def _keep(kept: dict[str, Scalar], name: str, value: object, response: Response) -> None:
    if len(name) > _LONGEST_NAME:
        return
    texts = [item for item in json_list(value) if isinstance(item, str)]
    if texts and "." in name:
        value = ", ".join(texts)
    if isinstance(value, str):
        kept[shown(name, response)] = shown(value, response)
    elif value is None or (isinstance(value, int | float) and abs(value) < sys.float_info.max):
        kept[shown(name, response)] = value


def _request_id(response: Response) -> str | None:
    headers = response.headers
    found = next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)
    return None if found is None else shown(found, response)


def _retry_after(
    status: int,
    response: Response,
    availability: Mapping[str, object],
    metadata: Mapping[str, object],
) -> float | None:
    """Return the number of seconds to wait. `None` if there is no valid number or date."""
    header = response.headers.get("retry-after")
    if header is not None and (seconds := _seconds(header.strip(), response)) is not None:
        return seconds
    hint = availability.get("retry_after")
    # A boolean is an `int` too.
    is_bool = isinstance(hint, bool)
    if isinstance(hint, int | float) and not is_bool and 0 <= hint <= sys.float_info.max:
        return float(hint)
    return _until_reset(response, metadata) if status == 429 else None


def _seconds(header: str, response: Response) -> float | None:
    # Python takes "inf", "1e999" and Arabic digits for numbers too; RFC 9110 section 10.2.3 allows
    # ASCII digits or a date. Decimals are tolerated. 400 digits become infinity, which is longer
    # than any call waits.
    if header.isascii() and header.replace(".", "", 1).isdigit():
        return float(header)
    until = _date(header)
    return None if until is None else max(0.0, until - _now(response))


def _now(response: Response) -> float:
    # Use the server's clock if the response has it, because the two clocks may differ.
    now = _date(response.headers.get("date", ""))
    return response.received if now is None else now


def _date(header: str) -> float | None:
    try:
        date = parsedate_to_datetime(header)
        # A date without a zone is in universal time (RFC 9110 section 5.6.7).
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return None


def _until_reset(response: Response, metadata: Mapping[str, object]) -> float | None:
    """Return the number of seconds until the rate limit resets, if the response says when."""
    copied = json_object(metadata.get("headers"))
    named = {name.lower(): value for name, value in copied.items()} | dict(response.headers)
    value = named.get("x-ratelimit-reset")
    text = str(value).strip() if isinstance(value, str | float | int) else ""
    if not (text.isascii() and text.replace(".", "", 1).isdigit()):
        return None
    # OpenRouter sends milliseconds since the epoch.
    at = float(text)
    at = at / 1000 if at >= _FIRST_MILLISECONDS else at
    left = at - _now(response)
    # A reset in the past, or in another unit, says nothing about the next request.
    return left if 0 < left < _LONGEST_WINDOW else None
