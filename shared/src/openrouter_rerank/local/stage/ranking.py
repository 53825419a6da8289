"""
What the stage says to a rerank request: rankings in the shapes OpenRouter has been seen to send.

Each is a function from the request to the reply, and touches no socket.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from openrouter_rerank.local.stage.reply import FRAMING, Reply, error
from openrouter_rerank.local.stage.request import JSON, RecordedRequest

if TYPE_CHECKING:
    from openrouter_rerank.local.service import LocalOpenRouter

Replier: TypeAlias = Callable[[RecordedRequest], Reply]

_DOCUMENTS_PER_SEARCH_UNIT = 100
_DOLLARS_PER_SEARCH_UNIT = 0.001


def scores(*values: float, cost: float | None = None) -> Replier:
    """
    A valid ranking that gives the documents of the request these scores, in their order.

    Sorted and cut to `top_n` as OpenRouter does. A request with another number of documents is
    answered with an error 500 that says so. `cost` is what the answer claims to have cost, in
    US dollars.
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


def answered_by(service: LocalOpenRouter) -> Replier:
    """The answers of the local service and its real scorer, for `stage.always`."""

    def reply(request: RecordedRequest) -> Reply:
        answer = service.answer(request.method, request.path, request.headers, request.body)
        headers = {
            name: value for name, value in answer.headers.items() if name.lower() not in FRAMING
        }
        return Reply(status=answer.status, body=answer.body, headers=headers)

    return reply


def refused(request: RecordedRequest) -> Reply | None:
    """The error OpenRouter answers to a request that cannot be ranked, None for one that can."""
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
