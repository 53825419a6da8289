"""
Functions that reply to a rerank request, in the formats that OpenRouter was observed to send.

Each of them turns a recorded request into a reply, without I/O.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from openrouter_rerank.local.key_details import KEY_DETAILS
from openrouter_rerank.local.model_list import model_list
from openrouter_rerank.local.stage.recorded_request import JSON, RecordedRequest
from openrouter_rerank.local.stage.reply import FRAMING, Reply, error

if TYPE_CHECKING:
    from openrouter_rerank.local.endpoint import LocalOpenRouter

ReplyFunction: TypeAlias = Callable[[RecordedRequest], Reply]

_DOCUMENTS_PER_SEARCH_UNIT = 100
_DOLLARS_PER_SEARCH_UNIT = 0.001
_NO_KEY = error(401, "No auth credentials found")


def scores(*values: float, cost: float | None = None) -> ReplyFunction:
    """
    Return a function that replies with a valid ranking, with these scores for the documents.

    The results are sorted and cut to `top_n`, as OpenRouter does. A request with a different number
    of documents gets an error 500 with a message that says so.

    Args:
        *values: The score of each document, in the order of the request.
        cost: The cost that the response states, in US dollars. By default, it is computed from the
            number of documents.
    """

    def reply(request: RecordedRequest) -> Reply:
        if (problem := rejection(request)) is not None:
            return problem
        if len(values) != len(request.documents):
            message = f"{len(values)} scores were scripted for {len(request.documents)} documents"
            return error(500, message)
        order = sorted(range(len(values)), key=lambda index: -values[index])
        return _ranking(request, [(index, values[index]) for index in order[: request.top_n]], cost)

    return reply


def results(*pairs: tuple[JSON, JSON], cost: float | None = None) -> ReplyFunction:
    """
    Return a function that replies with exactly these pairs of index and score, valid or not.

    Use it for what a server should never send: an index that is repeated, negative or out of range,
    a score that is null or NaN, or results that are unsorted, missing or too many.

    Args:
        *pairs: The index and the score of each result, in the order of the response.
        cost: The cost that the response states, in US dollars. By default, it is computed from the
            number of documents.
    """
    return lambda request: _ranking(request, pairs, cost)


def word_overlap(request: RecordedRequest) -> Reply:
    """
    Reply with a score for each document: the share of the query's words in it, from 0 to 1.

    This is the default of a stage, because it is deterministic and needs no extra. It replies to a
    request for the list of models with the models that the client knows, and to `GET /key` with a
    key that has no limits.
    """
    path, _, query_string = request.path.partition("?")
    if request.method == "GET" and path.endswith("/models"):
        return Reply(body=model_list(query_string, ()))
    if request.method == "GET" and path.endswith("/key"):
        return Reply(body=KEY_DETAILS) if _has_key(request) else _NO_KEY
    if (problem := rejection(request)) is not None:
        return problem
    query = _words(request.query)
    shares = [len(query & _words(text)) / max(len(query), 1) for text in request.texts]
    return scores(*shares)(request)


def answered_by(service: LocalOpenRouter) -> ReplyFunction:
    """Return a function that replies as the local `service` with its real scorer responds."""

    def reply(request: RecordedRequest) -> Reply:
        response = service.handle(request.method, request.path, request.headers, request.body)
        headers = {
            name: value for name, value in response.headers.items() if name.lower() not in FRAMING
        }
        return Reply(status=response.status, body=response.body, headers=headers)

    return reply


def rejection(request: RecordedRequest) -> Reply | None:
    """Return OpenRouter's error response to an invalid request, or `None` for a valid one."""
    if not request.path.partition("?")[0].endswith("/rerank"):
        return error(404, f"Not Found: {request.path}")
    if request.method != "POST":
        return error(405, f"Method Not Allowed: {request.method}")
    if not _has_key(request):
        return _NO_KEY
    try:
        blank = [name for name in ("model", "query", "documents") if not request.json.get(name)]
    except ValueError as problem:
        return error(400, f"Invalid JSON: {problem}")
    return error(400, f"Required, and not empty: {', '.join(blank)}") if blank else None


def _has_key(request: RecordedRequest) -> bool:
    return bool(request.headers.get("authorization", "").removeprefix("Bearer").strip())


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
                {
                    "index": index,
                    "relevance_score": score,
                    "document": _echoed_document(documents, index),
                }
                for index, score in pairs
            ],
            "usage": {
                "search_units": units,
                "cost": units * _DOLLARS_PER_SEARCH_UNIT if cost is None else cost,
            },
            "provider": "Stage",
        }
    )


def _echoed_document(documents: list[JSON], index: JSON) -> JSON:
    if not isinstance(index, int) or not 0 <= index < len(documents):
        return {"text": ""}
    document = documents[index]
    return {"text": document} if isinstance(document, str) else document


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
