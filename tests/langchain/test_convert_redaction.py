"""What traces are shown of LangChain's documents: all but images, which services refuse."""

import base64

import pytest
from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from langchain_openrouter_rerank._redaction import redacted
from PIL import Image

PIXELS = base64.b64encode(bytes(300)).decode()
URI = f"data:image/png;base64,{PIXELS}"
BLOCK = {"type": "image", "base64": PIXELS, "mime_type": "image/png"}


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (URI, f"[{len(URI)} characters left out]"),
        (PIXELS, "[400 characters left out]"),
        ("\n".join(PIXELS[at : at + 76] for at in range(0, 400, 76)), "[405 characters left out]"),
        (b"\x89PNG", "[4 bytes left out]"),
        (bytearray(3), "[3 bytes left out]"),
        (Blob.from_data(b"a"), "[Blob left out]"),
        (Image.new("L", (1, 1)), "[Image left out]"),
        (BLOCK, BLOCK | {"base64": "[400 characters left out]"}),
        ([1, [BLOCK]], [1, [BLOCK | {"base64": "[400 characters left out]"}]]),
        (("a", PIXELS), ["a", "[400 characters left out]"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_images_are_left_out(value, left):
    """A value that is or holds an image is told by its size, in a copy of its document."""
    document = Document("A cat", id="1", metadata={"picture": value, "at": 1})

    (shown,) = redacted([document])

    assert shown.metadata == {"picture": left, "at": 1}
    assert (shown.id, shown.page_content) == ("1", "A cat")
    assert document.metadata["picture"] is value


def test_an_image_as_text_is_left_out():
    """A text that is an image is told by its length."""
    assert redacted([Document(URI)])[0].page_content == f"[{len(URI)} characters left out]"


@pytest.mark.parametrize(
    "value",
    [
        "word " * 100,
        "data:image/png;base64,AAAA",
        "a" * 100,
        None,
        1.5,
        [],
        {"deep": {"a": ["b", {"c": 1}]}},
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_all_else_is_shown_as_it_is(value):
    """A document without an image is shown itself, and no copy."""
    document = Document("A cat", metadata={"value": value})

    assert redacted([document])[0] is document


def test_a_value_inside_of_itself_ends():
    """Metadata that go round in circles are followed for some rounds only."""
    circle = {}
    circle["again"] = [circle]
    document = Document("A cat", metadata=circle)

    assert redacted([document])[0].page_content == "A cat"
