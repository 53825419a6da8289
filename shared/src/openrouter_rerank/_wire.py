"""
Between values and bytes: `encode` makes the request, `decode` reads the answer. Pure and total.

Source of the fields: OpenRouter's OpenAPI description of `POST /api/v1/rerank`, and recorded
answers.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from ._envelope import description, mapping, shown, status_error
from ._json import is_finite, mended, written
from ._messages import Request, Response
from ._plan import NO_COPIES, Positions
from ._request_body import RequestBody
from .documents import Ranked
from .errors import APIStatusError, InvalidRequestError, InvalidResponseError
from .ranking import AnsweredRequest, RankedDocument, Ranking, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one rerank call asks for, checked."""

    query: str = field(repr=False)
    documents: tuple[Ranked, ...] = field(repr=False)
    """The different ones."""
    positions: Positions = NO_COPIES
    """Where they stood in the input."""
    top_n: int | None = None
    max_documents: int | None = None
    """How many documents one request may hold, if the user has a limit."""
    extra: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)
    """The other fields of the body."""

    def part(self, of: range) -> "Call":
        """Return what one request asks, of those that the call needs."""
        if len(of) == len(self.documents):
            return self
        documents = self.documents[of.start : of.stop]
        return replace(self, documents=documents, positions=NO_COPIES)


def encode(call: Call, model: str) -> Request:
    """
    Write the body of the request that asks `model`.

    Text goes out as UTF-8, not escaped. Half a surrogate pair, which damaged documents contain and
    UTF-8 cannot express, goes out as U+FFFD.

    Raises:
        InvalidRequestError: If an extra field cannot be written as JSON.
    """
    sent = len(call.documents)
    top_n = call.top_n if call.top_n is not None and call.top_n < sent else None
    fields: dict[str, object] = {
        "model": model,
        "query": call.query,
        # Servers are known to refuse a null.
        **({} if top_n is None else {"top_n": top_n}),
        **call.extra,
    }
    head = written(fields) or written(mended(fields))
    if head is None or (call.extra and not is_finite(mended(call.extra))):
        # Raised here and not where it was met: no document is in the context of the error.
        raise InvalidRequestError(
            "an extra field of the request cannot be written as JSON: use plain JSON values"
        )
    return Request(
        body=RequestBody(head, call.documents),
        model=model,
        documents=sent,
        results=sent if top_n is None else top_n,
    )


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
