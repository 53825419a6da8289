"""
Reads a response: a valid ranking, or the error that it means. Works for any bytes, raises nothing.

Source of the fields: OpenRouter's OpenAPI description of `POST /api/v1/rerank`, and recorded
responses.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeGuard

from pydantic import FailFast, TypeAdapter, ValidationError
from pydantic_core import to_json

from openrouter_rerank._attempt import Attempt, Request, Response
from openrouter_rerank.errors import APIStatusError, InvalidResponseError
from openrouter_rerank.ranking import AnsweredRequest, RankedDocument, Ranking, Usage

from .advice import check_base_url
from .error_response import place, redirect_text, status_error
from .json_size import has_few_values
from .server_text import (
    description,
    is_page,
    json_body,
    json_list,
    json_object,
    json_value,
    message_in,
    shown,
    title,
)

# Characters of an id or a name that are kept.
_LONGEST_NAME = 300
# Bytes. A shorter response costs little, however many values it has.
_SHORT_BODY = 16_384
# Bytes. Parsing this many takes some milliseconds, and a call that has failed must end.
_LONGEST_PART = 1 << 20


def decode(response: Response, request: Request) -> Ranking | APIStatusError | InvalidResponseError:
    """Return the ranking in the response to `request`, or the error that the response means."""
    success = 200 <= response.status < 300
    encoding = response.headers.get("content-encoding", "identity")
    is_plain = encoding.lower() == "identity"
    body = response.body
    has_few = len(body) <= _SHORT_BODY or has_few_values(body, request.most_marks)
    content = _content(body, request) if success and is_plain and has_few else None
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
    fields = json_body(body) if has_few else None
    error = status_error(response, {} if fields is None else fields, request.model)
    return error or _without_ranking(response, fields, request)


def _without_ranking(
    response: Response, fields: Mapping[str, object] | None, request: Request
) -> InvalidResponseError:
    """
    Return the error for a success that contains neither a ranking nor an `error`.

    Args:
        response: The response.
        fields: The JSON object in its body; `None` if the body has too many values to be parsed.
        request: The request.
    """
    where = place(response, request.model)
    if is_page(response):
        name = shown(title(response.body), response)
        return InvalidResponseError(
            f"the response is a web page{f', {name!r}' if name else ''} ({where}). "
            f"{check_base_url(response)}",
            model=request.model,
        )
    if fields is None:
        problem = f"it has too many values for {request.documents} documents"
        said = f"{problem}: {description(response)}"
    else:
        said = shown(message_in(fields), response) or description(response)
    return _invalid(f"the response is not a ranking: {said}", request, response)


@dataclass(slots=True, kw_only=True)
class _Content:
    # Only the fields that the order depends on are validated: a ranking that is paid for is not
    # refused for an odd `usage`. The rows have no field for the echoed document, so it is neither
    # validated nor turned into an object.
    # An error for each of many invalid rows would need much time and memory.
    results: Annotated[list[RankedDocument], FailFast()]
    model: object = None
    id: object = None
    provider: object = None
    usage: object = None
    error: object = None


_CONTENT = TypeAdapter(_Content)


@dataclass(slots=True, kw_only=True)
class _Bill:
    # This is not part of `_Content`, because the rows of a response that is billed may be invalid.
    usage: object = None


_BILL = TypeAdapter(_Bill)


def reported_cost(response: Response, request: Request) -> float | None:
    """Return the cost that a response reports, in US dollars. Any response may be billed."""
    if not has_few_values(response.body, request.most_marks):
        return None
    try:
        usage = _BILL.validate_json(response.body, strict=True).usage
    except ValidationError:
        usage = json_object(json_value(response.body)).get("usage")
    return _usage(usage).cost


def charge(attempt: Attempt, response: Response) -> None:
    """
    Charge the budget of `attempt` for a response that was read to its end.

    Call this while the attempt has its request slot, because the next one to have the slot is
    checked, and before anything else that may fail or be cancelled.
    """
    if attempt.budget is not None:
        attempt.budget.charge(reported_cost(response, attempt.request))


def charge_for_part(attempt: Attempt, response: Response) -> None:
    """
    Charge the budget for the received part of a response whose exchange has failed.

    The body may still be complete: its end was not marked, or the connection, once read to the end,
    could not be closed.
    """
    if len(response.body) <= _LONGEST_PART and response.body.rstrip().endswith(b"}"):
        charge(attempt, response)


def _content(body: bytes, request: Request) -> _Content | None:
    try:
        return _CONTENT.validate_json(body, strict=True)
    except ValidationError as error:
        # JSON with a lone surrogate is refused by pydantic. The service may have cut the echo of a
        # document inside a surrogate pair, which must not cost a ranking that is paid for.
        is_json = error.errors(include_input=False)[0]["type"] != "json_invalid"
    if is_json or b"\\ud" not in body.lower():
        return None
    return _content_with_surrogates(body, request)


def _content_with_surrogates(body: bytes, request: Request) -> _Content | None:
    fields = json_object(json_value(body))
    if not isinstance(fields.get("results"), list):
        return None
    try:
        # One row more than can be right, so that too many are refused.
        rows = map(json_object, json_list(fields.get("results"), request.documents + 1))
        # Only what is read of a row, because no lone surrogate may be in it.
        pairs = [{name: row.get(name) for name in ("index", "relevance_score")} for row in rows]
        read = _CONTENT.validate_json(to_json({"results": pairs}), strict=True)
    except ValueError:
        return None
    read.model, read.id, read.provider = map(fields.get, ("model", "id", "provider"))
    read.usage, read.error = fields.get("usage"), fields.get("error")
    return read


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
