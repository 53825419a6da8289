"""What `encode` writes: the body of a request."""

import json

import pytest
from openrouter_rerank._call.plan import Call
from openrouter_rerank._wire.request import encode
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError

MODEL = "cohere/rerank-v3.5"
PNG = "data:image/png;base64,iVBORw0KGgo="


def body_of(*documents, query="q", **changes):
    """Return the parsed body of a request for `documents`."""
    request = encode(MODEL, query, documents, **changes)
    return json.loads(b"".join(request.body))


def test_the_whole_body_of_a_plain_call():
    """The body has model, query and documents, as compact JSON, and nothing else."""
    request = encode(MODEL, "q", ("a", "b"))

    written = b'{"model":"cohere/rerank-v3.5","query":"q","documents":["a","b"]}'
    assert b"".join(request.body) == written
    assert request.body.size == len(written)
    assert (request.model, request.documents, request.results) == (MODEL, 2, 2)


@pytest.mark.parametrize(
    ("document", "written"),
    [
        pytest.param("a", "a", id="string"),
        pytest.param(RerankDocument(text="a"), {"text": "a"}, id="text"),
        pytest.param(RerankDocument(image=PNG), {"image": PNG}, id="image"),
        pytest.param(
            RerankDocument(text="a", image=PNG), {"text": "a", "image": PNG}, id="text and image"
        ),
    ],
)
def test_forms_of_a_document(document, written):
    """A document is a string, or an object with only the fields that it has."""
    assert body_of(document)["documents"] == [written]


def test_forms_are_mixed_in_one_call():
    """Strings and objects are in one list, in the order of the call."""
    documents = ("a", RerankDocument(image=PNG), RerankDocument(text="b", image=PNG), "a")

    written = body_of(*documents)["documents"]

    assert written == ["a", {"image": PNG}, {"text": "b", "image": PNG}, "a"]


@pytest.mark.parametrize(
    ("top_n", "written", "results"),
    [
        pytest.param(None, None, 3, id="not asked for"),
        pytest.param(1, 1, 1, id="one"),
        pytest.param(2, 2, 2, id="fewer than there are"),
        pytest.param(3, None, 3, id="as many as there are"),
        pytest.param(99, None, 3, id="more than there are"),
    ],
)
def test_top_n_is_written_only_where_it_cuts(top_n, written, results):
    """`top_n` is sent only if it is less than the number of documents, and never as null."""
    request = encode(MODEL, "q", ("a", "b", "c"), top_n=top_n)

    body = json.loads(b"".join(request.body))
    assert (body.get("top_n"), "top_n" in body) == (written, written is not None)
    assert request.results == results


@pytest.mark.parametrize("text", ["Zürich", "東京の天気", "😀", "שלום", '\x00\t\n"\\', "a\u2028b"])
def test_text_survives_as_utf8(text):
    """Text is sent as UTF-8, unchanged and not escaped to ASCII."""
    request = encode(MODEL, text, (text, RerankDocument(text=text)))

    written = b"".join(request.body)
    body = json.loads(written)
    assert [body["query"], *body["documents"]] == [text, text, {"text": text}]
    assert rb"\u00fc" not in written
    if not text.isascii():
        assert text.encode() in written


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        pytest.param("\ud83d", "\ufffd", id="high half"),
        pytest.param("\ude00", "\ufffd", id="low half"),
        pytest.param("a\udcffb", "a\ufffdb", id="undecodable byte of a file"),
        pytest.param("\ud83d\ude00", "😀", id="both halves"),
        pytest.param("\ude00\ud83d", "\ufffd\ufffd", id="halves the wrong way round"),
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


def test_extra_fields_are_passed_on():
    """Extra fields are sent with their JSON types."""
    extra = {"provider": {"order": ["cohere"], "zdr": True}, "n": 1.5, "list": [1, "é", {}], "b": 0}

    body = body_of("a", extra=extra)

    assert {name: body[name] for name in extra} == extra


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(object(), id="object"),
        pytest.param(b"\xff", id="bytes that are no text"),
        pytest.param({"deep": [object()]}, id="object within"),
        pytest.param(float("nan"), id="NaN"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param({"deep": [float("-inf")]}, id="infinity within"),
    ],
)
def test_what_json_cannot_express_is_refused(value):
    """An extra field without a JSON form is refused. The error contains no document or query."""
    with pytest.raises(InvalidRequestError, match="plain JSON values") as caught:
        encode(MODEL, "a secret question", ("a secret text",), extra={"user": value})

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "secret" not in str(caught.value)


def test_repr_shows_no_content():
    """The `repr` of a call or a request shows neither query, documents nor extra fields."""
    call = Call(query="secret", documents=("secret",), extra={"user": "secret"})

    assert "secret" not in repr(call)
    assert "secret" not in repr(encode(MODEL, "secret", ("secret",), extra={"user": "secret"}))
