"""
Reads a response: a valid ranking, or the error that it means. Works for any bytes, raises nothing.

Source of the fields: OpenRouter's OpenAPI description of `POST /api/v1/rerank`, and recorded
responses.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from openrouter_rerank._attempt import Request, Response
from openrouter_rerank.errors import APIStatusError, InvalidResponseError, Scalar
from openrouter_rerank.ranking import AnsweredRequest, RankedDocument, Ranking, Usage

from .request import without_lone_surrogates

# Characters of each text of a server that are kept.
_LONGEST_TEXT = 300
# `APIStatusError` adds the status to the message.
_LONGEST_MESSAGE = _LONGEST_TEXT - len(" (HTTP 599)")
_REQUEST_ID_HEADERS = ("x-request-id", "x-generation-id", "cf-ray")
# Moderation quotes the flagged text here. Errors must not contain texts of documents.
_QUOTING_METADATA = frozenset({"flagged_input"})
_OBJECT = TypeAdapter(dict[str, object])


def decode(response: Response, request: Request) -> Ranking | APIStatusError | InvalidResponseError:
    """Return the ranking in the response to `request`, or the error that the response means."""
    if 300 <= response.status < 400:
        return InvalidResponseError(
            "the response is a redirect, which is never followed: check base_url",
            model=request.model,
        )
    success = 200 <= response.status < 300
    if success and response.headers.get("content-encoding", "identity").lower() != "identity":
        return InvalidResponseError(
            "the response is compressed although identity was requested", model=request.model
        )
    content = _content(response.body) if success else None
    if content is not None and content.error is None:
        return _ranking(content, request)
    error = status_error(response, request.model)
    if error is not None:
        return error
    return _invalid(f"the response is not a ranking ({description(response)})", request)


@dataclass(slots=True, kw_only=True)
class _Content:
    # Only the fields that the order depends on are validated: a ranking that is paid for is not
    # refused for an odd `usage`. The rows have no field for the echoed document, so it is neither
    # validated nor turned into an object.
    results: list[RankedDocument]
    model: object = None
    id: object = None
    provider: object = None
    usage: object = None
    error: object = None


_CONTENT = TypeAdapter(_Content)


def _content(body: bytes) -> _Content | None:
    try:
        return _CONTENT.validate_json(body, strict=True)
    except ValidationError as error:
        # JSON with a lone surrogate is refused by pydantic. The service may have cut the echo of a
        # document inside a surrogate pair, which must not cost a ranking that is paid for.
        if b"\\ud" not in body.lower() or error.errors()[0]["type"] != "json_invalid":
            return None
    try:
        return _CONTENT.validate_json(
            to_json(without_lone_surrogates(json.loads(body))), strict=True
        )
    except (ValueError, RecursionError):
        return None


def _ranking(content: _Content, request: Request) -> Ranking | InvalidResponseError:
    rows = content.results
    indexes = {row.index for row in rows}
    if len(indexes) != len(rows):
        return _invalid("the response ranks a document twice", request)
    if indexes and max(indexes) >= request.documents:
        return _invalid(
            f"the response ranks document {max(indexes)} of {request.documents}", request
        )
    if len(rows) < request.results:
        return _invalid(f"the response ranks {len(rows)} of {request.results} documents", request)
    # A response need not be sorted by score. Equal scores keep the order of the input.
    rows.sort(key=lambda row: (-row.relevance_score, row.index))
    answered = AnsweredRequest(
        id=_text(content.id),
        served_model=_text(content.model),
        provider=_text(content.provider),
        usage=_usage(content.usage),
    )
    return Ranking(
        # The first cut, for servers that ignore `top_n`. The call cuts again when it has merged its
        # requests and restored the copies of documents.
        results=tuple(rows[: request.results]),
        model=request.model,
        requests=(answered,),
    )


def _usage(reported: object) -> Usage:
    fields = json_object(reported)
    units = _amount(fields.get("search_units"))
    tokens = _amount(fields.get("total_tokens"))
    return Usage(
        cost=_amount(fields.get("cost")),
        search_units=None if units is None else int(units),
        total_tokens=None if tokens is None else int(tokens),
    )


def _amount(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= sys.float_info.max else None


def _text(value: object) -> str | None:
    return log_safe(value) if isinstance(value, str) else None


def _invalid(message: str, request: Request) -> InvalidResponseError:
    return InvalidResponseError(message, model=request.model, retryable=True)


def status_error(response: Response, model: str) -> APIStatusError | None:
    """
    Return the error that `response` means. `None` if it is a success without an `error`.

    If the status is one of success, `error.code` counts as the status. If that is no status of an
    error, the failure is taken to be temporary.
    """
    body = _parsed(response.body)
    error = body.get("error")
    success = 200 <= response.status < 300
    if success and error is None:
        return None
    fields = json_object(error)
    code = fields.get("code", fields.get("http_status"))
    metadata = _scalars(json_object(fields.get("metadata")))
    provider = metadata.get("provider_name")
    return APIStatusError.of(
        _status(code) if success else response.status,
        _message(error, body, response),
        code=log_safe(code) if isinstance(code, str) else code if isinstance(code, int) else None,
        metadata=metadata,
        provider=provider if isinstance(provider, str) else None,
        model=model,
        request_id=_request_id(response.headers),
        retry_after=_retry_after(response, fields),
    )


def _parsed(body: bytes) -> Mapping[str, object]:
    try:
        return _OBJECT.validate_json(body)
    except ValidationError:
        return {}


def json_object(value: object) -> Mapping[str, object]:
    """Return a JSON value if it is an object, else an empty object."""
    try:
        return _OBJECT.validate_python(value)
    except ValidationError:
        return {}


def _status(code: object) -> int:
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599:
        return code
    return 200


def _message(error: object, body: Mapping[str, object], response: Response) -> str:
    fields = json_object(error)
    for candidate in (fields.get("message"), error, body.get("message"), body.get("detail")):
        if isinstance(candidate, str) and candidate.strip():
            return log_safe(candidate.strip())[:_LONGEST_MESSAGE]
    title, described = _title(response.body), description(response)
    return log_safe(f"{title} ({described})" if title else described)[:_LONGEST_MESSAGE]


def _title(body: bytes) -> str:
    # OpenRouter's edge network sends HTML pages, whose title alone says what happened.
    head = body[:4096].decode("utf-8", "replace")
    start = head.lower().find("<title>")
    end = head.lower().find("</title>")
    return log_safe(head[start + 7 : end].strip()) if 0 <= start < end else ""


def description(response: Response) -> str:
    """Describe a response by status, media type and size, without quoting its content."""
    kind = log_safe(response.headers.get("content-type", "no content type"))
    return f"HTTP {response.status}, {kind}, {len(response.body)} bytes"


def _scalars(metadata: Mapping[str, object]) -> dict[str, Scalar]:
    kept: dict[str, Scalar] = {}
    for key, value in list(metadata.items())[:20]:
        if key in _QUOTING_METADATA:
            continue
        if isinstance(value, str):
            kept[log_safe(key)] = log_safe(value)
        elif value is None or isinstance(value, int | float):
            kept[log_safe(key)] = value
    return kept


def _request_id(headers: Mapping[str, str]) -> str | None:
    found = next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)
    return None if found is None else log_safe(found)


def _retry_after(response: Response, error: Mapping[str, object]) -> float | None:
    """Return the number of seconds to wait. `None` if there is no valid number or date."""
    header = response.headers.get("retry-after")
    if header is not None:
        return _seconds(header.strip(), response)
    hint = json_object(error.get("availability")).get("retry_after")
    if isinstance(hint, int | float) and 0 <= hint <= sys.float_info.max and hint is not True:
        return float(hint)
    return None


def _seconds(header: str, response: Response) -> float | None:
    # Python takes "inf", "1e999" and Arabic digits for numbers too; RFC 9110 section 10.2.3 allows
    # ASCII digits or a date. Decimals are tolerated. 400 digits become infinity, which is longer
    # than any call waits.
    if header.isascii() and header.replace(".", "", 1).isdigit():
        return float(header)
    until = _date(header)
    if until is None:
        return None
    # By the server's own clock, if the response has it: the two clocks may differ.
    now = _date(response.headers.get("date", ""))
    return max(0.0, until - (response.received if now is None else now))


def _date(header: str) -> float | None:
    try:
        date = parsedate_to_datetime(header)
        # A date without a zone is in universal time (RFC 9110 section 5.6.7).
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return None


def log_safe(text: str) -> str:
    """Return a server's text as one line: control characters escaped, 300 characters at most."""
    cut = text[:_LONGEST_TEXT]
    if cut.isprintable():
        return cut
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in cut
    )[:_LONGEST_TEXT]
