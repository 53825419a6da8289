"""Conversion of LangChain's documents: what of each is ranked, and what the results contain."""

import base64
import math
import random
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from langchain_openrouter_rerank._convert.documents import contents, ranked
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError, ServiceUnavailableError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.reranker import (
    LocalImageDocument,
    Placed,
    Placement,
    Unscorable,
    WithoutImage,
)

from tests.durations import shortest_duration
from tests.starvation import repeat_if_starved

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(60))
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(60))
GIF = b"GIF89a" + bytes(range(60))
WEBP = b"RIFF\x40\x00\x00\x00WEBPVP8 " + bytes(range(60))
TIFF = b"II*\x00" + bytes(range(100, 180))
PDF = b"%PDF-1.7" + bytes(range(60))
URL = "https://example.com/cat.png"
GS_LEFT_OUT = WithoutImage(
    text="A cat", reason="the image is at an address that is not http(s), which cannot be sent"
)


def encoded(data):
    """Return the base64 of `data`."""
    return base64.b64encode(data).decode()


def uri(data, media_type="image/png"):
    """Return the data URI of `data`."""
    return f"data:{media_type};base64,{encoded(data)}"


def image(address, *, text=None):
    """Return the content of a document with an image at `address`, a URL or a data URI."""
    return RerankDocument(text=text, image=address)


def file(path, *, text=None):
    """Return the content of a document with an image file, which may be outside `image_root`."""
    return LocalImageDocument(text=text, image=LocalImage(path))


# The ways in which people store images: text, metadata, and the content that is expected.
IMAGES = {
    # In the text
    "data URI": (uri(PNG), {}, image(uri(PNG))),
    "data URI between blanks": (f"\n {uri(PNG)} \n", {}, image(uri(PNG))),
    "data URI in capitals": (uri(PNG).replace("data:", "DATA:"), {}, image(uri(PNG))),
    "data URI with parameters": (
        f"data:image/png;name=a.png;base64,{encoded(PNG)}",
        {},
        image(uri(PNG)),
    ),
    "data URI of the wrong type": (uri(JPEG, "image/jpg"), {}, image(uri(JPEG, "image/jpeg"))),
    "data URI with line breaks": (
        "data:image/png;base64," + base64.encodebytes(PNG).decode(),
        {},
        image(uri(PNG)),
    ),
    "data URI of a type without known signature": (
        uri(TIFF, "image/tiff"),
        {},
        image(uri(TIFF, "image/tiff")),
    ),
    "Chroma and LanceDB: base64 PNG": (encoded(PNG), {}, image(uri(PNG))),
    "cookbooks: base64 JPEG": (encoded(JPEG), {"doc_id": "1"}, image(uri(JPEG, "image/jpeg"))),
    "cookbooks: base64 GIF": (encoded(GIF), {}, image(uri(GIF, "image/gif"))),
    "cookbooks: base64 WebP": (encoded(WEBP), {}, image(uri(WEBP, "image/webp"))),
    "base64 with line breaks": (base64.encodebytes(PNG).decode(), {}, image(uri(PNG))),
    "Bedrock: type IMAGE": (encoded(PNG), {"type": "IMAGE"}, image(uri(PNG))),
    "Bedrock: data URI": (
        uri(JPEG, "image/jpeg"),
        {"type": "IMAGE"},
        image(uri(JPEG, "image/jpeg")),
    ),
    "image in the text, thumbnail in the metadata": (encoded(PNG), {"image": URL}, image(uri(PNG))),
    # In the metadata of a document without text
    "NVIDIA: data URI": ("", {"image": uri(PNG)}, image(uri(PNG))),
    "NVIDIA: URL": ("  ", {"image": URL}, image(URL)),
    "base64": ("", {"image": encoded(PNG)}, image(uri(PNG))),
    "bytes": ("", {"image": PNG}, image(uri(PNG))),
    "bytes of base64": ("", {"image_bytes": encoded(PNG).encode()}, image(uri(PNG))),
    "image_b64": ("", {"image_b64": encoded(PNG)}, image(uri(PNG))),
    "image_data": ("", {"image_data": encoded(PNG)}, image(uri(PNG))),
    "Unstructured: base64 and type": (
        "",
        {"image_base64": encoded(JPEG), "image_mime_type": "image/jpeg", "category": "Image"},
        image(uri(JPEG, "image/jpeg")),
    ),
    "Unstructured: format known only by the type": (
        "",
        {"image_base64": encoded(TIFF), "image_mime_type": "image/tiff"},
        image(uri(TIFF, "image/tiff")),
    ),
    "wrong type in another field": (
        "",
        {"image": JPEG, "mime_type": "image/png"},
        image(uri(JPEG, "image/jpeg")),
    ),
    "image_url": ("", {"image_url": URL}, image(URL)),
    "image_uri": ("", {"image_uri": "http://example.com/1"}, image("http://example.com/1")),
    "URL as image_path": ("", {"image_path": URL}, image(URL)),
    "inline before remote": ("", {"image_url": URL, "image_base64": encoded(PNG)}, image(uri(PNG))),
    "remote before local": ("", {"image": "cat.png", "image_url": URL}, image(URL)),
    "usable before unusable": ("", {"image": "gs://b/1", "image_url": URL}, image(URL)),
    "local before unusable": ("", {"image": "gs://b/1", "image_path": "1.png"}, file("1.png")),
    # Content blocks
    "block v1, URL": ("", {"image": {"type": "image", "url": URL}}, image(URL)),
    "block v1, base64": (
        "",
        {"image": {"type": "image", "base64": encoded(PNG), "mime_type": "image/png"}},
        image(uri(PNG)),
    ),
    "block v0, base64": (
        "",
        {
            "image": {
                "type": "image",
                "source_type": "base64",
                "data": encoded(TIFF),
                "mime_type": "image/tiff",
            }
        },
        image(uri(TIFF, "image/tiff")),
    ),
    "block v0, URL": (
        "",
        {"image": {"type": "image", "source_type": "url", "url": URL}},
        image(URL),
    ),
    "block of OpenAI": (
        "",
        {"image": {"type": "image_url", "image_url": {"url": uri(PNG)}}},
        image(uri(PNG)),
    ),
    "block of OpenAI, short": ("", {"image": {"type": "image_url", "image_url": URL}}, image(URL)),
    "block of OpenAI Responses": (
        "",
        {"image": {"type": "input_image", "image_url": URL}},
        image(URL),
    ),
    "block of Anthropic": (
        "",
        {
            "image": {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": encoded(PNG)},
            }
        },
        image(uri(PNG)),
    ),
    "block of Google": (
        "",
        {"image": {"type": "media", "mime_type": "image/png", "data": PNG}},
        image(uri(PNG)),
    ),
    # Blobs and files
    "Blob of bytes": ("", {"image": Blob.from_data(PNG, mime_type="image/png")}, image(uri(PNG))),
    "Blob of base64": ("", {"image": Blob.from_data(encoded(PNG))}, image(uri(PNG))),
    "Blob: format known only by the type": (
        "",
        {"image": Blob.from_data(TIFF, mime_type="image/tiff"), "mime_type": "image/x"},
        image(uri(TIFF, "image/tiff")),
    ),
    "Blob of a file": ("", {"image": Blob.from_path("scans/1.png")}, file("scans/1.png")),
    "Blob of a path": ("", {"image": Blob.from_path(Path("scans/1"))}, file("scans/1")),
    "image_path": ("", {"image_path": "/data/cat.PNG"}, file("/data/cat.PNG")),
    "image_path without suffix": ("", {"image_path": "objects/8a7f"}, file("objects/8a7f")),
    "Path": ("", {"image_path": Path("a/cat.jpg")}, file("a/cat.jpg")),
    "Path of Windows": ("", {"image": PureWindowsPath("C:/a/cat.jpg")}, file("C:\\a\\cat.jpg")),
    "file name in capitals": ("", {"image": "CAT.JPG"}, file("CAT.JPG")),
    "file name as image": ("", {"image": "figures/1.webp"}, file("figures/1.webp")),
    "Blob parsers: source": ("", {"source": "scans/cat.jpeg"}, file("scans/cat.jpeg")),
    "loaders: file_path": ("", {"file_path": "scans/cat.gif"}, file("scans/cat.gif")),
}

# Texts and metadata that resemble an image but are not one: text, metadata, expected content.
NO_IMAGES = {
    "web search: thumbnail": ("A text", {"image": "https://example.com/thumb.jpg"}, "A text"),
    "crawler: og:image": ("A text", {"image_url": URL, "source": URL}, "A text"),
    "AskNews: images": ("A text", {"images": [URL, URL]}, "A text"),
    "images without text": ("", {"images": [URL, URL]}, ""),
    "caption of a file": ("A cat on a mat", {"image_path": "cat.jpg"}, "A cat on a mat"),
    "Unstructured: text in an image": ("STOP", {"image_base64": encoded(PNG)}, "STOP"),
    "own format: type image": ("A cat", {"type": "image", "image_path": "1.png"}, "A cat"),
    "parent and summary": ("A summary", {"doc_id": "1", "type": "image"}, "A summary"),
    "PDF parsers: markdown": (f"![a cat]({URL})", {}, f"![a cat]({URL})"),
    "PDF parsers: html": ('<img alt="a cat" src="#" />', {}, '<img alt="a cat" src="#" />'),
    "markdown with a data URI": (f"![a cat]({uri(PNG)})", {}, f"![a cat]({uri(PNG)})"),
    "URL as text": (URL, {}, URL),
    "sentence about data URIs": (
        "data:image/png;base64, starts the data URI of a picture.",
        {},
        "data:image/png;base64, starts the data URI of a picture.",
    ),
    "SVG as plain text": (
        "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' />",
        {},
        "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' />",
    ),
    "base64 of a PDF": (encoded(PDF), {}, encoded(PDF)),
    "word that is valid base64": ("iVBORw0KGgo=", {}, "iVBORw0KGgo="),
    "long word that is valid base64": ("abcd" * 50, {}, "abcd" * 50),
    "path that starts like a JPEG": ("/9j/" + "a" * 39, {}, "/9j/" + "a" * 39),
    "base64 inside a text": (f"The code is {encoded(PNG)}", {}, f"The code is {encoded(PNG)}"),
    "name of an image with a type": ("", {"image": "img1", "mime_type": "image/png"}, ""),
    "name of an image": ("", {"image": "figure 3"}, ""),
    "size of an image": ("", {"image": {"width": 20, "height": 10}}, ""),
    "empty cell of a table": ("", {"image": math.nan, "image_url": None}, ""),
    "number": ("", {"image": 17}, ""),
    "empty values": ("", {"image": "", "image_bytes": b"", "image_path": " "}, ""),
    "bytes of a PDF": ("", {"image": PDF}, ""),
    "base64 of a PDF as image": ("", {"image": encoded(PDF), "mime_type": "application/pdf"}, ""),
    "Blob of a text": ("", {"image": Blob.from_data("A text")}, ""),
    "empty Blob": ("", {"image": Blob.from_data(b"")}, ""),
    "block of a file": ("", {"image": {"type": "file", "url": URL}}, ""),
    "block of a file of Anthropic": (
        "",
        {"image": {"type": "document", "source": {"type": "url", "url": URL}}},
        "",
    ),
    "block of a file of Google": (
        "",
        {"image": {"type": "media", "mime_type": "application/pdf", "url": URL}},
        "",
    ),
    "block of an uploaded image of Anthropic": (
        "",
        {"image": {"type": "image", "source": {"type": "file", "url": URL}}},
        "",
    ),
    "block with a list as type": ("", {"image": {"type": ["image"], "url": URL}}, ""),
    "block of audio": ("", {"image": {"type": "audio", "base64": encoded(PNG)}}, ""),
    "block of an uploaded image": ("", {"image": {"type": "image", "file_id": "file-1"}}, ""),
    "blank page of a PDF": ("", {"source": "a.pdf", "file_path": "a.pdf", "page": 3}, ""),
    "blank page of the web": ("", {"source": URL}, ""),
    "file of another loader": ("", {"source": None, "file_path": 3}, ""),
    "no text and no metadata": ("", {}, ""),
    "plain text": ("A text", {"source": "a.txt"}, "A text"),
}

# Images that no request can contain: text, metadata, and a part of the reason.
UNSENDABLE_IMAGES = {
    "damaged data URI": ("data:image/png;base64,iVBORw0KGgo%%%", {}, "damaged"),
    "cut data URI": (uri(PNG)[:-1], {}, "damaged"),
    "data URI without content": ("data:image/png;base64,", {}, "damaged"),
    "gs": ("", {"image_gsurl": "gs://bucket/cat.png"}, "not http(s)"),
    "s3": ("", {"image_uri": "s3://bucket/cat.png"}, "not http(s)"),
    "file": ("", {"image_path": "file:///etc/passwd"}, "not http(s)"),
    "damaged URL": ("", {"image": "https://exa mple.com/cat.png"}, "with spaces in it"),
}


def params(rows):
    """Return the rows of a table as parameters, with their names as ids."""
    return [pytest.param(*row, id=name) for name, row in rows.items()]


@pytest.mark.parametrize(("text", "metadata", "expected"), params(IMAGES))
def test_images_are_recognized(text, metadata, expected):
    """The converter finds the image of a document in each of these forms."""
    assert contents([Document(text, metadata=metadata)]) == [expected]


@pytest.mark.parametrize(("text", "metadata", "expected"), params(NO_IMAGES))
def test_other_values_are_not_images(text, metadata, expected):
    """A text remains a text with any metadata, and a value that is no image does not become one."""
    assert contents([Document(text, metadata=metadata)]) == [expected]


@pytest.mark.parametrize(("text", "metadata", "reason"), params(UNSENDABLE_IMAGES))
def test_an_unsendable_image_is_unscorable_with_a_reason(text, metadata, reason):
    """An image that cannot be sent is unscorable, and the reason does not quote its address."""
    [content] = contents([Document(text, metadata=metadata)])

    assert isinstance(content, Unscorable)
    assert reason in content.reason
    assert "bucket" not in content.reason


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"photo": URL}, RerankDocument(text="A cat", image=URL)),
        ({"photo": encoded(PNG)}, RerankDocument(text="A cat", image=uri(PNG))),
        ({"photo": "cat.png"}, LocalImageDocument(text="A cat", image=LocalImage("cat.png"))),
        ({"scan": URL}, RerankDocument(text="A cat", image=URL)),
        ({"photo": "none", "scan": URL}, RerankDocument(text="A cat", image=URL)),
        ({"photo": URL, "scan": encoded(PNG)}, RerankDocument(text="A cat", image=URL)),
        ({"photo": "gs://bucket/cat"}, GS_LEFT_OUT),
        ({"photo": None}, "A cat"),
        ({"image": URL}, "A cat"),
    ],
)
def test_an_image_is_ranked_with_the_text_if_its_field_is_named(metadata, expected):
    """If a document has a text, only the fields in `image_keys` are searched for an image."""
    document = Document("A cat", metadata=metadata)

    assert contents([document], image_keys=["photo", "scan"]) == [expected]


def test_a_named_field_is_searched_before_the_known_fields():
    """If a document has no text, the fields in `image_keys` are searched first."""
    named = Document("", metadata={"photo": URL, "image": uri(PNG)})
    known = Document("", metadata={"image": uri(PNG)})

    assert contents([named, known], image_keys=["photo"]) == [image(URL), image(uri(PNG))]


METADATA = {
    "title": "The  cat\nof Paris",
    "authors": ["A. Smith", "", "B. Jones", {"role": "editor"}],
    "year": 2024,
    "price": Decimal("1.50"),
    "day": date(2024, 2, 29),
    "score": 0.5,
    "empty": math.nan,
    "none": None,
    "blank": " ",
    "nested": {"a": 1},
    "photo": URL,
}


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (["title"], "title: The cat of Paris\n"),
        (["year", "title"], "year: 2024\ntitle: The cat of Paris\n"),
        (["authors"], "authors: A. Smith, B. Jones\n"),
        (["price", "day", "score"], "price: 1.50\nday: 2024-02-29\nscore: 0.5\n"),
        (["empty", "none", "blank", "nested", "missing"], ""),
        ([], ""),
    ],
)
def test_rank_fields_are_put_before_the_text(names, lines):
    """Each field with a text, a number or a date is a line, in the order of `rank_fields`."""
    document = Document("A cat", metadata=METADATA)

    assert contents([document], rank_fields=names) == [f"{lines}A cat"]


def test_rank_fields_are_ranked_with_an_image():
    """The fields are the text of an image, or the whole content if there is nothing else."""
    documents = [
        Document(uri(PNG), metadata={"title": "A cat"}),
        Document("", metadata={"title": "A cat", "image": URL}),
        Document("", metadata={"title": "A cat"}),
        Document("Purrs", metadata={"title": "A cat", "photo": URL}),
    ]

    converted = contents(documents, rank_fields=["title"], image_keys=["photo"])

    assert converted == [
        RerankDocument(text="title: A cat", image=uri(PNG)),
        RerankDocument(text="title: A cat", image=URL),
        "title: A cat",
        RerankDocument(text="title: A cat\nPurrs", image=URL),
    ]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("A text", "A text"),
        (uri(PNG), uri(PNG)),
        ("", ""),
        ({"text": "A text"}, "A text"),
        ({"text": "A text", "image": encoded(PNG)}, RerankDocument(text="A text", image=uri(PNG))),
        ({"image": PNG}, image(uri(PNG))),
        ({"type": "image", "url": URL}, image(URL)),
        (RerankDocument(text="A text"), RerankDocument(text="A text")),
        (None, Unscorable("document_converter found nothing to rank")),
    ],
)
def test_the_result_of_a_converter_is_ranked(result, expected):
    """The result of `document_converter` is ranked, and no other rule applies to the document."""
    document = Document("A cat", metadata={"title": "Cats", "image": URL})

    for names in ([], ["title"]):
        assert contents([document], converter=lambda _: result, rank_fields=names) == [expected]


@pytest.mark.parametrize("result", [17, ["A text"], b"bytes", Document("A text")])
def test_an_invalid_result_of_a_converter_is_an_error(result):
    """The error names `document_converter` and the position of the document."""

    def converter(document):
        return "A text" if document.page_content == "good" else result

    with pytest.raises(InvalidRequestError, match=r"document_converter returned .*documents\[1\]"):
        contents([Document("good"), Document("bad")], converter=converter)


# What `rerank` accepts in addition to documents: an item, and the content that is expected.
ITEMS = {
    "text": ("A text", "A text"),
    "text that is an image": (encoded(PNG), image(uri(PNG))),
    "document": (Document("", metadata={"image": URL}), image(URL)),
    "mapping of text": ({"text": "A text"}, "A text"),
    "mapping of an image": ({"image": PNG}, image(uri(PNG))),
    "mapping of both": ({"text": "A cat", "image": URL}, RerankDocument(text="A cat", image=URL)),
    "mapping with a file": (
        {"text": "A cat", "image": "cat.png"},
        LocalImageDocument(text="A cat", image=LocalImage("cat.png")),
    ),
    "mapping without text": ({"text": None, "image": URL}, image(URL)),
    "mapping with an unusable image": ({"text": "A cat", "image": "gs://b/1"}, GS_LEFT_OUT),
    "mapping with an unusable image alone": (
        {"image": "gs://b/1"},
        Unscorable("the image is at an address that is not http(s), which cannot be sent"),
    ),
    "empty mapping": ({}, ""),
    "mapping with a field": ({"title": "Cats", "text": "Purr"}, "title: Cats\nPurr"),
    "RerankDocument": (RerankDocument(text="A"), RerankDocument(text="A")),
    "block of text": ({"type": "text", "text": "A text"}, "A text"),
    "block of an image": ({"type": "image", "url": URL}, image(URL)),
    "block of OpenAI": ({"type": "image_url", "image_url": {"url": URL}}, image(URL)),
    "block of audio": (
        {"type": "audio", "base64": "AAAA"},
        Unscorable("it is a content block without a usable image"),
    ),
    "block of an uploaded image": (
        {"type": "image", "file_id": "1"},
        Unscorable("it is a content block without a usable image"),
    ),
    "block of a text file": ({"type": "text-plain", "text": "A text"}, "A text"),
    "block of a response of OpenAI": ({"type": "output_text", "text": "A text"}, "A text"),
    "block of OpenAI's responses": ({"type": "input_text", "text": "A text"}, "A text"),
    "blocks of a text and an image": (
        [{"type": "text", "text": "A cat"}, {"type": "image", "url": URL}],
        image(URL, text="A cat"),
    ),
    "blocks of OpenAI": (
        [{"type": "image_url", "image_url": {"url": URL}}, {"type": "text", "text": "A cat"}],
        image(URL, text="A cat"),
    ),
    "blocks of one sentence": (
        [{"type": "text", "text": "A cat, "}, {"type": "text", "text": "asleep."}],
        "A cat, asleep.",
    ),
    "blocks of an image alone": ([{"type": "image", "url": URL}], image(URL)),
    "blocks of a file and a text": (
        ({"type": "image", "url": "cat.png"}, {"type": "text", "text": "A cat"}),
        file("cat.png", text="A cat"),
    ),
    "blocks of a text, a file and an image": (
        [
            {"type": "text", "text": "A cat"},
            {"type": "document", "source": {"type": "url", "url": "https://host/cat.pdf"}},
            {"type": "image", "source": {"type": "url", "url": URL}},
        ],
        image(URL, text="A cat"),
    ),
    "blocks of a text and audio": (
        [{"type": "text", "text": "A cat"}, {"type": "audio", "base64": "AAAA"}],
        "A cat",
    ),
    "blocks of two images, of which one cannot be sent": (
        [{"type": "image", "url": "gs://bucket/cat.png"}, {"type": "image", "url": URL}],
        image(URL),
    ),
    "blocks of audio alone": (
        [{"type": "audio", "base64": "AAAA"}],
        Unscorable("no content block has a text or a usable image"),
    ),
    "empty list of blocks": ([], Unscorable("no content block has a text or a usable image")),
    "bytes": (PNG, image(uri(PNG))),
    "Blob": (Blob.from_data(PNG, mime_type="image/png"), image(uri(PNG))),
    "Path": (Path("a/cat.png"), file("a/cat.png")),
}


@pytest.mark.parametrize(("item", "expected"), params(ITEMS))
def test_items_of_other_types_are_ranked(item, expected):
    """Strings, mappings, content blocks and images can be ranked without a document."""
    assert contents([item], rank_fields=["title"]) == [expected]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (None, r"documents\[1\] is of type NoneType"),
        (17, r"documents\[1\] is of type int"),
        (PDF, r"documents\[1\] is of type bytes"),
        ([URL], r"documents\[1\] is of type list"),
        ([{"text": "A text"}], r"documents\[1\] is of type list"),
        ([Document("A text")], r"documents\[1\] is of type list"),
        ([{"type": "image", "url": URL}] * 2, r"documents\[1\] has 2 images"),
        ({"type": {}, "text": "A text"}, "unknown key 'type'"),
        (Blob.from_data("A text"), r"documents\[1\] is of type Blob"),
        ({"txt": "A text"}, r"documents\[1\] has the unknown key 'txt'.* rank_fields"),
        ({"type": "product", "text": "A text"}, "unknown key 'type'"),
        ({"text": "A page", "url": URL}, "unknown key 'url'"),
        ({"text": 17}, r"text of documents\[1\] is of type int"),
    ],
)
def test_an_invalid_item_is_an_error(item, message):
    """The error has the position of the item and its type, its key or the number of its images."""
    with pytest.raises(InvalidRequestError, match=message):
        contents(["A text", item])


class AuditRecorder:
    """Records Python's audit events of files, processes and the network inside a `with` block."""

    recorded = ("open", "os.", "socket.", "subprocess.", "urllib.", "shutil.", "glob.", "pathlib.")

    def __init__(self):
        self.is_recording = False
        self.events = []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        """Record an event."""
        if self.is_recording and event.startswith(self.recorded):
            self.events.append((event, arguments))

    def __enter__(self):
        self.is_recording = True
        return self

    def __exit__(self, *_):
        self.is_recording = False


def test_no_file_is_opened_and_no_connection_is_made():
    """The converter opens none of the paths and URLs in documents."""
    rows = [*IMAGES.values(), *NO_IMAGES.values(), *UNSENDABLE_IMAGES.values()]
    documents = [Document(text, metadata=metadata) for text, metadata, _ in rows]
    items = [item for item, _ in ITEMS.values()]

    with AuditRecorder() as recorder:
        contents(documents)
        contents(documents, image_keys=["image", "image_path", "source"], rank_fields=["source"])
        contents(items, rank_fields=["title"])

    assert recorder.events == []
    with recorder, Path(__file__).open("rb"):
        pass
    assert recorder.events


@repeat_if_starved
def test_large_images_are_converted_fast():
    """The conversion of an image of 5 MB takes less than 5 times as long as its base64 decoding."""
    data = PNG + random.Random(0).randbytes(5_000_000)
    documents = [
        Document(encoded(data)),
        Document(uri(data)),
        Document("", metadata={"image": uri(data)}),
        Document("", metadata={"image": data}),
    ]
    decoding = shortest_duration(
        lambda: base64.b64decode(encoded(data), validate=True), repetitions=5
    )

    for document in documents:
        conversion = shortest_duration(
            lambda document=document: contents([document]), repetitions=5
        )
        assert conversion < 5 * decoding


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.binary(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from(["image", "image_url", "image_path", "source", "mime_type", "url", "type"])


@given(st.text().filter(str.strip), st.dictionaries(keys | st.text(), json_values))
def test_a_text_is_ranked_alone_with_any_metadata(text, metadata):
    """A text that is neither blank nor an image is ranked alone, with any metadata."""
    expected = [text]

    assert contents([Document(text, metadata=metadata)]) == expected


@given(st.dictionaries(keys, json_values))
def test_any_metadata_can_be_converted(metadata):
    """The converter accepts any values in the known fields of a document without a text."""
    [content] = contents([Document("", metadata=metadata)])

    assert content == "" or isinstance(content, RerankDocument | LocalImageDocument | Unscorable)


def placement(*order):
    """Return the placement after a response: pairs of an index and a score, in this order."""
    ranking = Ranking(results=(), model="a/model", requests=())
    return Placement(order=tuple(Placed(*placed) for placed in order), ranking=ranking)


texts_and_images = st.sampled_from(["A text about cats.", "cats", " ", uri(PNG), encoded(PNG)])


@given(st.lists(st.builds(Document, texts_and_images)))
def test_documents_are_converted_independently(documents):
    """The content of a document does not depend on the other documents in the list."""
    one_by_one = [content for document in documents for content in contents([document])]

    assert contents(documents) == one_by_one


@given(
    st.fixed_dictionaries(
        {"page_content": st.text()},
        optional={
            "id": st.none() | st.text(),
            "metadata": st.dictionaries(st.text() | st.just("relevance_score"), json_values),
            "type": st.just("Document"),
        },
    ),
    st.none() | st.floats(allow_nan=False),
)
def test_a_result_equals_the_copy_that_pydantic_makes(fields, score):
    """A result has the complete state of a `model_copy`, and the document stays unchanged."""
    document = Document(**fields)
    before = repr(document.__getstate__())
    metadata = {key: value for key, value in document.metadata.items() if key != "relevance_score"}
    if score is not None:
        metadata["relevance_score"] = score
    expected = document.model_copy(update={"metadata": metadata})

    [copy] = ranked([document], placement((0, score)), score_key="relevance_score")
    state = repr({**copy.__getstate__(), "__pydantic_fields_set__": None})

    assert state == repr({**expected.__getstate__(), "__pydantic_fields_set__": None})
    assert copy.model_fields_set == expected.model_fields_set
    copy.id = "another"
    copy.metadata["another"] = 1
    assert repr(document.__getstate__()) == before


class StatefulDocument(Document):
    """A document with a state, as LangChain's filters make them."""

    state: object = None


def test_a_result_keeps_everything_but_the_score():
    """A result keeps the id, the subclass, its state and the objects in the metadata."""
    lock = object()
    document = StatefulDocument(
        "A text", id="a", metadata={"lock": lock, "n": 1}, state={"vector": [1.0]}
    )

    [result] = ranked([document], placement((0, 0.5)), score_key="relevance_score")

    assert result is not document
    assert type(result) is StatefulDocument
    assert (result.id, result.page_content, result.type) == ("a", "A text", "Document")
    assert result.state is document.state
    assert result.metadata == {"lock": lock, "n": 1, "relevance_score": 0.5}
    assert document.metadata == {"lock": lock, "n": 1}


def test_earlier_scores_are_replaced_or_removed():
    """Results have only the scores of this ranking. The documents keep their earlier scores."""
    documents = [Document("a", metadata={"score": 9.0, "n": 1}) for _ in range(2)]

    results = ranked(documents, placement((1, 0.5), (0, None)), score_key="score")

    assert [result.metadata for result in results] == [{"score": 0.5, "n": 1}, {"n": 1}]
    assert [document.metadata["score"] for document in documents] == [9.0, 9.0]


@pytest.mark.parametrize("error", [None, ServiceUnavailableError("down")])
def test_without_a_ranking_the_documents_themselves_are_returned(error):
    """If no request was sent, or a failure was passed through, the results are the same objects."""
    documents = [Document("a", metadata={"relevance_score": 0.9}), Document("b"), Document("c")]
    unranked = Placement(order=(Placed(0, None), Placed(1, None)), error=error)

    results = ranked(documents, unranked, score_key="relevance_score")

    assert [id(result) for result in results] == [id(document) for document in documents[:2]]
    assert results[0].metadata == {"relevance_score": 0.9}
