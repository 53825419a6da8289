"""
What the stage says: answers and errors in the shapes OpenRouter has been seen to send.

A reply is a value, or a function from the request to one. Nothing here touches a socket.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from openrouter_rerank.local.stage_request import JSON, RecordedRequest

_STATUSES = range(200, 600)
_BODILESS = frozenset({204, 304})
_FRAMING = frozenset({"content-length", "transfer-encoding"})
_DOCUMENTS_PER_SEARCH_UNIT = 100
_DOLLARS_PER_SEARCH_UNIT = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    One HTTP response, sent as it is.

    Raises:
        ValueError: The status, the delay or a header cannot be sent.
        TypeError: The body is neither bytes, text nor JSON.
    """

    status: int = 200
    body: object = b""
    """Bytes and text go out unchanged, text as an HTML page; anything else goes out as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to `content-type`, or in its place; the length is the stage's own affair."""
    delay: float = 0.0
    """Seconds to wait before the first byte."""

    def __post_init__(self) -> None:
        """
        Refuse here, in the test's own line, what the server could not send later.
        """
        if self.status not in _STATUSES:
            message = f"status must be from 200 to 599, got {self.status!r}"
            raise ValueError(message)
        if not (math.isfinite(self.delay) and self.delay >= 0):
            message = f"delay must be a number of seconds from 0 up, got {self.delay!r}"
            raise ValueError(message)
        for name, value in self.headers.items():
            if set("\r\n\0") & set(name + value):
                message = f"a header must be one line, got {name!r}: {value!r}"
                raise ValueError(message)
            if name.lower() in _FRAMING:
                message = f"{name!r} follows from the body; a `Fault` can make it wrong"
                raise ValueError(message)
        _ = self.content

    @property
    def content(self) -> bytes:
        """
        The body as bytes.
        """
        if self.status in _BODILESS:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        text = (
            self.body
            if isinstance(self.body, str)
            else json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        )
        # A lone surrogate cannot be UTF-8, but its backslash form is the JSON escape for it.
        return text.encode("utf-8", "backslashreplace")

    def header_lines(self) -> dict[str, str]:
        """
        The headers to send, by lower-case name, without those that frame the body.
        """
        html = isinstance(self.body, str)
        content_type = "text/html; charset=UTF-8" if html else "application/json"
        return {"content-type": content_type} | {
            name.lower(): value for name, value in self.headers.items()
        }


Replier: TypeAlias = Callable[[RecordedRequest], Reply]


def error(
    code: int,
    message: str,
    *,
    status: int | None = None,
    retry_after: float | str | None = None,
    metadata: Mapping[str, JSON] | None = None,
) -> Reply:
    """
    An error in OpenRouter's envelope.

    Args:
        status: The HTTP status where it differs from the code: 200 for an error inside a success.
        retry_after: The header of that name, whatever its value.
    """
    envelope: dict[str, JSON] = {"message": message, "code": code}
    if metadata is not None:
        envelope["metadata"] = dict(metadata)
    return Reply(
        status=code if status is None else status,
        body={"error": envelope},
        headers={} if retry_after is None else {"retry-after": str(retry_after)},
    )


def scores(*values: float, cost: float | None = None) -> Replier:
    """
    A valid ranking that gives the documents of the request these scores, in their order.

    Sorted and cut to `top_n` as OpenRouter does. A request with another number of documents is
    answered with an error 500 that says so.

    Args:
        cost: What the answer claims to have cost, in US dollars.
    """

    def reply(request: RecordedRequest) -> Reply:
        if (refusal := refused(request)) is not None:
            return refusal
        if len(values) != len(request.documents):
            message = f"{len(values)} scores were scripted for {len(request.documents)} documents"
            return error(500, message)
        order = sorted(range(len(values)), key=lambda index: -values[index])
        return _ranking(request, [(index, values[index]) for index in order[: request.top_n]], cost)

    return reply


def results(*pairs: tuple[JSON, JSON], cost: float | None = None) -> Replier:
    """
    A ranking of exactly these (index, score) pairs, valid or not, in this order.

    For what a server should never send: an index twice, negative or out of range, a score that is
    null or NaN, results unsorted, missing or too many.
    """
    return lambda request: _ranking(request, pairs, cost)


def word_overlap(request: RecordedRequest) -> Reply:
    """
    Score each document by the share of the query's words that it contains, from 0 to 1.

    Deterministic and in need of nothing, so it is what a stage answers until told otherwise.
    """
    if (refusal := refused(request)) is not None:
        return refusal
    asked = _words(request.query)
    found = [len(asked & _words(text)) / max(len(asked), 1) for text in request.texts]
    return scores(*found)(request)


def refused(request: RecordedRequest) -> Reply | None:
    """
    The error OpenRouter answers to a request that cannot be ranked, None for one that can.
    """
    if not request.path.partition("?")[0].endswith("/rerank"):
        return error(404, f"Not Found: {request.path}")
    if request.method != "POST":
        return error(405, f"Method Not Allowed: {request.method}")
    if not request.headers.get("authorization", "").removeprefix("Bearer").strip():
        return error(401, "No auth credentials found")
    try:
        blank = [name for name in ("model", "query", "documents") if not request.json.get(name)]
    except ValueError as problem:
        return error(400, f"Invalid JSON: {problem}")
    return error(400, f"Required, and not empty: {', '.join(blank)}") if blank else None


def _ranking(
    request: RecordedRequest, pairs: Iterable[tuple[JSON, JSON]], cost: float | None
) -> Reply:
    documents = request.documents
    units = math.ceil(len(documents) / _DOCUMENTS_PER_SEARCH_UNIT)
    return Reply(
        body={
            "id": f"gen-rerank-{request.number:010d}-stage",
            "model": request.model.rpartition("/")[2],
            "results": [
                {"index": index, "relevance_score": score, "document": _echo(documents, index)}
                for index, score in pairs
            ],
            "usage": {
                "search_units": units,
                "cost": units * _DOLLARS_PER_SEARCH_UNIT if cost is None else cost,
            },
            "provider": "Stage",
        }
    )


def _echo(documents: list[JSON], index: JSON) -> JSON:
    if not isinstance(index, int) or not 0 <= index < len(documents):
        return {"text": ""}
    document = documents[index]
    return {"text": document} if isinstance(document, str) else document


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
