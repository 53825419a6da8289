"""Images that were asked for and cannot be sent: the text stays, and the reason is known."""

import base64
import io
import math

import pytest
from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from langchain_openrouter_rerank._convert.documents import contents
from langchain_openrouter_rerank._convert.pillow import (
    PillowDocument,
    PillowImage,
    with_encoded_images,
)
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.reranker import Unscorable, WithoutImage
from PIL import Image

from tests.signal_handlers import raise_as_handler

NO_IMAGE = "the field 'photo' has no image (pass a URL, a data URI, base64, bytes or a path)"
URL = "https://example.com/cat.png"


def picture(image_format):
    """Return the bytes of a small picture whose base64 needs padding."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((9, 9)).save(file, format=image_format)
    data = file.getvalue()
    # Bytes of zero after the end of an image are allowed.
    return data if len(data) % 3 or image_format == "WEBP" else data + b"\0"


@pytest.mark.parametrize(
    "value", ["a picture", "cat", 17, True, b"no image", {"type": "text"}, object(), [URL], ("a",)]
)
def test_a_named_field_without_an_image_is_left_out(value):
    """If the field that `image_key` names has no image, its value is left out with a reason."""
    document = Document("A cat", metadata={"photo": value})

    assert contents([document], image_keys=["photo"]) == [
        WithoutImage(text="A cat", reason=NO_IMAGE)
    ]
    document.page_content = " "
    assert contents([document], image_keys=["photo"]) == [Unscorable(NO_IMAGE)]


@pytest.mark.parametrize("value", [None, "", " ", b"", [], {}, math.nan])
def test_an_empty_named_field_is_no_problem(value):
    """A document whose field is empty has no image, so it is a text."""
    document = Document("A cat", metadata={"photo": value})

    assert contents([document, Document("A dog")], image_keys=["photo"]) == ["A cat", "A dog"]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"text": "A cat", "image": 17}, "the field 'image' has no image"),
        ({"text": "A cat", "image": "no image"}, "the field 'image' has no image"),
        (
            [{"type": "text", "text": "A cat"}, {"type": "image", "file_id": "1"}],
            "a content block has no usable image",
        ),
        (
            [{"type": "text", "text": "A cat"}, {"type": "image_url", "image_url": {"url": "x"}}],
            "a content block has no usable image",
        ),
        (
            [{"type": "text", "text": "A cat"}, {"type": "input_image", "file_id": "1"}],
            "a content block has no usable image",
        ),
        (
            [{"type": "text", "text": "A cat"}, {"type": "image", "url": "gs://b/1.png"}],
            "the image is at an address that is not http(s)",
        ),
    ],
)
def test_an_item_with_an_unusable_image_keeps_its_text(item, expected):
    """The text of a mapping or of content blocks is ranked, and the reason is known."""
    [content] = contents([item])

    assert (type(content), content.text) == (WithoutImage, "A cat")
    assert content.reason.startswith(expected)


def test_an_image_of_the_converter_may_have_any_form():
    """A `RerankDocument` of `document_converter` may hold base64 or bytes of an image."""
    data = picture("PNG")
    forms = [data, bytearray(data), memoryview(data), base64.b64encode(data).decode(), "cat.png"]
    images = iter(forms)

    found = contents(
        [Document("a")] * len(forms), converter=lambda _: RerankDocument(image=next(images))
    )

    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    assert [document.image for document in found] == [uri] * 4 + ["cat.png"]
    for text, expected in (
        (None, Unscorable("the bytes are not an image")),
        ("A cat", WithoutImage(text="A cat", reason="the bytes are not an image")),
    ):
        document = RerankDocument(text=text, image=b"no image")
        assert contents([document]) == [expected]
    [wrong] = contents([Document("a")], converter=lambda _: RerankDocument(image=5))
    assert wrong == RerankDocument(image=5)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_bytes_of_every_type_are_images(wrap):
    """An image may be in `bytes`, a `bytearray` or a `memoryview`, wherever an image may be."""
    data = picture("JPEG")
    uri = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    items = [
        Document("", metadata={"image": wrap(data)}),
        Document("", metadata={"image": {"type": "image", "base64": wrap(data)}}),
        {"image": wrap(data)},
        wrap(data),
        Blob(data=data, mimetype="image/jpeg"),
    ]

    assert contents(items) == [RerankDocument(image=uri)] * len(items)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("code", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_text_may_be_base64_of_any_kind(image_format, code):
    """A text may be an image in standard or URL-safe base64, with padding or without."""
    data = picture(image_format)
    text = code(data).decode()
    kind = f"image/{image_format.lower()}"
    uri = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    forms = [text, text.rstrip("="), f"data:{kind};base64,{text.rstrip('=')}"]

    assert contents([Document(form) for form in forms]) == [RerankDocument(image=uri)] * 3


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_beginning_of_an_image_is_not_taken_for_an_image(image_format):
    """Base64 without padding that a text splitter has cut is not an image."""
    text = base64.b64encode(picture(image_format)[:-5]).decode().rstrip("=")
    text = text[: len(text) - len(text) % 4 - 1]

    [content, data_uri] = contents([Document(text), Document(f"data:image/png;base64,{text}")])

    assert content == text
    assert data_uri == Unscorable("the text is a damaged data URI")


class Broken:
    """An image of PIL that fails to load."""

    format = "PNG"
    mode = "L"

    def save(self, *_, **__):
        """Fail."""
        raise OSError


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [(None, "the PIL image fails to load: OSError"), ("a/b takes no images",) * 2],
)
def test_a_pil_image_that_is_not_sent_is_left_out(refusal, reason):
    """A PIL image that fails to load, or that no model takes, is left out with a reason."""
    documents = [PillowDocument(text=text, image=PillowImage(Broken())) for text in ("A cat", None)]

    assert with_encoded_images(documents, refusal=refusal) == [
        WithoutImage(text="A cat", reason=reason),
        Unscorable(reason),
    ]


class Interrupted(Broken):
    """An image of PIL that a signal interrupts while it loads."""

    def save(self, *_, **__):
        """Raise the error of the signal handler."""
        raise_as_handler()


def test_a_signal_that_comes_while_a_pil_image_loads_is_not_taken_for_damage():
    """The error of a signal handler reaches the user."""
    with pytest.raises(TimeoutError, match="of the signal handler"):
        with_encoded_images([PillowDocument(image=PillowImage(Interrupted()))], refusal=None)
