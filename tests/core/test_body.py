"""How documents get into a body: in pieces, by one of two writers that agree."""

import json
import subprocess
import sys

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._body import pieces
from openrouter_rerank.documents import RerankDocument
from pydantic_core import to_json

FIELDS = b'{"model":"m"}'
TEXT = st.text(st.characters() | st.characters(categories=["Cs", "Cc"]), min_size=1)
DOCUMENTS = st.lists(
    TEXT | st.builds(RerankDocument, text=st.none() | TEXT, image=TEXT), min_size=1, max_size=5
)


@given(DOCUMENTS)
def test_both_writers_write_the_same(documents):
    """A body is the same, byte for byte, whether orjson is installed or not."""
    ours = b"".join(pieces(FIELDS, documents, dumps=orjson.dumps))

    assert ours == b"".join(pieces(FIELDS, documents, dumps=to_json))


@pytest.mark.parametrize("dumps", [orjson.dumps, to_json], ids=["orjson", "pydantic"])
@pytest.mark.parametrize(
    ("documents", "several"),
    [
        pytest.param(["a"], False, id="one"),
        pytest.param(["a"] * 10_000, False, id="many short ones"),
        pytest.param(["a" * 999] * 5_000, True, id="large together"),
        pytest.param(["a" * 5_000_000, "b", "c" * 5_000_000], True, id="large ones among others"),
        pytest.param([RerankDocument(text="t", image="a" * 300_000)] * 3, True, id="images"),
        pytest.param(["a" * 999] * 999 + ["\ud83d"], True, id="one that is no Unicode"),
    ],
)
def test_the_pieces_are_the_body(documents, several, dumps):
    """Wherever it is cut, all documents are in the body, in their order, after the fields."""
    body = tuple(pieces(FIELDS, documents, dumps=dumps))

    expected = [
        {"text": each.text, "image": each.image}
        if isinstance(each, RerankDocument)
        else each.replace("\ud83d", "\ufffd")
        for each in documents
    ]
    assert json.loads(b"".join(body)) == {"model": "m", "documents": expected}
    assert (len(body) > 1) == several


def test_a_piece_is_no_larger_than_its_documents_make_it():
    """Short documents make pieces of some hundred kilobytes, however many there are."""
    body = tuple(pieces(FIELDS, ["a" * 99] * 50_000))

    assert max(map(len, body)) < 250_000
    assert min(map(len, body[:-1])) > 150_000


def test_orjson_is_not_needed():
    """Where orjson is not installed, the client writes the same with what it has."""
    without = (
        "import sys; sys.modules['orjson'] = None\n"
        "from openrouter_rerank._body import pieces\n"
        "sys.stdout.buffer.write(b''.join(pieces(b'{\"q\":1}', ['é\"'])))"
    )

    written = subprocess.run([sys.executable, "-c", without], capture_output=True, check=True)

    assert written.stdout.decode() == '{"q":1,"documents":["é\\""]}'
