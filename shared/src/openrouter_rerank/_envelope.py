"""
Reads what OpenRouter and its edge answer instead of a ranking. Pure, and total for any bytes.

Source: OpenRouter's OpenAPI description (`{"error": {"code", "message", "metadata"}}`, each
optional in practice) and recorded answers, HTML pages of the edge among them.
"""

import sys
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from pydantic import TypeAdapter, ValidationError

from ._messages import Response
from .errors import APIStatusError, Scalar

_LONGEST_TEXT = 300
# The status is added to the message.
_LONGEST_MESSAGE = _LONGEST_TEXT - len(" (HTTP 599)")
_REQUEST_ID_HEADERS = ("x-request-id", "x-generation-id", "cf-ray")
# Moderation quotes the flagged text here: no document belongs in an error.
_QUOTING_METADATA = frozenset({"flagged_input"})
_OBJECT = TypeAdapter(dict[str, object])


def status_error(response: Response, model: str) -> APIStatusError | None:
    """
    Make the error that `response` means, or `None` if it is a success without an `error`.

    With a status of success, `error.code` is taken as the status; without it the failure is
    transient.
    """
    body = _parsed(response.body)
    error = body.get("error")
    success = 200 <= response.status < 300
    if success and error is None:
        return None
    fields = mapping(error)
    code = fields.get("code", fields.get("http_status"))
    metadata = _scalars(mapping(fields.get("metadata")))
    provider = metadata.get("provider_name")
    return APIStatusError.of(
        _status(code) if success else response.status,
        _message(error, body, response),
        code=shown(code) if isinstance(code, str) else code if isinstance(code, int) else None,
        metadata=metadata,
        provider=provider if isinstance(provider, str) else None,
        model=model,
        request_id=_request_id(response.headers),
        retry_after=_retry_after(response, fields),
    )


def shown(text: str) -> str:
    """Make a server's text safe for a log line: control characters escaped, 300 characters kept."""
    cut = text[:_LONGEST_TEXT]
    if cut.isprintable():
        return cut
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in cut
    )[:_LONGEST_TEXT]


def description(response: Response) -> str:
    """Describe an answer that could not be understood, without quoting its content."""
    kind = shown(response.headers.get("content-type", "no content type"))
    return f"HTTP {response.status}, {kind}, {len(response.body)} bytes"


def mapping(value: object) -> Mapping[str, object]:
    """Take a JSON value for an object; what is none is an empty one."""
    try:
        return _OBJECT.validate_python(value)
    except ValidationError:
        return {}


def _parsed(body: bytes) -> Mapping[str, object]:
    try:
        return _OBJECT.validate_json(body)
    except ValidationError:
        return {}


def _status(code: object) -> int:
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599:
        return code
    return 200


def _message(error: object, body: Mapping[str, object], response: Response) -> str:
    fields = mapping(error)
    for candidate in (fields.get("message"), error, body.get("message"), body.get("detail")):
        if isinstance(candidate, str) and candidate.strip():
            return shown(candidate.strip())[:_LONGEST_MESSAGE]
    title, described = _title(response.body), description(response)
    return shown(f"{title} ({described})" if title else described)[:_LONGEST_MESSAGE]


def _title(body: bytes) -> str:
    # The edge answers in HTML, and only its title tells what happened.
    head = body[:4096].decode("utf-8", "replace")
    start = head.lower().find("<title>")
    end = head.lower().find("</title>")
    return shown(head[start + 7 : end].strip()) if 0 <= start < end else ""


def _scalars(metadata: Mapping[str, object]) -> dict[str, Scalar]:
    kept: dict[str, Scalar] = {}
    for key, value in list(metadata.items())[:20]:
        if key in _QUOTING_METADATA:
            continue
        if isinstance(value, str):
            kept[shown(key)] = shown(value)
        elif value is None or isinstance(value, int | float):
            kept[shown(key)] = value
    return kept


def _request_id(headers: Mapping[str, str]) -> str | None:
    found = next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)
    return None if found is None else shown(found)


def _retry_after(response: Response, error: Mapping[str, object]) -> float | None:
    """Read the seconds to wait; what is no valid time is as if it were not there."""
    header = response.headers.get("retry-after")
    if header is not None:
        return _seconds(header.strip(), response)
    hint = mapping(error.get("availability")).get("retry_after")
    if isinstance(hint, int | float) and 0 <= hint <= sys.float_info.max and hint is not True:
        return float(hint)
    return None


def _seconds(header: str, response: Response) -> float | None:
    # Python reads "inf", "1e999" and Arabic digits as numbers too; RFC 9110 section 10.2.3 allows
    # ASCII digits or a date. Decimals are tolerated. 400 digits are infinity: longer than any wait.
    if header.isascii() and header.replace(".", "", 1).isdigit():
        return float(header)
    until = _date(header)
    if until is None:
        return None
    # The server's own clock, where it tells it: the two clocks may differ.
    now = _date(response.headers.get("date", ""))
    return max(0.0, until - (response.received if now is None else now))


def _date(header: str) -> float | None:
    try:
        date = parsedate_to_datetime(header)
        # A date that names no zone is in universal time (RFC 9110 section 5.6.7).
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return None
