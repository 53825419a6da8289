"""Recorded responses: each is a ranking, or the error of its status."""

import json
from pathlib import Path

import pytest
from openrouter_rerank.errors import (
    BadRequestError,
    EdgeNetworkTimeoutError,
    NotFoundError,
    ServiceUnavailableError,
    TooManyRequestsError,
)
from openrouter_rerank.ranking import AnsweredRequest, Usage

from tests.wire.decoded_response import decoded, pairs

FIXTURES = Path(__file__).parent / "fixtures"


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
