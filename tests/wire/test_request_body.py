"""How documents are written into a body: in pieces, by one of two writers with equal output."""

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


class Loud(str):
    """A string whose `str()` is another text, as with members of an `Enum`."""

    __slots__ = ()

    def __str__(self):
        """Return another text."""
        return "LOUD"


TEXT = st.text(st.characters() | st.characters(categories=["Cs", "Cc"]), min_size=1)
HEADED = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=80)
DOCUMENTS = (
    st.lists(
        TEXT | st.builds(RerankDocument, text=st.none() | TEXT, image=TEXT), min_size=1, max_size=5
    )
    | HEADED
)


@given(DOCUMENTS)
def test_both_writers_write_the_same(documents):
    """A body has the same bytes with and without orjson."""
    with_orjson = RequestBody(FIELDS, documents, dumps=orjson.dumps)

    without = RequestBody(FIELDS, documents, dumps=to_json)

    assert b"".join(with_orjson) == b"".join(without)


@given(HEADED)
def test_headed_texts_are_written_whole(documents):
    """Headed texts and their joined texts make bodies with the same bytes."""
    apart = RequestBody(FIELDS, documents)

    whole = RequestBody(FIELDS, ["".join(document) for document in documents])

    assert b"".join(apart) == b"".join(whole)


@pytest.mark.parametrize("dumps", [orjson.dumps, to_json], ids=["orjson", "pydantic"])
@pytest.mark.parametrize(
    ("documents", "several"),
    [
        pytest.param([], False, id="none"),
        pytest.param(["a"], False, id="one"),
        pytest.param(["a"] * 10_000, False, id="many short ones"),
        pytest.param(["a" * 999] * 5_000, True, id="large together"),
        pytest.param(["a" * 5_000_000, "b", "c" * 5_000_000], True, id="large ones among others"),
        pytest.param([RerankDocument(text="t", image="a" * 900_000)] * 4, True, id="images"),
        pytest.param(["a" * 999] * 9_999 + ["\ud83d"], True, id="one that is no Unicode"),
        pytest.param([("p: 1\n\n", "a" * 999)] * 100, False, id="headed"),
        pytest.param(
            [(f"p: {page}\n\n", "a" * 999) for page in range(9_999)],
            True,
            id="headed, large",
        ),
        pytest.param([("\ud83d\n\n", "a")] * 99, False, id="no Unicode in a heading"),
    ],
)
def test_the_pieces_are_the_body(documents, several, dumps):
    """The pieces together have the fields and then all documents, in order."""
    body = RequestBody(FIELDS, documents, dumps=dumps)

    pieces = list(body)

    expected = [
        {"text": each.text, "image": each.image}
        if isinstance(each, RerankDocument)
        else "".join(each).replace("\ud83d", "\ufffd")
        for each in documents
    ]
    assert json.loads(b"".join(pieces)) == {"model": "m", "documents": expected}
    assert body.size == sum(map(len, pieces))
    assert (len(pieces) > 1) == several


@pytest.mark.parametrize("dumps", [orjson.dumps, to_json], ids=["orjson", "pydantic"])
def test_a_string_of_another_class_is_sent_with_its_content(dumps):
    """The content of a string is sent, even if its `str()` is another text."""
    body = RequestBody(FIELDS, [Loud("a"), RerankDocument(image="b"), Loud("c")], dumps=dumps)

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
def test_no_piece_is_large(documents):
    """No piece is larger than half a megabyte, for many documents and for long ones."""
    body = RequestBody(FIELDS, documents)

    sizes = list(map(len, body))

    assert max(sizes) < 525_000
    assert len(sizes) < 40
    assert sum(sizes) == body.size > 9_900_000


@pytest.mark.parametrize("sent", [0, 1, 2, 99], ids=["nothing", "a piece", "two pieces", "all"])
@pytest.mark.parametrize("length", [100_000, 1_000_000], ids=["small", "large"])
def test_a_body_can_be_sent_again(length, sent):
    """After any part of a body was sent, the next attempt sends the complete body again."""
    body = RequestBody(FIELDS, ["a" * length, "\ud83d", "b" * length] * 3)
    size = body.size

    list(islice(body, sent))

    whole = b"".join(body)
    assert json.loads(whole)["documents"] == ["a" * length, "\ufffd", "b" * length] * 3
    assert whole == b"".join(body)
    assert body.size == size == len(whole)


SEVERAL = {name: documents for name, documents in LARGE.items() if len(documents) > 1}


@pytest.mark.parametrize("dumps", [orjson.dumps, to_json], ids=["orjson", "pydantic"])
@pytest.mark.parametrize("documents", SEVERAL.values(), ids=SEVERAL)
def test_a_piece_that_was_sent_is_released(documents, dumps):
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

    # What orjson has written takes twice its length here, of which half is never touched.
    assert before > body.size > 9_900_000
    assert halfway < 0.8 * before
    assert after < 200_000


def test_orjson_is_not_needed():
    """Without orjson, the client writes the same body with pydantic."""
    without = (
        "import sys; sys.modules['orjson'] = None\n"
        "from openrouter_rerank._wire.request import RequestBody\n"
        "sys.stdout.buffer.write(b''.join(RequestBody(b'{\"q\":1}', ['é\"'])))"
    )

    written = subprocess.run([sys.executable, "-c", without], capture_output=True, check=True)

    assert written.stdout.decode() == '{"q":1,"documents":["é\\""]}'
