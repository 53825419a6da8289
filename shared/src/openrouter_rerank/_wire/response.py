"""
Reads a response: a valid ranking, or the error that it means. Works for any bytes, raises nothing.

Source of the fields: OpenRouter's OpenAPI description of `POST /api/v1/rerank`, and recorded
responses.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from openrouter_rerank._attempt import Request, Response
from openrouter_rerank.errors import APIStatusError, InvalidResponseError
from openrouter_rerank.ranking import AnsweredRequest, RankedDocument, Ranking, Usage

from .advice import check_base_url
from .error_response import place, redirect_text, status_error
from .request import without_lone_surrogates
from .server_text import description, is_page, json_body, message_in, shown, title

_Kind = TypeVar("_Kind")

# Characters of an id or a name that are kept.
_LONGEST_NAME = 300


def decode(response: Response, request: Request) -> Ranking | APIStatusError | InvalidResponseError:
    """Return the ranking in the response to `request`, or the error that the response means."""
    success = 200 <= response.status < 300
    encoding = response.headers.get("content-encoding", "identity")
    is_plain = encoding.lower() == "identity"
    content = _validated(_CONTENT, response.body) if success and is_plain else None
    # An empty `error` next to a ranking is none.
    if content is not None and not content.error:
        return _ranking(content, request, response)
    if 300 <= response.status < 400:
        return InvalidResponseError(redirect_text(response, request.model), model=request.model)
    if success and not is_plain:
        return InvalidResponseError(
            f"the response is compressed with {shown(encoding, response)}, which the request did "
            f"not allow ({place(response, request.model)}). Check the gateway or the proxy.",
            model=request.model,
        )
    return status_error(response, request.model) or _without_ranking(response, request)


def _without_ranking(response: Response, request: Request) -> InvalidResponseError:
    """Return the error for a success that contains neither a ranking nor an `error`."""
    where = place(response, request.model)
    if is_page(response):
        name = shown(title(response.body), response)
        return InvalidResponseError(
            f"the response is a web page{f', {name!r}' if name else ''} ({where}). "
            f"{check_base_url(response)}",
            model=request.model,
        )
    said = shown(message_in(json_body(response.body)), response)
    return _invalid(
        f"the response is not a ranking: {said or description(response)}", request, response
    )


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


@dataclass(slots=True, kw_only=True)
class _Bill:
    # Not part of `_Content`: the rows of a response that is billed may be invalid.
    usage: object = None


_BILL = TypeAdapter(_Bill)


def reported_cost(response: Response) -> float | None:
    """Return the cost that a response reports, in US dollars. Any response may be billed."""
    bill = _validated(_BILL, response.body)
    return None if bill is None else _usage(bill.usage).cost


def _validated(kind: TypeAdapter[_Kind], body: bytes) -> _Kind | None:
    try:
        return kind.validate_json(body, strict=True)
    except ValidationError as error:
        # JSON with a lone surrogate is refused by pydantic. The service may have cut the echo of a
        # document inside a surrogate pair, which must not cost a ranking that is paid for.
        if b"\\ud" not in body.lower() or error.errors()[0]["type"] != "json_invalid":
            return None
    try:
        return kind.validate_json(to_json(without_lone_surrogates(json.loads(body))), strict=True)
    except (ValueError, RecursionError):
        return None


def _ranking(
    content: _Content, request: Request, response: Response
) -> Ranking | InvalidResponseError:
    rows = content.results
    indexes = {row.index for row in rows}
    if len(indexes) != len(rows):
        return _invalid("the response ranks a document twice", request, response)
    if indexes and max(indexes) >= request.documents:
        return _invalid(
            f"the response ranks document {_short(max(indexes))} of {request.documents}",
            request,
            response,
        )
    if len(rows) < request.results:
        error = InvalidResponseError(
            f"the response ranks {len(rows)} of {request.results} documents "
            f"({place(response, request.model)}). It may have been billed, so the request is not "
            "repeated. Set another model, or fallback_models.",
            model=request.model,
            retryable=True,
        )
        error.is_incomplete = True
        return error
    # A response need not be sorted by score. Equal scores keep the order of the input.
    rows.sort(key=lambda row: (-row.relevance_score, row.index))
    answered = AnsweredRequest(
        id=_name(content.id, response),
        served_model=_name(content.model, response),
        provider=_name(content.provider, response),
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
    fields: Mapping[str, object] = reported if _is_object(reported) else {}
    units = _amount(fields.get("search_units"))
    tokens = _amount(fields.get("total_tokens"))
    return Usage(
        cost=_amount(fields.get("cost")),
        search_units=None if units is None else int(units),
        total_tokens=None if tokens is None else int(tokens),
    )


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _amount(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= sys.float_info.max else None


def _name(value: object, response: Response) -> str | None:
    if not isinstance(value, str):
        return None
    # Nearly all names are short and printable.
    if len(value) <= _LONGEST_NAME and value.isprintable():
        return response.masked(value)
    return shown(value, response)


def _short(number: int) -> str:
    # A number of thousands of digits cannot be written.
    return str(number) if number < sys.maxsize else "with a number of many digits"


def _invalid(problem: str, request: Request, response: Response) -> InvalidResponseError:
    return InvalidResponseError(
        f"{problem} ({place(response, request.model)}). Retry later, or set fallback_models.",
        model=request.model,
        retryable=True,
    )
