"""Redaction: callback handlers get documents without images, which tracing services refuse."""

import base64

import pytest
from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from langchain_openrouter_rerank._redaction import redacted
from PIL import Image

PIXELS = base64.b64encode(bytes(300)).decode()
PIXELS_IN_LINES = "\n".join(PIXELS[start : start + 76] for start in range(0, 400, 76))
URI = f"data:image/png;base64,{PIXELS}"
BLOCK = {"type": "image", "base64": PIXELS, "mime_type": "image/png"}


@pytest.mark.parametrize(
    ("value", "redacted_value"),
    [
        (URI, f"[{len(URI)} characters left out]"),
        (PIXELS, "[400 characters left out]"),
        (PIXELS[:201], "[201 characters left out]"),
        ("_9j_" + "-A_b" * 99, "[400 characters left out]"),
        (PIXELS_IN_LINES, "[405 characters left out]"),
        (b"\x89PNG", "[4 bytes left out]"),
        (bytearray(3), "[3 bytes left out]"),
        (memoryview(bytes(3)), "[3 bytes left out]"),
        (Blob.from_data(b"a"), "[Blob left out]"),
        (Image.new("L", (1, 1)), "[Image left out]"),
        (BLOCK, BLOCK | {"base64": "[400 characters left out]"}),
        ([1, [BLOCK]], [1, [BLOCK | {"base64": "[400 characters left out]"}]]),
        (("a", PIXELS), ["a", "[400 characters left out]"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_images_in_metadata_are_left_out(value, redacted_value):
    """In a copy of the document, the size or the type of an image replaces the image."""
    document = Document("A cat", id="1", metadata={"picture": value, "page": 1})

    [copy] = redacted([document])

    assert copy.metadata == {"picture": redacted_value, "page": 1}
    assert (copy.id, copy.page_content) == ("1", "A cat")
    assert document.metadata["picture"] is value


def test_an_image_as_text_is_left_out():
    """The length of a text that is an image replaces the text."""
    assert redacted([Document(URI)])[0].page_content == f"[{len(URI)} characters left out]"


@pytest.mark.parametrize(
    "value",
    [
        "word " * 100,
        "data:image/png;base64,AAAA",
        "a" * 200,
        "-" * 300,
        "_" * 300,
        None,
        1.5,
        [],
        {"deep": {"a": ["b", {"c": 1}]}},
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_documents_without_images_are_not_copied(value):
    """A document without an image stays the same object."""
    document = Document("A cat", metadata={"value": value})

    assert redacted([document])[0] is document


def test_metadata_that_contain_themselves_are_accepted():
    """Nested metadata are searched to a limited depth, so metadata may contain themselves."""
    metadata = {}
    metadata["metadata"] = [metadata]
    document = Document("A cat", metadata=metadata)

    assert redacted([document])[0].page_content == "A cat"


def test_four_levels_of_metadata_are_searched():
    """An image is left out in four mappings or lists within each other, and stays in five."""
    found, deeper = redacted([Document("", metadata={"a": a}) for a in ([[[b"x"]]], [[[[b"x"]]]])])

    assert found.metadata == {"a": [[["[1 bytes left out]"]]]}
    assert deeper.metadata == {"a": [[[[b"x"]]]]}
