"""Successful responses without a valid ranking: they are refused, and the error says why."""

import json

import pytest
from openrouter_rerank.errors import InvalidResponseError

from tests.wire.decoded_response import ROWS, decoded


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
