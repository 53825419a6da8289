"""What `decode` returns: a valid ranking, or the error of the response."""

import json
from pathlib import Path

import pytest
from openrouter_rerank._attempt import Request, Response
from openrouter_rerank._wire.response import decode
from openrouter_rerank.errors import (
    APIStatusError,
    BadRequestError,
    EdgeNetworkTimeoutError,
    InvalidResponseError,
    NotFoundError,
    ServiceUnavailableError,
    TooManyRequestsError,
)
from openrouter_rerank.ranking import AnsweredRequest, Ranking, Usage

FIXTURES = Path(__file__).parent / "fixtures"
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


@pytest.mark.parametrize(
    ("name", "documents", "results", "ranked", "answered_request"),
    [
        pytest.param(
            "cohere-search-units",
            2,
            2,
            [(1, 0.9351), (0, 0.0412)],
            AnsweredRequest(
                id="gen-rerank-1789482080-CJZy8TXbWbOXnJmxFkCd",
                served_model="rerank-v4.0-fast",
                provider="Cohere",
                usage=Usage(cost=0.002, search_units=1),
            ),
            id="cohere",
        ),
        pytest.param(
            "fireworks-upstream-model-name",
            3,
            2,
            [(2, 0.9921), (0, 0.0031)],
            AnsweredRequest(
                id="gen-rerank-1787700000-0aBcDeFgHiJkLmNoPqRs",
                served_model="accounts/fireworks/models/qwen3-reranker-8b",
                provider="Fireworks",
                usage=Usage(cost=0.0001626, total_tokens=813),
            ),
            id="fireworks",
        ),
        pytest.param(
            "voyage-quantised-ties",
            3,
            3,
            [(0, 0.58203125), (1, 0.2734375), (2, 0.2734375)],
            AnsweredRequest(
                id="gen-rerank-1788571637-Qm3xH2vT8sYb0kLrZp1a",
                served_model="rerank-2.5",
                provider="VoyageAI by MongoDB",
                usage=Usage(cost=0.0000024, total_tokens=48),
            ),
            id="voyage",
        ),
    ],
)
def test_recorded_rankings(name, documents, results, ranked, answered_request):
    """Each recorded response is a ranking with the request's slug and the service's metadata."""
    body = (FIXTURES / f"response-{name}.json").read_bytes()

    ranking = decoded(body, documents=documents, results=results)

    assert pairs(ranking) == ranked
    assert ranking.model == "the/slug"
    assert ranking.requests == (answered_request,)


@pytest.mark.parametrize(
    ("name", "error_class", "message", "attributes"),
    [
        pytest.param(
            "200-error-body",
            BadRequestError,
            "Received 400 fetching image https://example.com/missing.png (HTTP 200 with code 400, ",
            {"status_code": 400, "code": 400, "retryable": False},
            id="error in a 200 response",
        ),
        pytest.param(
            "400-empty-documents",
            BadRequestError,
            "must contain at least 1 element",
            {"status_code": 400, "retryable": False},
            id="empty documents",
        ),
        pytest.param(
            "400-unknown-model",
            BadRequestError,
            "Model qwen/no-such-reranker does not exist (HTTP 400, model the/slug). Check model",
            {"status_code": 400, "retryable": False},
            id="unknown model",
        ),
        pytest.param(
            "404-no-endpoints",
            NotFoundError,
            "No endpoints found for qwen/qwen3-reranker-0.6b (HTTP 404, model the/slug). Check",
            {"status_code": 404, "retryable": False},
            id="no endpoints",
        ),
        pytest.param(
            "429-no-retry-after",
            TooManyRequestsError,
            "Rate limit exceeded: free-models-per-min (HTTP 429, model the/slug). Retry later, ",
            {"retry_after": None, "metadata": {"error_type": "rate_limit_exceeded"}},
            id="429 without Retry-After",
        ),
        pytest.param(
            "429-retry-after",
            TooManyRequestsError,
            "Rate limit exceeded (HTTP 429, model the/slug). Retry after 2 s, lower",
            {"retry_after": 2.0, "retryable": True},
            id="429 with Retry-After",
        ),
        pytest.param(
            "503-availability-without-code",
            ServiceUnavailableError,
            "No provider is available (HTTP 503, model the/slug). Retry after 1 s",
            {"retry_after": 1.0, "code": 503, "retryable": True},
            id="retry_after in the body",
        ),
        pytest.param(
            "503-edge-html",
            ServiceUnavailableError,
            "Worker exceeded resource limits",
            {"request_id": "0000000000000000-AMS", "code": None},
            id="edge page",
        ),
        pytest.param(
            "524-edge-timeout-html",
            EdgeNetworkTimeoutError,
            "524: A timeout occurred",
            {"retryable": True},
            id="edge timeout",
        ),
    ],
)
def test_recorded_errors(name, error_class, message, attributes):
    """Each recorded failure is the error for its status, with the server's message and details."""
    recorded = json.loads((FIXTURES / f"error-{name}.json").read_text())
    body = recorded["body"]

    error = decoded(
        body.encode() if isinstance(body, str) else body,
        status=recorded["status"],
        headers=recorded["headers"],
    )

    assert type(error) is error_class
    assert message in error.message
    assert error.model == "the/slug"
    assert {name: getattr(error, name) for name in attributes} == attributes


def test_every_fixture_is_used():
    """This file uses every recorded response."""
    source = Path(__file__).read_text()

    names = [file.stem.partition("-")[2] for file in FIXTURES.iterdir()]

    assert len(names) == 12
    assert [name for name in names if f'"{name}"' not in source] == []


@pytest.mark.parametrize(
    ("rows", "ranked"),
    [
        pytest.param([(0, 0.1), (1, 0.9)], [(1, 0.9), (0, 0.1)], id="unsorted"),
        pytest.param([(1, 0.5), (0, 0.5)], [(0, 0.5), (1, 0.5)], id="tie"),
        pytest.param([(1, -3), (0, 4)], [(0, 4.0), (1, -3.0)], id="whole numbers, logits"),
        pytest.param([(1, 0.0), (0, -0.0)], [(0, 0.0), (1, 0.0)], id="zeros of both signs"),
        pytest.param([(0, 5e-324), (1, 1e308)], [(1, 1e308), (0, 5e-324)], id="extremes"),
    ],
)
def test_results_are_sorted_by_score_and_then_by_position(rows, ranked):
    """Results are sorted by score, and equal scores by position, in any order of the response."""
    results = [{"index": index, "relevance_score": score} for index, score in rows]

    assert pairs(decoded({"results": results})) == ranked


def test_results_beyond_top_n_are_removed():
    """If a server returns more than `top_n` results, the best `top_n` are kept."""
    results = [{"index": index, "relevance_score": index / 10} for index in range(4)]

    assert pairs(decoded({"results": results}, documents=4, results=2)) == [(3, 0.3), (2, 0.2)]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"text": "another text"}, id="invented"),
        pytest.param({}, id="empty"),
        pytest.param(None, id="null"),
        pytest.param(7, id="number"),
        pytest.param("text", id="string"),
        pytest.param({"text": {"text": []}, "image": 1}, id="wrong types"),
        pytest.param({"text": "half \ud83d a pair"}, id="escaped lone surrogate"),
    ],
)
def test_the_echoed_document_is_ignored(document):
    """The echoed document is ignored, even if it is not valid."""
    body = {"results": [row | {"document": document} for row in ROWS]}

    assert pairs(decoded(body)) == [(1, 0.5), (0, 0.25)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rb'{"results": [{"index": 0, "document": "\ud83d', id="truncated"),
        pytest.param(rb'{"document": "\ud83d", "deep": ' + b"[" * 200_000, id="too deep"),
    ],
)
def test_an_invalid_response_with_a_lone_surrogate_is_refused(body):
    """A response that is invalid even with its lone surrogate replaced is refused."""
    assert isinstance(decoded(body), InvalidResponseError)


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        pytest.param({}, Usage(), id="absent"),
        pytest.param({"usage": None}, Usage(), id="null"),
        pytest.param({"usage": "free"}, Usage(), id="string"),
        pytest.param({"usage": {"cost": "0.1"}}, Usage(), id="nested string"),
        pytest.param({"usage": {"cost": True, "total_tokens": False}}, Usage(), id="booleans"),
        pytest.param({"usage": {"cost": -1, "search_units": -1}}, Usage(), id="negative"),
        pytest.param({"usage": {"cost": 10**400}}, Usage(), id="cost too large for a float"),
        pytest.param({"usage": {"total_tokens": 10**400}}, Usage(), id="too many tokens"),
        pytest.param(
            {"usage": {"cost": 0, "search_units": 2.0, "total_tokens": 3}},
            Usage(cost=0.0, search_units=2, total_tokens=3),
            id="unusual but valid",
        ),
    ],
)
def test_invalid_usage_does_not_invalidate_a_ranking(fields, usage):
    """Invalid fields of `usage` become `None`, and the ranking is returned."""
    ranking = decoded({"results": ROWS} | fields)

    assert pairs(ranking) == [(1, 0.5), (0, 0.25)]
    assert ranking.usage == usage


def test_a_cost_that_is_not_finite_is_ignored():
    """A cost of `NaN` or `Infinity`, which Python servers can write, becomes `None`."""
    results = json.dumps(ROWS).encode()

    for cost in (b"NaN", b"Infinity", b"1e999"):
        ranking = decoded(b'{"results":' + results + b',"usage":{"cost":' + cost + b"}}")
        assert ranking.usage.cost is None


@pytest.mark.parametrize("value", [None, 1, [], {}, True])
def test_invalid_metadata_does_not_invalidate_a_ranking(value):
    """An id, model or provider that is not a string becomes `None`."""
    ranking = decoded({"results": ROWS, "id": value, "model": value, "provider": value})

    assert (ranking.id, ranking.served_model, ranking.provider) == (None, None, None)


def test_metadata_is_escaped_and_shortened():
    """Ids and names are escaped, and have at most 300 characters."""
    ranking = decoded({"results": ROWS, "id": "a\nb", "provider": "x" * 1000})

    assert ranking.id == "a\\nb"
    assert len(ranking.provider) == 300


def test_results_with_a_null_error_are_a_ranking():
    """A response with results and `error: null` is a ranking."""
    assert pairs(decoded({"results": ROWS, "error": None})) == [(1, 0.5), (0, 0.25)]


@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        pytest.param({"code": 429, "message": "slow down"}, TooManyRequestsError, id="object"),
        pytest.param("upstream went away", APIStatusError, id="string"),
    ],
)
def test_an_error_next_to_results_is_an_error(error, error_class):
    """If a response has both results and an error, the results are not used."""
    assert type(decoded({"results": ROWS, "error": error})) is error_class


def row(index=0, score=0.5):
    """Return one result."""
    return {"index": index, "relevance_score": score}


@pytest.mark.parametrize(
    "results",
    [
        pytest.param([], id="none"),
        pytest.param([row()], id="one missing"),
        pytest.param([row(), row()], id="one twice"),
        pytest.param([row(), row(1), row(1)], id="all, and one twice"),
        pytest.param([row(), row(-1)], id="negative index"),
        pytest.param([row(), row(2)], id="index out of range"),
        pytest.param([row(), row(1), row(2)], id="one more than sent"),
        pytest.param([row(), row(10**30)], id="very large index"),
        pytest.param([row(), row(1, None)], id="null score"),
        pytest.param([row(), row(1, float("nan"))], id="NaN score"),
        pytest.param([row(), row(1, float("inf"))], id="infinite score"),
        pytest.param([row(), row(1, 10**400)], id="score too large for a float"),
        pytest.param([row(), row(1, "0.5")], id="score as string"),
        pytest.param([row(), row(1, True)], id="score as boolean"),
        pytest.param([row(), row("1")], id="index as string"),
        pytest.param([row(), row(True)], id="index as boolean"),
        pytest.param([row(), row(1.5)], id="decimal index"),
        pytest.param([row(), row(None)], id="null index"),
        pytest.param([row(), {"index": 1}], id="score absent"),
        pytest.param([row(), {"relevance_score": 0.5}], id="index absent"),
        pytest.param([row(), None], id="null result"),
        pytest.param([[0, 0.5], [1, 0.5]], id="results as lists"),
        pytest.param({"0": row(), "1": row(1)}, id="results as an object"),
        pytest.param(None, id="null results"),
        pytest.param("results", id="string as results"),
    ],
)
def test_results_that_do_not_rank_the_documents_are_refused(results):
    """Without one finite score for each document, the response is an `InvalidResponseError`."""
    error = decoded({"results": results})

    assert type(error) is InvalidResponseError
    assert error.retryable
    assert error.model == "the/slug"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" ", id="blank"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="empty object"),
        pytest.param(b'"text"', id="string"),
        pytest.param(b"1", id="number"),
        pytest.param(b'{"results":[{"index":0,', id="truncated"),
        pytest.param(b"<html><title>Login</title></html>", id="HTML"),
        pytest.param(bytes(range(256)), id="all bytes"),
        pytest.param(b"[" * 200_000, id="deep list"),
        pytest.param(b'{"results":' * 100_000, id="deep object"),
        pytest.param(json.dumps({"results": ROWS}).encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"results":[' + b"9" * 5000 + b"]}", id="number of 5000 digits"),
    ],
)
@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_successful_response_without_results_is_refused(body, status):
    """A 2xx response without a ranking is an `InvalidResponseError`, for all bytes."""
    error = decoded(body, status=status)

    assert type(error) is InvalidResponseError
    assert error.message.startswith(("the response is not a ranking", "the response is a web page"))
    assert f"HTTP {status}" in error.message


def test_the_error_says_what_is_wrong():
    """The message says how the results differ from the documents, and quotes no document."""
    messages = [
        decoded({"results": [row(), row()]}).message,
        decoded({"results": [row(), row(7)]}).message,
        decoded({"results": [row()]}).message,
    ]

    again = "Retry later, or set fallback_models."
    not_again = (
        "It may have been billed, so the request is not repeated. Set another model, or "
        "fallback_models."
    )
    assert messages == [
        f"the response ranks a document twice (HTTP 200, model the/slug). {again}",
        f"the response ranks document 7 of 2 (HTTP 200, model the/slug). {again}",
        f"the response ranks 1 of 2 documents (HTTP 200, model the/slug). {not_again}",
    ]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_a_redirect_is_refused_and_not_retried(status):
    """A redirect is neither followed nor retried."""
    error = decoded(b"", status=status, headers={"location": "https://evil.example/api"})

    assert type(error) is InvalidResponseError
    assert error.message == (
        "the response is a redirect to https://evil.example/api, and redirects are never followed "
        f"(HTTP {status}, model the/slug). Check base_url."
    )
    assert not error.retryable


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate", "gzip, identity"])
def test_a_compressed_response_is_refused(encoding):
    """A compressed 200 response is refused, because the client requests no compression."""
    error = decoded(b"\x1f\x8b", headers={"content-encoding": encoding})

    assert type(error) is InvalidResponseError
    assert "compressed" in error.message


@pytest.mark.parametrize("encoding", ["identity", "Identity"])
def test_content_encoding_identity_is_accepted(encoding):
    """A response with `Content-Encoding: identity` is read."""
    assert pairs(decoded({"results": ROWS}, headers={"content-encoding": encoding}))


@pytest.mark.parametrize(("status", "retryable"), [(401, False), (413, False), (429, True)])
def test_a_compressed_failure_keeps_its_status(status, retryable):
    """A compressed failure has the error of its status, and its `Retry-After`."""
    headers = {"content-encoding": "gzip", "retry-after": "7"}

    error = decoded(b"\x1f\x8b", status=status, headers=headers)

    assert (error.status_code, error.retryable, error.retry_after) == (status, retryable, 7.0)
