"""What the errors of responses without a valid ranking say, and which responses are refused."""

import json

import pytest
from openrouter_rerank._attempt import Request, Response
from openrouter_rerank._wire.response import reported_cost
from openrouter_rerank.errors import BadGatewayError, InvalidResponseError
from openrouter_rerank.ranking import Ranking

from tests.wire.decoded_response import decoded

ROWS = [{"index": 0, "relevance_score": 0.25}, {"index": 1, "relevance_score": 0.5}]
RANKING = json.dumps({"results": ROWS}).encode()
REQUEST = Request(body=b"", model="the/slug", documents=2, results=2)


def many_values(size):
    """Return a ranking of `size` bytes with many values in a field that is not read."""
    body = RANKING[:-1] + b',"other":[' + b"1," * 6_000 + b"1]}"
    return body.ljust(size)


def test_a_redirect_with_a_ranking_is_refused():
    """A response of status 300 is a redirect, also if it contains a ranking."""
    error = decoded(RANKING, status=300)

    assert error.message.startswith("the response is a redirect")
    assert error.model == "the/slug"


def test_a_failure_with_a_ranking_is_a_failure():
    """A response of status 502 is a failure, also if it contains a ranking."""
    assert type(decoded(RANKING, status=502)) is BadGatewayError


def test_a_response_that_is_said_to_be_compressed_is_refused():
    """A response with `Content-Encoding: gzip` is refused, also if a ranking can be read."""
    error = decoded(RANKING, headers={"content-encoding": "gzip"})

    assert error.message.startswith("the response is compressed with gzip")
    assert error.model == "the/slug"


@pytest.mark.parametrize(
    "body", [b'{"detail": "\\ud800"}', b'{"results": {}, "id": "\\ud800"}', b"\\ud800"]
)
def test_a_lone_surrogate_does_not_make_a_ranking(body):
    """A response without a list of results is not a ranking, also next to a lone surrogate."""
    error = decoded(body)

    assert error.message.startswith("the response is not a ranking")
    assert not error.is_incomplete


def test_a_web_page_without_a_title_is_called_a_web_page():
    """The error for a web page without a title names no title, and the model."""
    error = decoded(b"<html>")

    assert error.message.startswith("the response is a web page (HTTP 200")
    assert error.model == "the/slug"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b'{"detail": "not ready"}', "not ready", id="message"),
        pytest.param(b'{"detail": "\\ud83d\\ude00"}', "\U0001f600", id="message with a pair"),
        pytest.param(b"{}", "no content type, 2 bytes", id="no message"),
    ],
)
def test_the_error_says_what_the_response_says(body, said):
    """The error for a success without a ranking has its message, else its media type and size."""
    assert decoded(body).message.startswith(f"the response is not a ranking: {said} (HTTP 200, ")


def test_only_long_responses_are_refused_for_their_values():
    """A ranking with many values is read if it has at most 16,384 bytes."""
    assert isinstance(decoded(many_values(16_384)), Ranking)
    assert "it has too many values" in decoded(many_values(16_385)).message


def test_the_cost_of_a_response_with_too_many_values_is_unknown():
    """No cost is read of a response with too many values."""
    body = b'{"usage":{"cost":1},"other":[' + b"1," * 6_000 + b"1]}"

    assert reported_cost(Response(status=200, headers={}, body=body), REQUEST) is None


@pytest.mark.parametrize(
    "index",
    [pytest.param(b'"0"', id="string"), pytest.param(b"[" * 900 + b"]" * 900, id="deep list")],
)
def test_an_invalid_index_next_to_a_lone_surrogate_is_refused(index):
    """A response with a lone surrogate and an index that is not a number is not a ranking."""
    row = b'{"relevance_score":0.5,"index":' + index + b"}"

    error = decoded(b'{"id":"\\ud800","results":[' + row + b"]}")

    assert error.message.startswith("the response is not a ranking")


def test_deep_lists_next_to_a_lone_surrogate_are_refused():
    """A response with a lone surrogate and lists that are too deep to be read is refused."""
    body = b'{"id":"\\ud800","results":' + b"[" * 16_000

    assert type(decoded(body)) is InvalidResponseError


def test_a_very_large_index_is_not_written():
    """The error for an index of many digits does not repeat them."""
    error = decoded(json.dumps({"results": [ROWS[0], {**ROWS[1], "index": 10**30}]}).encode())

    assert error.message.startswith(
        "the response ranks document with a number of many digits of 2 ("
    )


def test_a_name_has_at_most_300_characters():
    """A name of 301 characters is cut."""
    ranking = decoded(RANKING[:-1] + b',"provider":"' + b"x" * 301 + b'"}')

    assert ranking.provider == "x" * 300


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


@pytest.mark.parametrize(("status", "retryable"), [(401, False), (413, False), (429, True)])
def test_a_compressed_failure_keeps_its_status(status, retryable):
    """A compressed failure has the error of its status, and its `Retry-After`."""
    headers = {"content-encoding": "gzip", "retry-after": "7"}

    error = decoded(b"\x1f\x8b", status=status, headers=headers)

    assert (error.status_code, error.retryable, error.retry_after) == (status, retryable, 7.0)
