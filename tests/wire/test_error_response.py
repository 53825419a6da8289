"""The error of a response: its class, message, `Retry-After`, metadata and ids, from any bytes."""

import datetime as dt
import json
import os
import time
from email.utils import format_datetime

import pytest
from openrouter_rerank import errors
from openrouter_rerank._attempt import Response
from openrouter_rerank._wire.response import description, json_object, log_safe, status_error
from openrouter_rerank.errors import APIStatusError

RECEIVED = dt.datetime(2026, 11, 2, 12, 0, 0, tzinfo=dt.UTC)
BY_STATUS = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    402: errors.PaymentRequiredError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    408: errors.RequestTimeoutError,
    413: errors.PayloadTooLargeError,
    422: errors.UnprocessableEntityError,
    429: errors.TooManyRequestsError,
    500: errors.InternalServerError,
    502: errors.BadGatewayError,
    503: errors.ServiceUnavailableError,
    504: errors.GatewayTimeoutError,
    524: errors.EdgeNetworkTimeoutError,
    529: errors.ProviderOverloadedError,
}
BODIES = [
    pytest.param(b'{"error":{"code":1,"message":"reason"},"user_id":"u"}', id="JSON"),
    pytest.param(b"<html><head><title>reason</title></head></html>", id="HTML"),
    pytest.param(b"", id="empty"),
    pytest.param(b'{"error":{"mess', id="malformed JSON"),
    pytest.param(b"\xff\xfe\x00", id="bytes"),
]


def error_for(body=b"", *, status=503, headers=None):
    """Return the error of a response with `body`, which is bytes or a JSON value."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status_error(
        Response(status=status, headers=headers or {}, body=content, received=RECEIVED.timestamp()),
        "the/slug",
    )


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("status", "error_class"), BY_STATUS.items())
def test_documented_statuses_have_their_own_error_class(status, error_class, body):
    """Each documented status has its own error class, with any body."""
    error = error_for(body, status=status)

    assert type(error) is error_class
    assert error.status_code == status
    assert error.message.endswith(f"(HTTP {status})")


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    "status", [100, 199, 405, 406, 409, 410, 418, 451, 499, 501, 505, 520, 599]
)
def test_other_statuses_are_an_api_status_error(status, body):
    """Any other status is an `APIStatusError`, which is retryable from 500 on."""
    error = error_for(body, status=status)

    assert type(error) is APIStatusError
    assert (error.status_code, error.retryable) == (status, status >= 500)


@pytest.mark.parametrize(
    ("code", "status", "retryable"),
    [
        pytest.param(400, 400, False, id="number"),
        pytest.param("401", 401, False, id="string"),
        pytest.param(429, 429, True, id="429"),
        pytest.param(502, 502, True, id="502"),
        pytest.param(599, 599, True, id="unlisted"),
        pytest.param(399, 200, True, id="redirect"),
        pytest.param(None, 200, True, id="null"),
        pytest.param("rate_limited", 200, True, id="word"),
        pytest.param("\u0664\u0660\u0660", 200, True, id="Arabic digits"),
        pytest.param("4000", 200, True, id="four digits"),
        pytest.param(200, 200, True, id="success"),
        pytest.param(0, 200, True, id="zero"),
        pytest.param(-400, 200, True, id="negative"),
        pytest.param(600, 200, True, id="600"),
        pytest.param(10**30, 200, True, id="very large"),
        pytest.param(True, 200, True, id="boolean"),
        pytest.param(400.0, 200, True, id="decimal"),
        pytest.param([400], 200, True, id="list"),
    ],
)
def test_the_error_code_of_a_200_response_is_its_status(code, status, retryable):
    """In a 200 response, `error.code` is the status; without a valid code, it is retryable."""
    error = error_for({"error": {"code": code, "message": "reason"}}, status=200)

    assert type(error) is BY_STATUS.get(status, APIStatusError)
    assert (error.status_code, error.retryable) == (status, retryable)
    assert error.message == f"reason (HTTP {status})"


@pytest.mark.parametrize("body", [{}, {"error": None}, {"results": []}, [], b"", b"<html>"])
def test_a_200_response_without_error_is_no_error(body):
    """A 200 response without `error` has no error."""
    assert error_for(body, status=200) is None


def test_an_error_string_in_a_200_response_is_retryable():
    """If `error` is a string, it is the message of a retryable error."""
    error = error_for({"error": "upstream went away"}, status=200)

    assert error.message == "upstream went away (HTTP 200)"
    assert error.retryable


def test_the_http_status_of_a_failure_decides():
    """The status of a failed response decides the class, and the error keeps the server's code."""
    error = error_for({"error": {"code": "invalid_key", "message": "reason"}}, status=401)

    assert (type(error), error.code) == (errors.UnauthorizedError, "invalid_key")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({"error": {"message": " reason\n"}}, "reason", id="envelope"),
        pytest.param({"error": "reason"}, "reason", id="error as string"),
        pytest.param({"message": "reason"}, "reason", id="top-level message"),
        pytest.param({"detail": "reason"}, "reason", id="detail"),
        pytest.param({"error": {"message": ""}, "detail": "reason"}, "reason", id="blank message"),
        pytest.param({"error": {"message": 5}}, None, id="number as message"),
        pytest.param({"error": []}, None, id="list as error"),
        pytest.param(b"<TITLE> reason </TITLE>", "reason (", id="HTML title"),
        pytest.param(b"</title><title>x", None, id="closing tag before title"),
        pytest.param(b"<title>reason", None, id="unclosed title"),
        pytest.param(b"<title></title>", None, id="empty title"),
        pytest.param(b" " * 5000 + b"<title>reason</title>", None, id="title after 5000 bytes"),
    ],
)
def test_the_message_of_an_error(body, message):
    """The error has the server's message, or a description of the response if there is none."""
    error = error_for(body, headers={"content-type": "text/html"})

    if message is None:
        assert error.message.startswith("HTTP 503, text/html, ")
    else:
        assert error.message.startswith(message)


def test_a_description_quotes_no_content():
    """A response is described by status, media type and length."""
    response = Response(status=418, headers={}, body=b"my secret")

    assert description(response) == "HTTP 418, no content type, 9 bytes"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain é 東京", "plain é 東京"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31mred\x00", "\\x1b[31mred\\x00"),
        ("\u202eright to left\u2028", "\\u202eright to left\\u2028"),
        ("\ud800", "\\ud800"),
        ("x" * 301, "x" * 300),
        ("\n" * 300, "\\n" * 150),
    ],
)
def test_a_log_safe_text_is_one_short_line(text, safe):
    """`log_safe` escapes control characters and keeps at most 300 characters."""
    assert log_safe(text) == safe


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param({"error": {"message": "m\n" * 1000}}, {}, id="message"),
        pytest.param({"error": {"metadata": {"k\n" * 500: "v\n" * 500}}}, {}, id="metadata"),
        pytest.param(
            {"error": {"metadata": {str(n): n for n in range(999)}}}, {}, id="many metadata fields"
        ),
        pytest.param(b"", {"x-request-id": "x\x1b" * 999}, id="request id"),
        pytest.param(b"", {"content-type": "x\x1b" * 999}, id="content type"),
        pytest.param(b"<title>" + b"t\n" * 2000 + b"</title>", {}, id="title"),
        pytest.param({"error": {"code": "c\n" * 1000}}, {}, id="code"),
    ],
)
def test_texts_of_a_server_are_short_and_escaped(body, headers):
    """Message, code, metadata and ids are escaped and have at most 300 characters each."""
    error = error_for(body, headers=headers)

    texts = [error.message.removesuffix(" (HTTP 503)"), str(error.code), str(error.request_id)]
    for key, value in error.metadata.items():
        texts += [key, str(value)]
    assert [text for text in texts if not text.isprintable()] == []
    assert max(len(text) for text in texts) <= 300
    assert len(error.metadata) <= 20


def test_only_scalar_metadata_is_kept():
    """Only strings, numbers, booleans and `null` are kept; other values may quote documents."""
    metadata = {"provider_name": "Cohere", "a": 1, "b": 0.5, "c": True, "d": None}
    nested = {"raw": {"text": "a document"}, "list": ["a document"]}

    error = error_for({"error": {"metadata": metadata | nested}})

    assert error.metadata == metadata
    assert error.provider == "Cohere"


def test_flagged_input_is_not_kept():
    """The error does not contain the part of the request that moderation quotes."""
    body = {"error": {"message": "m", "metadata": {"flagged_input": "a document", "reasons": "r"}}}

    error = error_for(body, status=403)

    assert error.metadata == {"reasons": "r"}
    assert "a document" not in repr(vars(error))


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({}, None),
        ({"x-request-id": "r", "x-generation-id": "g", "cf-ray": "c"}, "r"),
        ({"x-generation-id": "g", "cf-ray": "c"}, "g"),
        ({"cf-ray": "c"}, "c"),
    ],
)
def test_the_request_id_of_an_error(headers, request_id):
    """The id is that of `x-request-id`, `x-generation-id` or `cf-ray`, in this order."""
    assert error_for(headers=headers).request_id == request_id


def http_date(seconds):
    """Return the HTTP date `seconds` seconds after the response was received."""
    return format_datetime(RECEIVED + dt.timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("0", 0.0, id="zero"),
        pytest.param("7", 7.0, id="seconds"),
        pytest.param(" 7 ", 7.0, id="surrounding spaces"),
        pytest.param("0.25", 0.25, id="decimals"),
        pytest.param("86400000", 86_400_000.0, id="years ahead"),
        pytest.param("9" * 400, float("inf"), id="400 nines"),
        pytest.param("9" * 5000, float("inf"), id="5000 nines"),
        pytest.param("-5", None, id="negative"),
        pytest.param("+5", None, id="signed"),
        pytest.param("inf", None, id="inf"),
        pytest.param("Infinity", None, id="Infinity"),
        pytest.param("nan", None, id="nan"),
        pytest.param("1e999", None, id="1e999"),
        pytest.param("1e1", None, id="exponent"),
        pytest.param("1_0", None, id="underscore"),
        pytest.param("\u0667", None, id="Arabic digit"),
        pytest.param("\uff17", None, id="fullwidth digit"),
        pytest.param("\u00b2", None, id="superscript"),
        pytest.param("", None, id="empty"),
        pytest.param(".", None, id="point"),
        pytest.param("1.2.3", None, id="two points"),
        pytest.param("1, 2", None, id="two values"),
        pytest.param("soon", None, id="word"),
        pytest.param("7 seconds", None, id="unit"),
        pytest.param(http_date(90), 90.0, id="date"),
        pytest.param(http_date(0), 0.0, id="date now"),
        pytest.param(http_date(-90), 0.0, id="date in the past"),
        pytest.param(http_date(10**9), 1e9, id="date years ahead"),
        pytest.param("Mon, 02 Nov 99999 12:00:00 GMT", None, id="date with an invalid year"),
        pytest.param("Mon, 02 Nov 2026 99:99:99 GMT", None, id="date with an invalid time"),
        pytest.param(
            "Mon, 02 Nov 2026 12:00:00 +99999999999999", None, id="date with an invalid zone"
        ),
        pytest.param("Mon, 02 Nov", None, id="incomplete date"),
    ],
)
def test_retry_after_is_a_number_or_a_date(header, seconds):
    """`Retry-After` is a number in ASCII digits or a date; anything else is ignored."""
    assert error_for(headers={"retry-after": header}).retry_after == seconds


def test_a_retry_after_date_is_relative_to_the_date_header():
    """A date is relative to the response's `Date` header, because the two clocks can differ."""
    headers = {"date": http_date(3600), "retry-after": http_date(3605)}

    assert error_for(headers=headers).retry_after == 5.0
    assert error_for(headers=headers | {"date": "noon"}).retry_after == 3605.0


@pytest.fixture
def other_time_zone():
    """Set the time zone of this process to one that differs by eleven hours."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "XXX+11"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its time zone")
@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Mon, 02 Nov 2026 12:01:30 GMT", id="IMF-fixdate"),
        pytest.param("Monday, 02-Nov-26 12:01:30 GMT", id="RFC 850"),
        pytest.param("Mon Nov  2 12:01:30 2026", id="asctime"),
        pytest.param("Mon, 02 Nov 2026 12:01:30 -0000", id="unknown zone"),
    ],
)
def test_dates_are_in_utc(other_time_zone, header):
    """All three forms of an HTTP date are read as UTC, in every time zone of this machine."""
    assert error_for(headers={"retry-after": header}).retry_after == 90.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1, 1.0),
        (0.5, 0.5),
        (0, 0.0),
        (-1, None),
        (True, None),
        ("1", None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_retry_after_in_the_body(value, seconds):
    """`error.availability.retry_after` is used if there is no `Retry-After` header."""
    body = {"error": {"availability": {"retry_after": value}}}

    assert error_for(body).retry_after == seconds


def test_an_extremely_large_retry_after_in_the_body():
    """A number of 400 digits is read as infinite, or is ignored."""
    body = {"error": {"availability": {"retry_after": 10**400}}}

    assert error_for(body).retry_after in {None, float("inf")}


def test_the_retry_after_header_overrides_the_body():
    """If both the header and the body have a time, the header is used."""
    body = {"error": {"availability": {"retry_after": 1}}}

    assert error_for(body, headers={"retry-after": "9"}).retry_after == 9.0


@pytest.mark.parametrize("value", [None, 1, "a", [], [["a", 1]], {1: 2}])
def test_a_value_that_is_no_object_counts_as_empty(value):
    """A JSON value that is not an object counts as an empty one."""
    assert json_object(value) == {}
