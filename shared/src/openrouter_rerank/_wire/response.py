"""
Between values and bytes: `encode` makes the request, `decode` reads the answer. Pure and total.

Source of the fields: OpenRouter's OpenAPI description of `POST /api/v1/rerank`, and recorded
answers.
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

from .request import mended


def decode(response: Response, request: Request) -> Ranking | APIStatusError | InvalidResponseError:
    """Read the answer to `request`: a valid ranking, or the error it means; nothing else."""
    if 300 <= response.status < 400:
        return InvalidResponseError(
            "the answer is a redirect, which is never followed: check base_url", model=request.model
        )
    success = 200 <= response.status < 300
    if success and response.headers.get("content-encoding", "identity").lower() != "identity":
        return InvalidResponseError(
            "the answer is compressed although identity was asked for", model=request.model
        )
    answer = _answer(response.body) if success else None
    if answer is not None and answer.error is None:
        return _ranking(answer, request)
    error = status_error(response, request.model)
    if error is not None:
        return error
    return _invalid(f"the answer is no ranking ({description(response)})", request)


@dataclass(slots=True, kw_only=True)
class _Answer:
    # Only what the order depends on is checked: a paid ranking is not refused for an odd `usage`.
    # The rows are read into what is returned. They have no field for the echoed document, so it is
    # neither checked nor made.
    results: list[RankedDocument]
    model: object = None
    id: object = None
    provider: object = None
    usage: object = None
    error: object = None


_ANSWER = TypeAdapter(_Answer)


def _answer(body: bytes) -> _Answer | None:
    try:
        return _ANSWER.validate_json(body, strict=True)
    except ValidationError as error:
        # An echo that was cut inside a surrogate pair must not cost a ranking that is paid for.
        if b"\\ud" not in body.lower() or error.errors()[0]["type"] != "json_invalid":
            return None
    try:
        return _ANSWER.validate_json(to_json(mended(json.loads(body))), strict=True)
    except (ValueError, RecursionError):
        return None


def _ranking(answer: _Answer, request: Request) -> Ranking | InvalidResponseError:
    rows = answer.results
    indexes = {row.index for row in rows}
    if len(indexes) != len(rows):
        return _invalid("the answer ranks a document twice", request)
    if indexes and max(indexes) >= request.documents:
        return _invalid(f"the answer ranks document {max(indexes)} of {request.documents}", request)
    if len(rows) < request.results:
        return _invalid(f"the answer ranks {len(rows)} of {request.results} documents", request)
    # By score and not by position: an answer need not be sorted. Ties keep the order of the input.
    rows.sort(key=lambda row: (-row.relevance_score, row.index))
    receipt = AnsweredRequest(
        id=_text(answer.id),
        served_model=_text(answer.model),
        provider=_text(answer.provider),
        usage=_usage(answer.usage),
    )
    return Ranking(
        results=tuple(rows[: request.results]),
        model=request.model,
        requests=(receipt,),
    )


def _usage(reported: object) -> Usage:
    fields = mapping(reported)
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
    return shown(value) if isinstance(value, str) else None


def _invalid(message: str, request: Request) -> InvalidResponseError:
    return InvalidResponseError(message, model=request.model, retryable=True)


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
