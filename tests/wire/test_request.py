"""The body of a request, as `encode` makes it."""

import json

import pytest
from openrouter_rerank._call.plan import Call
from openrouter_rerank._wire.request import encode
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError

MODEL = "cohere/rerank-v3.5"
PNG = "data:image/png;base64,iVBORw0KGgo="


def body_of(*documents, query="q", **options):
    """Return the parsed body of a request for `documents`."""
    request = encode(MODEL, query, documents, **options)
    return json.loads(b"".join(request.body))


def test_a_plain_body_has_three_fields():
    """The body is compact JSON with only model, query and documents."""
    request = encode(MODEL, "q", ("a", "b"))

    encoded = b'{"model":"cohere/rerank-v3.5","query":"q","documents":["a","b"]}'
    assert b"".join(request.body) == encoded
    assert request.body.size == len(encoded)
    assert (request.model, request.documents, request.results) == (MODEL, 2, 2)


@pytest.mark.parametrize(
    ("document", "encoded"),
    [
        pytest.param("a", "a", id="string"),
        pytest.param(RerankDocument(text="a"), {"text": "a"}, id="text"),
        pytest.param(RerankDocument(image=PNG), {"image": PNG}, id="image"),
        pytest.param(
            RerankDocument(text="a", image=PNG), {"text": "a", "image": PNG}, id="text and image"
        ),
    ],
)
def test_a_document_is_a_string_or_an_object(document, encoded):
    """A document is encoded as a string, or as an object with only the fields that it has."""
    assert body_of(document)["documents"] == [encoded]


def test_one_request_can_mix_strings_and_objects():
    """Strings and objects are in one list, in the order of the call."""
    documents = ("a", RerankDocument(image=PNG), RerankDocument(text="b", image=PNG), "a")

    encoded = body_of(*documents)["documents"]

    assert encoded == ["a", {"image": PNG}, {"text": "b", "image": PNG}, "a"]


@pytest.mark.parametrize(
    ("top_n", "encoded", "results"),
    [
        pytest.param(None, None, 3, id="not set"),
        pytest.param(1, 1, 1, id="one"),
        pytest.param(2, 2, 2, id="fewer than documents"),
        pytest.param(3, None, 3, id="as many as documents"),
        pytest.param(99, None, 3, id="more than documents"),
    ],
)
def test_top_n_is_sent_only_if_it_limits_the_results(top_n, encoded, results):
    """`top_n` is sent only if it is less than the number of documents, and never as `null`."""
    request = encode(MODEL, "q", ("a", "b", "c"), top_n=top_n)

    body = json.loads(b"".join(request.body))
    assert (body.get("top_n"), "top_n" in body) == (encoded, encoded is not None)
    assert request.results == results


@pytest.mark.parametrize("text", ["Zürich", "東京の天気", "😀", "שלום", '\x00\t\n"\\', "a\u2028b"])
def test_text_is_encoded_as_utf8(text):
    """Text is sent as UTF-8, unchanged and not escaped to ASCII."""
    request = encode(MODEL, text, (text, RerankDocument(text=text)))

    encoded = b"".join(request.body)
    body = json.loads(encoded)
    assert [body["query"], *body["documents"]] == [text, text, {"text": text}]
    assert rb"\u00fc" not in encoded
    if not text.isascii():
        assert text.encode() in encoded


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        pytest.param("\ud83d", "\ufffd", id="high surrogate"),
        pytest.param("\ude00", "\ufffd", id="low surrogate"),
        pytest.param("a\udcffb", "a\ufffdb", id="undecodable byte of a file"),
        pytest.param("\ud83d\ude00", "😀", id="pair"),
        pytest.param("\ude00\ud83d", "\ufffd\ufffd", id="pair in wrong order"),
    ],
)
def test_lone_surrogates_are_replaced(text, sent):
    """A lone surrogate is sent as U+FFFD in all fields, and the text around it is unchanged."""
    image = f"https://host/{text}.png"
    documents = (text, "東京", RerankDocument(text=text, image=image))

    body = body_of(*documents, query=text, extra={"user": text, "trace": {text: [text, 1, None]}})

    sent_image = f"https://host/{sent}.png"
    assert body["documents"] == [sent, "東京", {"text": sent, "image": sent_image}]
    assert body["query"] == body["user"] == sent
    assert body["trace"] == {sent: [sent, 1, None]}


def test_extra_fields_are_sent():
    """Extra fields are sent with their JSON types."""
    extra = {"provider": {"order": ["cohere"], "zdr": True}, "n": 1.5, "list": [1, "é", {}], "b": 0}

    body = body_of("a", extra=extra)

    assert {name: body[name] for name in extra} == extra


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(object(), id="object"),
        pytest.param(b"\xff", id="bytes that are not UTF-8"),
        pytest.param({"deep": [object()]}, id="nested object"),
        pytest.param(float("nan"), id="NaN"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param({"deep": [float("-inf")]}, id="nested infinity"),
    ],
)
def test_values_without_a_json_form_are_refused(value):
    """An extra field without a JSON form is refused; the error contains no document or query."""
    with pytest.raises(InvalidRequestError, match="plain JSON values") as caught:
        encode(MODEL, "a secret question", ("a secret text",), extra={"user": value})

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "secret" not in str(caught.value)


def test_no_repr_shows_content():
    """The `repr` of a call or a request shows neither query, documents nor extra fields."""
    call = Call(query="secret", documents=("secret",), extra={"user": "secret"})

    assert "secret" not in repr(call)
    assert "secret" not in repr(encode(MODEL, "secret", ("secret",), extra={"user": "secret"}))
