import time

import pytest
from openrouter_rerank.local.stage import (
    Reply,
    error,
)

from tests.local.asking import rerank


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
def test_bodies_go_out_as_written(stage, client, reply, content_type, body):
    """Bytes and text go out unchanged, all else as JSON, each with its content type."""
    stage.script(reply)

    response = rerank(client)

    assert response.headers["content-type"] == content_type
    assert response.content == body


@pytest.mark.parametrize("status", [200, 204, 304, 307, 402, 524, 599, 799])
def test_any_final_status_goes_out(stage, client, status):
    """Every status that can end an exchange can be scripted, and leaves the connection good."""
    stage.script(Reply(status=status, body="gone" if status not in {204, 304} else ""))

    assert rerank(client).status_code == status
    assert rerank(client).status_code == 200
    assert stage.connections == 1


def test_headers_may_hold_any_digit(stage, client):
    """A hint in digits that are not ASCII reaches the client as it was scripted."""
    stage.script(error(429, "slow down", retry_after="٣"))

    raw = dict(rerank(client).headers.raw)

    assert raw[b"retry-after"].decode() == "٣"


def test_delay_comes_before_the_first_byte(stage, client):
    """A delayed reply takes at least its delay."""
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
def test_what_cannot_be_sent_is_refused_at_once(options, problem):
    """A reply that the server could not send is refused where the test makes it."""
    with pytest.raises(ValueError, match=problem):
        Reply(**options)


def test_bodies_that_are_not_json_are_refused_at_once():
    """A body that is no JSON is refused where the test makes it."""
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
def test_errors_have_the_envelope(reply, status, headers, body):
    """An error comes in OpenRouter's envelope, with its status and its hint."""
    assert (reply.status, reply.headers, reply.body) == (status, headers, body)
