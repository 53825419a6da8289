"""What `decode` makes of a response to a request, by default for two documents."""

import json

from openrouter_rerank._attempt import Request, Response
from openrouter_rerank._wire.response import decode
from openrouter_rerank.ranking import Ranking

ROWS = [{"index": 1, "relevance_score": 0.5}, {"index": 0, "relevance_score": 0.25}]


def decoded(body, *, status=200, headers=None, documents=2, results=None):
    """Return what `decode` makes of `body`, which is bytes or a JSON value."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(
        body=b"{}",
        model="the/slug",
        documents=documents,
        results=documents if results is None else results,
    )
    return decode(Response(status=status, headers=headers or {}, body=content), request)


def pairs(ranking):
    """Require a ranking, and return its results as pairs of index and score."""
    assert isinstance(ranking, Ranking), ranking
    return [(result.index, result.relevance_score) for result in ranking.results]
