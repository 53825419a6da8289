import base64
import json
from io import BytesIO

import pytest
from openrouter_rerank.local.content import texts_and_images
from openrouter_rerank.local.images import MAX_IMAGE_BYTES, image_bytes, installed_reader
from openrouter_rerank.local.refusal import RefusedError
from openrouter_rerank.local.rerank_request import StructuredDocument
from PIL import Image, ImageDraw, ImageFont

VISION = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"


def data_uri(content, media="image/png"):
    """Give the bytes of a file as they stand in a request."""
    return f"data:{media};base64,{base64.b64encode(content).decode()}"


def picture(kind="PNG", text="", mode="RGB"):
    """Give a small picture as the bytes of a file, with a line of text if asked."""
    drawn = Image.new("RGB", (640, 120) if text else (8, 8), "white")
    if text:
        ImageDraw.Draw(drawn).text((20, 30), text, "black", ImageFont.load_default(48))
    file = BytesIO()
    drawn.convert(mode).save(file, kind)
    return file.getvalue()


class Reads:
    """A reader that reads what it is told to, and keeps what it was shown."""

    def __init__(self, text):
        self.text = text
        self.shown = []

    def __call__(self, image):
        """Keep the image, and read the text."""
        self.shown.append(image)
        return self.text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_images_of_four_kinds_are_taken(kind):
    """The bytes of a data URI are taken, whatever kind it declares."""
    content = picture(kind)

    assert image_bytes(data_uri(content), 0) == content
    assert image_bytes(data_uri(content, "image/svg+xml"), 0) == content


@pytest.mark.parametrize(
    "image",
    [
        "",
        "photo.png",
        "/etc/passwd",
        "file:///etc/passwd",
        "ftp://example.com/a.png",
        base64.b64encode(picture()).decode(),
        data_uri(picture(), "text/plain"),
        f"data:image/png,{base64.b64encode(picture()).decode()}",
        "data:image/png;base64,",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,iVBORw0KGg",
        "data:image/png;base64,ü",
        data_uri(b"%PDF-1.7"),
        data_uri(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    ],
)
@pytest.mark.parametrize("model", ["local/lexical", VISION])
def test_what_is_no_image_fails_the_request_with_an_error_body_at_200(rerank, model, image):
    """One bad image fails the whole request, as HTTP 200 with an error that names the document."""
    answer = rerank(model=model, documents=["fine", {"text": "caption", "image": image}])

    assert answer.status == 200
    error = json.loads(answer.body)["error"]
    assert error["code"] == 400
    assert error["message"].startswith("Image of document 1 is not a base64 data URI")


def test_an_image_that_is_too_large_is_refused_with_the_limit():
    """One byte above the limit is too many, at the limit it is taken."""
    content = picture().ljust(MAX_IMAGE_BYTES, b"\0")

    assert len(image_bytes(data_uri(content), 0)) == MAX_IMAGE_BYTES
    with pytest.raises(
        RefusedError, match=f"document 7 is larger than {MAX_IMAGE_BYTES}"
    ) as refused:
        image_bytes(data_uri(content + b"\0"), 7)
    assert refused.value.status == 200


def test_a_url_is_never_fetched_and_counts_as_its_caption(rerank):
    """An http(s) image is scored by its caption; without one it has nothing and comes last."""
    documents = [
        {"image": "https://example.com/paris.png"},
        {"image": "HTTP://example.com/paris.png", "text": "Paris, capital of France"},
        "Berlin",
    ]

    results = json.loads(rerank(documents=documents).body)["results"]

    scores = {result["index"]: result["relevance_score"] for result in results}
    assert results[0]["index"] == 1
    assert scores[0] == scores[2] == 0.0
    assert results[0]["document"] == documents[1]


def test_models_for_text_pass_images_over(rerank):
    """A hosted model that takes no images is answered by the text, even where the image is none."""
    answer = json.loads(
        rerank(
            model="cohere/rerank-v3.5",
            documents=[
                {"text": "Paris is the capital of France", "image": "none"},
                {"image": "none"},
            ],
        ).body
    )

    assert [result["index"] for result in answer["results"]] == [0, 1]
    assert answer["results"][1]["relevance_score"] == 0.0
    assert answer["provider"] == "local scorer (not OpenRouter; images by their caption only)"


def test_the_text_in_an_image_is_read_beside_its_caption():
    """A reader is shown the bytes, and what it reads is added to the caption."""
    reader, content = Reads("printed words"), picture()
    documents = [
        "plain",
        StructuredDocument(text="caption", image=data_uri(content)),
        StructuredDocument(text="elsewhere", image="https://example.com/a.png"),
    ]

    assert texts_and_images(documents, reader) == ["plain", "caption\nprinted words", "elsewhere"]
    assert reader.shown == [content]
    assert texts_and_images(documents, None) == ["plain", "caption", "elsewhere"]


def test_nothing_is_read_before_every_image_is_checked():
    """A bad image late in the list costs no reading of the good ones before it."""
    reader = Reads("")
    documents = [StructuredDocument(image=data_uri(picture())), StructuredDocument(image="none")]

    with pytest.raises(RefusedError):
        texts_and_images(documents, reader)

    assert reader.shown == []


@pytest.fixture(scope="module")
def optical_reader():
    """Give the OCR library, where its wheel exists."""
    reader = installed_reader()
    if reader is None:
        pytest.skip("rapidocr-onnxruntime needs Python < 3.13")
    return reader


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "1"), ("GIF", "P"), ("JPEG", "L")]
)
def test_printed_text_is_read_from_real_images(optical_reader, kind, mode):
    """Text drawn into a picture is read, whatever the kind of the file and of its pixels."""
    assert "Invoice" in optical_reader(picture(kind, "Invoice 2024", mode))


@pytest.mark.parametrize(
    "content",
    [
        picture()[:20],
        picture("JPEG")[:60],
        picture("GIF")[:12],
        b"RIFF\x00\x00\x00\x00WEBPjunk",
        b"\x89PNG\r\n\x1a\n",
        # A picture of 60,000 by 60,000 pixels in a handful of bytes.
        picture()[:16] + b"\x00\x00\xea\x60\x00\x00\xea\x60" + picture()[24:],
    ],
)
def test_what_cannot_be_decoded_has_no_text(optical_reader, content):
    """A file that only begins like an image is read as empty."""
    assert optical_reader(content) == ""


def test_a_page_is_found_by_the_words_printed_on_it(rerank, optical_reader):
    """With the OCR extra a picture without a caption is ranked by what is printed on it."""
    assert optical_reader is not None
    documents = [
        {"image": data_uri(picture(text="Refund policy"))},
        {"image": data_uri(picture(text="Opening hours"))},
    ]

    answer = json.loads(rerank(query="opening hours", documents=documents).body)

    assert [result["index"] for result in answer["results"]] == [1, 0]
    assert answer["results"][0]["relevance_score"] > answer["results"][1]["relevance_score"]
    assert answer["provider"] == (
        "local scorer (not OpenRouter; images by their caption and printed text only)"
    )
