"""Documents with and without images, and what of each is ranked."""

import base64
import math
from pathlib import Path, PureWindowsPath

import pytest
from langchain_core.documents.base import Blob
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import LocalImageDocument, WithoutImage

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
    "sentence of a long word about data URIs": (
        "data:image/png;base64,the-base64-of-the-picture-goes-here is a data URI.",
        {},
        "data:image/png;base64,the-base64-of-the-picture-goes-here is a data URI.",
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
