"""The body of a request: its pieces, its memory, and two JSON encoders with equal output."""

import json
import subprocess
import sys
import tracemalloc
from collections import deque
from itertools import islice

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._wire.request import RequestBody
from openrouter_rerank.documents import RerankDocument
from pydantic_core import to_json

FIELDS = b'{"model":"m"}'


class ShoutingText(str):
    """A string whose `str()` returns another text, like some members of an `Enum`."""

    __slots__ = ()

    def __str__(self):
        """Return a text that is not the content of the string."""
        return "LOUD"


TEXT = st.text(st.characters() | st.characters(categories=["Cs", "Cc"]), min_size=1)
HEADED_TEXTS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=80)
DOCUMENTS = (
    st.lists(
        TEXT | st.builds(RerankDocument, text=st.none() | TEXT, image=TEXT), min_size=1, max_size=5
    )
    | HEADED_TEXTS
)


@given(DOCUMENTS)
def test_both_encoders_write_equal_bodies(documents):
    """Bodies with orjson and with pydantic have equal bytes."""
    with_orjson = RequestBody(FIELDS, documents, dumps=orjson.dumps)

    without_orjson = RequestBody(FIELDS, documents, dumps=to_json)

    assert b"".join(with_orjson) == b"".join(without_orjson)


@given(HEADED_TEXTS)
def test_headed_texts_are_written_as_joined_texts(documents):
    """Headed texts and their joined texts make bodies with equal bytes."""
    headed_body = RequestBody(FIELDS, documents)

    joined_body = RequestBody(FIELDS, ["".join(document) for document in documents])

    assert b"".join(headed_body) == b"".join(joined_body)


@pytest.mark.parametrize("dumps", [orjson.dumps, to_json], ids=["orjson", "pydantic"])
@pytest.mark.parametrize(
    ("documents", "has_several_pieces"),
    [
        pytest.param([], False, id="none"),
        pytest.param(["a"], False, id="one"),
        pytest.param(["a"] * 10_000, False, id="many short texts"),
        pytest.param(["a" * 999] * 5_000, True, id="many texts, large together"),
        pytest.param(["a" * 5_000_000, "b", "c" * 5_000_000], True, id="large and small texts"),
        pytest.param([RerankDocument(text="t", image="a" * 900_000)] * 4, True, id="images"),
        pytest.param(["a" * 999] * 9_999 + ["\ud83d"], True, id="lone surrogate"),
        pytest.param([("p: 1\n\n", "a" * 999)] * 100, False, id="headed texts"),
        pytest.param(
            [(f"p: {page}\n\n", "a" * 999) for page in range(9_999)],
            True,
            id="large headed texts",
        ),
        pytest.param([("\ud83d\n\n", "a")] * 99, False, id="lone surrogate in a heading"),
    ],
)
def test_the_pieces_make_the_complete_body(documents, has_several_pieces, dumps):
    """The joined pieces contain the fields and then all documents, in order."""
    body = RequestBody(FIELDS, documents, dumps=dumps)

    pieces = list(body)

    expected = [
        {"text": document.text, "image": document.image}
        if isinstance(document, RerankDocument)
        else "".join(document).replace("\ud83d", "\ufffd")
        for document in documents
    ]
    assert json.loads(b"".join(pieces)) == {"model": "m", "documents": expected}
    assert body.size == sum(map(len, pieces))
    assert (len(pieces) > 1) == has_several_pieces


@pytest.mark.parametrize("dumps", [orjson.dumps, to_json], ids=["orjson", "pydantic"])
def test_a_subclass_of_str_is_sent_with_its_characters(dumps):
    """The content of a string is sent, even if its `str()` returns another text."""
    body = RequestBody(
        FIELDS, [ShoutingText("a"), RerankDocument(image="b"), ShoutingText("c")], dumps=dumps
    )

    assert json.loads(b"".join(body))["documents"] == ["a", {"image": "b"}, "c"]


LARGE = {
    "short texts": ["a" * 99] * 100_000,
    "texts": ["a" * 99_999] * 100,
    "one text": ["a" * 9_999_999],
    "headed texts": [("a" * 99, "b" * 900)] * 10_000,
    "long headed texts": [("a" * 99, "b" * 999_900)] * 10,
    "images": [RerankDocument(image="a" * 1_000_000)] * 10,
}


@pytest.mark.parametrize("documents", LARGE.values(), ids=LARGE)
def test_pieces_are_smaller_than_half_a_megabyte(documents):
    """No piece is larger than half a megabyte, for many documents and for long ones."""
    body = RequestBody(FIELDS, documents)

    sizes = list(map(len, body))

    assert max(sizes) < 525_000
    assert len(sizes) < 40
    assert sum(sizes) == body.size > 9_900_000


@pytest.mark.parametrize(
    "pieces_sent", [0, 1, 2, 99], ids=["no piece", "one piece", "two pieces", "all pieces"]
)
@pytest.mark.parametrize("length", [100_000, 1_000_000], ids=["small", "large"])
def test_a_body_can_be_sent_again(length, pieces_sent):
    """After any part of a body was sent, the next attempt sends the complete body again."""
    body = RequestBody(FIELDS, ["a" * length, "\ud83d", "b" * length] * 3)
    size = body.size

    list(islice(body, pieces_sent))

    joined_body = b"".join(body)
    assert json.loads(joined_body)["documents"] == ["a" * length, "\ufffd", "b" * length] * 3
    assert joined_body == b"".join(body)
    assert body.size == size == len(joined_body)


LARGE_LISTS = {name: documents for name, documents in LARGE.items() if len(documents) > 1}


@pytest.mark.parametrize("dumps", [orjson.dumps, to_json], ids=["orjson", "pydantic"])
@pytest.mark.parametrize("documents", LARGE_LISTS.values(), ids=LARGE_LISTS)
def test_sent_pieces_are_released(documents, dumps):
    """The sent part of a large body is released while the rest is sent and the response is read."""
    tracemalloc.start()
    try:
        body = RequestBody(FIELDS, documents, dumps=dumps)
        before, _ = tracemalloc.get_traced_memory()
        pieces = iter(body)
        deque(islice(pieces, 12), maxlen=0)
        halfway, _ = tracemalloc.get_traced_memory()
        deque(pieces, maxlen=0)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # orjson's buffer is twice as long as its output, and tracemalloc counts all of it.
    assert before > body.size > 9_900_000
    assert halfway < 0.8 * before
    assert after < 200_000


def test_the_body_is_written_without_orjson():
    """If orjson is not installed, pydantic writes the body."""
    without_orjson = (
        "import sys; sys.modules['orjson'] = None\n"
        "from openrouter_rerank._wire.request import RequestBody\n"
        "sys.stdout.buffer.write(b''.join(RequestBody(b'{\"q\":1}', ['é\"'])))"
    )

    written = subprocess.run(
        [sys.executable, "-c", without_orjson], capture_output=True, check=True
    )

    assert written.stdout.decode() == '{"q":1,"documents":["é\\""]}'
