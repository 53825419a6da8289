import time

import pytest
from openrouter_rerank.local.stage import (
    Reply,
    error,
)

from tests.rerank_requests import rerank


@pytest.mark.parametrize(
    ("reply", "content_type", "body"),
    [
        (Reply(body={"é": 1}), "application/json", '{"é":1}'.encode()),
        (Reply(body="<p>é"), "text/html; charset=UTF-8", "<p>é".encode()),
        (Reply(body=b"\xff"), "application/json", b"\xff"),
        (Reply(body=[], headers={"Content-Type": "x/y"}), "x/y", b"[]"),
        (Reply(body={"score": float("nan")}), "application/json", b'{"score":NaN}'),
    ],
)
def test_bodies_are_sent_as_given(stage, client, reply, content_type, body):
    """Bytes and text are sent unchanged, other values as JSON, each with its content type."""
    stage.script(reply)

    response = rerank(client)

    assert response.headers["content-type"] == content_type
    assert response.content == body


@pytest.mark.parametrize("status", [200, 204, 304, 307, 402, 524, 599, 799])
def test_any_final_status_can_be_sent(stage, client, status):
    """Every status that ends an exchange can be scripted, and the connection stays usable."""
    stage.script(Reply(status=status, body="gone" if status not in {204, 304} else ""))

    assert rerank(client).status_code == status
    assert rerank(client).status_code == 200
    assert stage.connections == 1


def test_headers_may_contain_non_ascii_digits(stage, client):
    """A `Retry-After` in digits that are not ASCII reaches the client unchanged."""
    stage.script(error(429, "slow down", retry_after="٣"))

    raw = dict(rerank(client).headers.raw)

    assert raw[b"retry-after"].decode() == "٣"


def test_the_delay_is_before_the_first_byte(stage, client):
    """A reply with a delay takes at least as long as the delay."""
    stage.script(Reply(delay=0.05))
    start = time.monotonic()

    rerank(client)

    assert time.monotonic() - start >= 0.05


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"status": 100}, "cannot be sent"),
        ({"status": 1000}, "cannot be sent"),
        ({"headers": {"retry-after": "1\r\nx: y"}}, "cannot be sent"),
        ({"headers": {"two words": "1"}}, "cannot be sent"),
        ({"headers": {"Content-Length": "1"}}, "a `Fault` can make it wrong"),
        ({"headers": {"transfer-encoding": "chunked"}}, "a `Fault` can make it wrong"),
        ({"delay": -1}, "delay must be"),
        ({"delay": float("nan")}, "delay must be"),
    ],
)
def test_an_invalid_reply_cannot_be_created(options, problem):
    """A reply that the server could not send raises an error when the test creates it."""
    with pytest.raises(ValueError, match=problem):
        Reply(**options)


def test_a_reply_with_a_body_that_is_not_json_cannot_be_created():
    """A body that JSON cannot encode raises an error when the test creates the reply."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        Reply(body=object())


@pytest.mark.parametrize(
    ("reply", "status", "headers", "body"),
    [
        (error(404, "none"), 404, {}, {"error": {"message": "none", "code": 404}}),
        (error(400, "bad", status=200), 200, {}, {"error": {"message": "bad", "code": 400}}),
        (
            error(429, "slow", retry_after=2, metadata={"error_type": "rate_limit_exceeded"}),
            429,
            {"retry-after": "2"},
            {
                "error": {
                    "message": "slow",
                    "code": 429,
                    "metadata": {"error_type": "rate_limit_exceeded"},
                }
            },
        ),
    ],
)
def test_errors_have_the_format_of_openrouter(reply, status, headers, body):
    """An error has OpenRouter's format, its status, and its `Retry-After`."""
    assert (reply.status, reply.headers, reply.body) == (status, headers, body)
