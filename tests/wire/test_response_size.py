"""Tests of responses that are valid JSON and cost more to read than a ranking."""

import json

import pytest
from openrouter_rerank import Ranking
from openrouter_rerank._attempt import Request, Response
from openrouter_rerank._wire.response import decode
from openrouter_rerank._wire.server_text import shown
from openrouter_rerank.errors import BadGatewayError, InvalidResponseError

from tests.error_responses import error_of

ROWS = [{"index": 0, "relevance_score": 0.25}, {"index": 1, "relevance_score": 0.5}]


def decoded(body, *, documents=2, status=200, headers=None):
    """Return the outcome of a response with `body`, which is bytes or a JSON value."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(body=b"", model="the/slug", documents=documents, results=documents)
    return decode(Response(status=status, headers=headers or {}, body=content), request)


def test_a_response_with_too_many_values_is_refused():
    """A response with more values than a ranking of the documents can have is refused."""
    error = decoded({"results": ROWS, "usage": [1] * 10_000})

    assert type(error) is InvalidResponseError
    assert error.message == (
        "the response is not a ranking: it has too many values for 2 documents: no content type, "
        "30101 bytes (HTTP 200, model the/slug). Retry later, or set fallback_models."
    )


def test_a_web_page_with_too_many_values_is_called_a_web_page():
    """A web page with many commas and brackets is called a web page."""
    page = b"<html><title>Log in</title>" + b"a,b" * 10_000

    assert "web page, 'Log in'" in decoded(page).message


@pytest.mark.parametrize("documents", [1, 100])
def test_long_documents_with_brackets_are_not_counted(documents):
    """Brackets, commas and quotes in the echoed documents do not count."""
    text = '{"a": [1, 2, "b\\c"]},\n' * 1_000
    rows = [
        {"index": index, "relevance_score": 0.5, "document": {"text": text, "image": None}}
        for index in range(documents)
    ]

    assert isinstance(decoded({"results": rows}, documents=documents), Ranking)


def test_a_failure_with_too_many_values_keeps_its_status():
    """An error response with too many values has the error of its status, without a message."""
    error = decoded({"error": {"message": "m", "metadata": {"a": [1] * 10_000}}}, status=502)

    assert type(error) is BadGatewayError
    assert error.message.startswith("the response has no message (no content type, 30")


def test_too_many_rows_with_a_lone_surrogate_are_refused():
    """Of a response with a lone surrogate, one row more than there are documents is read."""
    rows = [*ROWS, ROWS[0], *({"index": 5},) * 10]

    error = decoded({"results": rows, "id": "\ud800"})

    assert error.message.startswith("the response ranks a document twice (")


def test_rows_that_are_no_objects_are_refused_next_to_a_lone_surrogate():
    """A response with a lone surrogate is refused if one of its rows is not an object."""
    assert type(decoded({"results": [1, ROWS[0]], "id": "\ud800"})) is InvalidResponseError


def test_other_fields_next_to_a_lone_surrogate_are_read():
    """The fields of a ranking with a lone surrogate are read, and a long number does not matter."""
    body = json.dumps(
        {"results": ROWS, "id": "a\ud800", "model": "m", "provider": "p", "usage": {"cost": 1}}
    )

    ranking = decoded(body.encode()[:-1] + b',"other":' + b"9" * 5_000 + b"}")

    assert (ranking.id, ranking.served_model, ranking.provider) == ("a\\ud800", "m", "p")
    assert ranking.usage.cost == 1.0


def test_an_error_next_to_a_lone_surrogate_is_an_error():
    """A response with a lone surrogate, results and an error is an error."""
    error = decoded({"results": ROWS, "id": "\ud800", "error": {"code": 502, "message": "m"}})

    assert type(error) is BadGatewayError


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("SECRET" * 10_000, id="many times"),
        pytest.param("SECRET" * 2_731 + "x" * 20_000, id="cut where the text is cut"),
        pytest.param("x" * 16_380 + "SECRET" * 10, id="at the end"),
        pytest.param("x" * 16_380 + "\\u0053ECRET" * 10, id="escaped at the end"),
    ],
)
def test_a_part_of_a_secret_is_never_shown(text):
    """A text of any length is masked, cut to 300 characters, and shows no part of a secret."""

    def masked(part):
        return part.replace("SECRET", "")

    response = Response(status=502, headers={}, body=b"", masked=masked)
    content = json.dumps({"error": {"message": text, "metadata": {text: text}}}).encode()
    whole = Response(status=502, headers={}, body=content, masked=masked)

    assert not set(shown(text, response)) & set("SECRET")
    assert len(shown(text, response)) <= 300
    assert not set(repr(error_of(whole).metadata)) & set("SECRET")
