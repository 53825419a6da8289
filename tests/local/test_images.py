import base64
import json
import subprocess
import sys
from io import BytesIO

import pytest
from openrouter_rerank.local.document_text import document_and_image_texts
from openrouter_rerank.local.images import MAX_IMAGE_BYTES, image_bytes, installed_ocr_engine
from openrouter_rerank.local.rejection import RequestRejectedError
from openrouter_rerank.local.rerank_request import StructuredDocument
from PIL import Image, ImageDraw, ImageFont

VISION = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"


def data_uri(content, media="image/png"):
    """Return the data URI of a file."""
    return f"data:{media};base64,{base64.b64encode(content).decode()}"


def picture(kind="PNG", text="", mode="RGB"):
    """Return the bytes of a small picture, with a line of text if `text` is given."""
    drawn = Image.new("RGB", (400, 240) if text else (8, 8), "white")
    if text:
        ImageDraw.Draw(drawn).text((20, 30), text, "black", ImageFont.load_default(48))
    file = BytesIO()
    drawn.convert(mode).save(file, kind)
    return file.getvalue()


class FixedOCREngine:
    """An OCR engine that returns the same text for every image, and records the images."""

    def __init__(self, text):
        self.text = text
        self.images = []

    def __call__(self, image):
        """Record the image, and return the text."""
        self.images.append(image)
        return self.text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_images_of_four_formats_are_accepted(kind):
    """The bytes of a data URI decide about its format, not the declared media type."""
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
def test_an_invalid_image_fails_the_request_with_status_200_and_an_error(rerank, model, image):
    """An invalid image fails the whole request; the error names the document, at status 200."""
    response = rerank(model=model, documents=["fine", {"text": "caption", "image": image}])

    assert response.status == 200
    error = json.loads(response.body)["error"]
    assert error["code"] == 400
    assert error["message"].startswith("Image of document 1 is not a base64 data URI")


def test_an_image_that_is_too_large_is_rejected_with_the_limit():
    """An image at the limit is accepted, and one byte more is rejected."""
    content = picture().ljust(MAX_IMAGE_BYTES, b"\0")

    assert len(image_bytes(data_uri(content), 0)) == MAX_IMAGE_BYTES
    with pytest.raises(
        RequestRejectedError, match=f"document 7 is larger than {MAX_IMAGE_BYTES}"
    ) as rejected:
        image_bytes(data_uri(content + b"\0"), 7)
    assert rejected.value.status == 200


def test_a_url_is_never_fetched_and_counts_as_its_caption(rerank):
    """An http(s) image is scored by its caption; without a caption its score is 0."""
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


def test_models_for_text_ignore_images(rerank):
    """For a hosted model without images only the text counts, even if an image is invalid."""
    ranking = json.loads(
        rerank(
            model="cohere/rerank-v3.5",
            documents=[
                {"text": "Paris is the capital of France", "image": "none"},
                {"image": "none"},
            ],
        ).body
    )

    assert [result["index"] for result in ranking["results"]] == [0, 1]
    assert ranking["results"][1]["relevance_score"] == 0.0
    assert ranking["provider"] == "local scorer (not OpenRouter; images by their caption only)"


def test_the_text_in_an_image_is_added_to_its_caption():
    """The OCR engine gets the bytes of the image, and its text is added to the caption."""
    ocr_engine, content = FixedOCREngine("printed words"), picture()
    documents = [
        "plain",
        StructuredDocument(text="caption", image=data_uri(content)),
        StructuredDocument(text="elsewhere", image="https://example.com/a.png"),
    ]

    assert document_and_image_texts(documents, ocr_engine) == [
        "plain",
        "caption\nprinted words",
        "elsewhere",
    ]
    assert ocr_engine.images == [content]
    assert document_and_image_texts(documents, None) == ["plain", "caption", "elsewhere"]


def test_no_image_is_read_before_every_image_is_checked():
    """If a later image is invalid, the valid images before it are not read."""
    ocr_engine = FixedOCREngine("")
    documents = [StructuredDocument(image=data_uri(picture())), StructuredDocument(image="none")]

    with pytest.raises(RequestRejectedError):
        document_and_image_texts(documents, ocr_engine)

    assert ocr_engine.images == []


@pytest.fixture(scope="module")
def ocr_engine():
    """Return the OCR engine, or skip the test if the library has no wheel for this Python."""
    engine = installed_ocr_engine()
    if engine is None:
        pytest.skip("rapidocr-onnxruntime needs Python < 3.13")
    return engine


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "1"), ("GIF", "P"), ("JPEG", "L")]
)
def test_printed_text_is_read_from_real_images(ocr_engine, kind, mode):
    """Text in a picture is read in every file format and pixel format."""
    assert "Invoice" in ocr_engine(picture(kind, "Invoice 2024", mode))


@pytest.mark.parametrize(
    "content",
    [
        picture()[:20],
        picture("JPEG")[:60],
        picture("GIF")[:12],
        b"RIFF\x00\x00\x00\x00WEBPjunk",
        b"\x89PNG\r\n\x1a\n",
        # The header declares 60,000 by 60,000 pixels, in a file of few bytes: Pillow refuses it.
        picture("GIF")[:6] + b"\x60\xea\x60\xea" + picture("GIF")[10:],
        # 10,000 by 10,000 pixels: Pillow warns, and these tests turn warnings into errors.
        picture("GIF")[:6] + b"\x10\x27\x10\x27" + picture("GIF")[10:],
    ],
)
def test_an_image_that_cannot_be_decoded_has_no_text(ocr_engine, content):
    """The text of a file that only begins like an image is empty."""
    assert ocr_engine(content) == ""


def test_an_image_of_more_than_50_million_pixels_is_not_read(ocr_engine):
    """A small file of a large picture would take much memory, so its text is empty."""
    file = BytesIO()
    with Image.open(BytesIO(picture(text="Invoice 2024", mode="1"))) as small:
        small.resize((9_200, 5_520)).save(file, "PNG")

    assert ocr_engine(file.getvalue()) == ""


def test_the_texts_of_the_256_images_read_last_are_cached(ocr_engine):
    """An image is read once, and again only after 256 other images."""
    image = picture(text="Invoice 2024")
    text = ocr_engine(image)

    def read_others(first, last):
        for number in range(first, last + 1):
            # It cannot be decoded, which takes little time.
            ocr_engine(b"%d" % number)

    for first in (1, 256):
        read_others(first, first + 254)
        assert ocr_engine(image) is text
    read_others(256, 511)
    assert ocr_engine(image) is not text


def test_without_the_extra_images_are_ranked_by_their_captions():
    """If OCR is not installed, images have their captions only, and no warning is logged."""
    image = {"text": "Paris", "image": data_uri(b"GIF89a")}
    request = {"model": VISION, "query": "Paris", "documents": [image]}
    program = (
        "import sys; sys.modules['rapidocr_onnxruntime'] = None;"
        "import httpx; from openrouter_rerank.local.transport import LocalTransport;"
        "client = httpx.Client(transport=LocalTransport(), headers={'Authorization': 'Bearer k'});"
        f"response = client.post('https://openrouter.ai/api/v1/rerank', json={request});"
        "print(response.json()['provider'])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    provider = "local scorer (not OpenRouter; images by their caption only)"
    assert (done.stdout, done.stderr) == (f"{provider}\n", "")


def test_a_picture_is_found_by_the_text_in_it(rerank, ocr_engine):
    """With the OCR extra, a picture without a caption is ranked by the text in it."""
    assert ocr_engine is not None
    documents = [
        {"image": data_uri(picture(text="Refund policy"))},
        {"image": data_uri(picture(text="Opening hours"))},
    ]

    ranking = json.loads(rerank(query="opening hours", documents=documents).body)

    assert [result["index"] for result in ranking["results"]] == [1, 0]
    assert ranking["results"][0]["relevance_score"] > ranking["results"][1]["relevance_score"]
    assert ranking["provider"] == (
        "local scorer (not OpenRouter; images by their caption and printed text only)"
    )
