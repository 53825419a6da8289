"""What an error keeps of a response: the reason of a provider, metadata and ids."""

import html
import json
import re

import pytest
from openrouter_rerank._attempt import Response
from openrouter_rerank._wire.endpoint import Secrets
from openrouter_rerank._wire.server_text import description, json_object, log_safe, message_in
from openrouter_rerank.errors import BadGatewayError

from tests.error_responses import error_for, error_of


def test_a_description_quotes_no_content():
    """A response is described by media type and length."""
    response = Response(status=418, headers={}, body=b"my secret")

    assert description(response) == "no content type, 9 bytes"


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
        pytest.param(
            {"error": {"availability": {str(n): n for n in range(999)}}}, {}, id="many inner fields"
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

    assert error.message.isprintable()
    assert len(error.message) <= 420
    texts = [str(error.code), str(error.request_id)]
    for key, value in error.metadata.items():
        texts += [key, str(value)]
    assert [text for text in texts if not text.isprintable()] == []
    assert max(len(text) for text in texts) <= 300
    assert len(error.metadata) <= 20


def test_metadata_with_a_long_name_is_not_kept():
    """A name of more than 300 characters is not a name of a field, and is not kept."""
    error = error_for({"error": {"metadata": {"a" * 300: 1, "b" * 301: 2}}})

    assert error.metadata == {"a" * 300: 1}


def test_only_scalar_metadata_is_kept():
    """Strings, numbers, booleans and `null` are kept; unknown objects may quote documents."""
    metadata = {"provider_name": "Cohere", "a": 1, "b": 0.5, "c": True, "d": None}
    nested = {"input": {"text": "a document"}, "list": ["a document"]}

    error = error_for({"error": {"metadata": metadata | nested}})

    assert error.metadata == metadata
    assert error.provider == "Cohere"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param("too many tokens", "too many tokens", id="text"),
        pytest.param('{"message":"too many tokens"}', "too many tokens", id="JSON"),
        pytest.param('{"error":{"message":"too many"}}', "too many", id="nested JSON"),
        pytest.param({"detail": "too many tokens"}, "too many tokens", id="object"),
        pytest.param({"errors": ["too", "many"]}, "too; many", id="list in an object"),
        pytest.param('{"message":"cut', '{"message":"cut', id="cut JSON"),
        pytest.param("two\nlines", "two\\nlines", id="two lines"),
    ],
)
def test_the_reason_of_a_provider_is_in_the_message(raw, reason):
    """The message contains the provider, and its reason from `metadata.raw` on one line."""
    body = {
        "error": {
            "code": 400,
            "message": "Provider returned error",
            "metadata": {"provider_name": "Cohere", "raw": raw},
        }
    }

    error = error_for(body, status=400)

    assert error.message == (
        f"Provider returned error: {reason} (HTTP 400, model the/slug, provider Cohere). "
        "Check the documents and the options of the call."
    )
    assert error.metadata["raw"] == (reason if isinstance(raw, dict) else log_safe(raw))


@pytest.mark.parametrize(
    ("raw", "message"),
    [("too long", "Provider returned error: too long"), ("error", "Provider returned error")],
)
def test_a_reason_follows_the_message_once(raw, message):
    """The reason of a provider follows the message and a colon, unless the message contains it."""
    body = {"error": {"message": "Provider returned error.", "metadata": {"raw": raw}}}

    assert error_for(body).message.startswith(f"{message} (HTTP 503, ")


def test_an_empty_reason_is_kept():
    """A `metadata.raw` that is an empty text is kept as it is."""
    assert error_for({"error": {"metadata": {"raw": ""}}}).metadata == {"raw": ""}


def test_a_number_that_json_cannot_express_is_not_kept():
    """A number that is read as infinity is not kept, neither as metadata nor as the code."""
    error = error_for(b'{"error": {"code": 1%b, "metadata": {"a": 1e999, "b": 1}}}' % (b"0" * 30))

    assert error.metadata == {"b": 1}
    assert error.code is None


def test_a_reason_without_text_changes_nothing():
    """A `metadata.raw` without a text is not kept, and the message is the service's alone."""
    error = error_for({"error": {"message": "reason", "metadata": {"raw": {"input": ["a text"]}}}})

    assert error.message.startswith("reason (HTTP 503, ")
    assert error.metadata == {"raw": None}


AVAILABILITY = {
    "code": "no_provider",
    "retryable": False,
    "fallback_models": ["a/b", "c/d"],
    "excluded_by": ["data_collection"],
    "docs_url": "https://openrouter.ai/docs/x",
}


@pytest.mark.parametrize("in_metadata", [False, True])
def test_the_availability_of_a_model_is_kept(in_metadata):
    """Each field of `availability` is kept, and the message has what excluded whom and the fix."""
    found = {"availability": AVAILABILITY}
    body = {"error": {"message": "none", **({"metadata": found} if in_metadata else found)}}

    error = error_for(body, status=503)

    assert error.metadata == {
        "availability.code": "no_provider",
        "availability.retryable": False,
        "availability.fallback_models": "a/b, c/d",
        "availability.excluded_by": "data_collection",
        "availability.docs_url": "https://openrouter.ai/docs/x",
    }
    assert error.message == (
        "none (HTTP 503, model the/slug). Providers were excluded by data_collection. "
        "Set fallback_models=['a/b', 'c/d']. See https://openrouter.ai/docs/x"
    )


def test_copied_headers_are_kept():
    """Each text and number of `metadata.headers` is kept, under its name there."""
    headers = {"X-RateLimit-Limit": "20", "Retry": 3, "Other": {"text": "a document"}}

    error = error_for({"error": {"message": "m", "metadata": {"headers": headers}}})

    assert error.metadata == {"headers.X-RateLimit-Limit": "20", "headers.Retry": 3}


def test_an_empty_availability_hides_no_other():
    """An `availability` without fields leaves that of the metadata as it is."""
    metadata = {"availability": {"code": "no_provider"}}

    error = error_for({"error": {"availability": {}, "metadata": metadata}})

    assert error.metadata == {"availability.code": "no_provider"}


def test_a_provider_that_is_no_text_is_not_named():
    """The message and `provider` contain the provider's name only if it is a text."""
    error = error_for({"error": {"message": "m", "metadata": {"provider_name": 5}}})

    assert error.provider is None
    assert "provider" not in error.message


@pytest.mark.parametrize(
    ("status", "retryable", "expected"),
    [
        (503, False, False),
        (503, True, True),
        (404, True, True),
        (503, "no", True),
        (404, 1, False),
        (400, True, False),
        (200, False, False),
    ],
)
def test_the_service_decides_whether_an_error_is_retryable(status, retryable, expected):
    """`availability.retryable` counts if it is a boolean; otherwise the status decides."""
    error = error_for({"error": {"availability": {"retryable": retryable}}}, status=status)

    assert error.retryable is expected


def test_secrets_are_masked_wherever_the_server_puts_them():
    """A secret that the server echoes is masked in message, code, metadata and ids."""
    body = {
        "error": {
            "code": "bad KEY-1234",
            "message": "x" * 295 + " KEY-1234",
            "metadata": {"KEY-1234": "KEY-1234", "raw": {"message": "KEY-1234"}},
            "availability": {"fallback_models": ["KEY-1234"], "docs_url": "KEY-1234"},
        }
    }
    response = Response(
        status=503,
        headers={"x-request-id": "KEY-1234"},
        body=json.dumps(body).encode(),
        masked=lambda text: text.replace("KEY-1234", "***"),
    )

    error = error_of(response)

    assert "KEY" not in repr(vars(error)) + str(error)
    assert (error.code, error.request_id, error.metadata["***"]) == ("bad ***", "***", "***")


def test_flagged_input_is_not_kept():
    """The error does not contain the part of the request that moderation quotes."""
    body = {"error": {"message": "m", "metadata": {"flagged_input": "a document", "reasons": "r"}}}

    error = error_for(body, status=403)

    assert error.metadata == {"reasons": "r"}
    assert "a document" not in repr(vars(error))


@pytest.mark.parametrize("value", [None, 1, "a", [], [["a", 1]], {1: 2}])
def test_a_value_that_is_no_object_counts_as_empty(value):
    """A JSON value that is not an object counts as an empty one."""
    assert json_object(value) == {}


SECRET = 'quo"ted\\key'
SECRETS = Secrets(["tok/en-1234", "tok/en-1234-longer", SECRET])


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        pytest.param("bad tok/en-1234", "bad ***", id="plain"),
        pytest.param("bad tok/en-1234-longer", "bad ***", id="begins with another"),
        pytest.param(r"bad tok\/en-1234", "bad ***", id="escaped slash"),
        pytest.param("bad tok%2Fen-1234", "bad ***", id="in a URL"),
        pytest.param(r"bad \u0074ok/en-1234", "bad ***", id="escaped letter"),
        pytest.param(r'{"a":"quo\"ted\\key', '{"a":"***', id="cut JSON"),
        pytest.param(r'{"message":"quo\"ted\\key"}', "***", id="JSON"),
    ],
)
def test_a_secret_is_masked_in_every_form(raw, shown):
    """A secret is masked as it is, in JSON and in a URL; the longest secret is masked first."""
    body = {"error": {"metadata": {"raw": raw}}}
    response = Response(
        status=503,
        headers={},
        body=json.dumps(body).encode(),
        masked=lambda text: SECRETS.masked(text, None),
    )

    error = error_of(response)

    assert str(error).startswith(f"{shown} (HTTP 503, ")
    assert re.search("1234|quo", repr(error.metadata)) is None


def test_a_secret_is_masked_in_the_title_of_a_page():
    """A secret in the title of a web page is masked, also if it is escaped for HTML."""
    body = f"<title>{html.escape(SECRET)}</title>".encode()
    masked = Secrets([SECRET]).masked
    response = Response(status=503, headers={}, body=body, masked=lambda text: masked(text, None))

    assert str(error_of(response)).startswith("*** (HTTP 503, ")


@pytest.mark.parametrize(
    "odd", [b'"\\ud83d"', b"NaN", b"9" * 5000], ids=["lone surrogate", "NaN", "5000 digits"]
)
def test_an_odd_value_does_not_hide_the_error(odd):
    """JSON with a lone surrogate, NaN or a huge number keeps its message and its code."""
    body = b'{"error":{"code":502,"message":"reason","metadata":{"odd":%b}}}' % odd

    error = error_for(body, status=400)

    assert (type(error), error.code) == (BadGatewayError, 502)
    assert error.message.startswith("reason (HTTP 400 with code 502, ")


def test_the_search_for_a_message_is_bounded():
    """A message is searched in at most 200 values, however deeply they are nested."""
    nested = [[[[[] for _ in range(20)] for _ in range(20)] for _ in range(20)] for _ in range(20)]

    assert message_in([nested, "reason"]) == "reason"
    assert message_in([[nested, ["reason"]]]) == ""
    assert message_in([[]] * 19 + ["reason"]) == "reason"


@pytest.mark.parametrize("status", [400, 401, 402, 403])
def test_no_retry_helps_against_a_wrong_key_or_argument(status):
    """`availability.retryable` does not make a wrong key or argument retryable."""
    error = error_for({"error": {"availability": {"retryable": True}}}, status=status)

    assert not error.retryable
