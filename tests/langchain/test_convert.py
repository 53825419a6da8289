"""What LangChain's documents are taken for, and the form in which they come back."""

import base64
import math
import random
import sys
import time
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
from openrouter_rerank.reranker import LocalImageDocument, Placed, Placement, Unscorable

from tests.starvation import repeat_if_starved

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(60))
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(60))
GIF = b"GIF89a" + bytes(range(60))
WEBP = b"RIFF\x40\x00\x00\x00WEBPVP8 " + bytes(range(60))
TIFF = b"II*\x00" + bytes(range(100, 180))
PDF = b"%PDF-1.7" + bytes(range(60))
URL = "https://example.com/cat.png"


def coded(data):
    """Encode as stores and notebooks do."""
    return base64.b64encode(data).decode()


def uri(data, media_type="image/png"):
    """Write a data URI."""
    return f"data:{media_type};base64,{coded(data)}"


def image(sent, *, text=None):
    """Expect a document that is ranked by its image, and by the text beside it, if any."""
    return RerankDocument(text=text, image=sent)


def file(path, *, text=None):
    """Expect a document that is ranked by its image file, if it may be read, and by its text."""
    return LocalImageDocument(text=text, image=LocalImage(path))


# The conventions that people use for images, each with what it is taken for.
IMAGES = {
    # In the text
    "data URI": (uri(PNG), {}, image(uri(PNG))),
    "data URI between blanks": (f"\n {uri(PNG)} \n", {}, image(uri(PNG))),
    "data URI in capitals": (uri(PNG).replace("data:", "DATA:"), {}, image(uri(PNG))),
    "data URI with parameters": (
        f"data:image/png;name=a.png;base64,{coded(PNG)}",
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
    "Chroma and LanceDB: base64 PNG": (coded(PNG), {}, image(uri(PNG))),
    "cookbooks: base64 JPEG": (coded(JPEG), {"doc_id": "1"}, image(uri(JPEG, "image/jpeg"))),
    "cookbooks: base64 GIF": (coded(GIF), {}, image(uri(GIF, "image/gif"))),
    "cookbooks: base64 WebP": (coded(WEBP), {}, image(uri(WEBP, "image/webp"))),
    "base64 with line breaks": (base64.encodebytes(PNG).decode(), {}, image(uri(PNG))),
    "Bedrock: type IMAGE": (coded(PNG), {"type": "IMAGE"}, image(uri(PNG))),
    "Bedrock: data URI": (
        uri(JPEG, "image/jpeg"),
        {"type": "IMAGE"},
        image(uri(JPEG, "image/jpeg")),
    ),
    "image in the text, thumbnail beside it": (coded(PNG), {"image": URL}, image(uri(PNG))),
    # In the metadata of a document without text
    "NVIDIA: data URI": ("", {"image": uri(PNG)}, image(uri(PNG))),
    "NVIDIA: URL": ("  ", {"image": URL}, image(URL)),
    "base64": ("", {"image": coded(PNG)}, image(uri(PNG))),
    "bytes": ("", {"image": PNG}, image(uri(PNG))),
    "bytes of base64": ("", {"image_bytes": coded(PNG).encode()}, image(uri(PNG))),
    "image_b64": ("", {"image_b64": coded(PNG)}, image(uri(PNG))),
    "image_data": ("", {"image_data": coded(PNG)}, image(uri(PNG))),
    "Unstructured: base64 and type": (
        "",
        {"image_base64": coded(JPEG), "image_mime_type": "image/jpeg", "category": "Image"},
        image(uri(JPEG, "image/jpeg")),
    ),
    "Unstructured: only the type tells": (
        "",
        {"image_base64": coded(TIFF), "image_mime_type": "image/tiff"},
        image(uri(TIFF, "image/tiff")),
    ),
    "wrong type beside it": (
        "",
        {"image": JPEG, "mime_type": "image/png"},
        image(uri(JPEG, "image/jpeg")),
    ),
    "image_url": ("", {"image_url": URL}, image(URL)),
    "image_uri": ("", {"image_uri": "http://example.com/1"}, image("http://example.com/1")),
    "URL as image_path": ("", {"image_path": URL}, image(URL)),
    "inline before remote": ("", {"image_url": URL, "image_base64": coded(PNG)}, image(uri(PNG))),
    "remote before local": ("", {"image": "cat.png", "image_url": URL}, image(URL)),
    "usable before unusable": ("", {"image": "gs://b/1", "image_url": URL}, image(URL)),
    "local before unusable": ("", {"image": "gs://b/1", "image_path": "1.png"}, file("1.png")),
    # Content blocks
    "block v1, URL": ("", {"image": {"type": "image", "url": URL}}, image(URL)),
    "block v1, base64": (
        "",
        {"image": {"type": "image", "base64": coded(PNG), "mime_type": "image/png"}},
        image(uri(PNG)),
    ),
    "block v0, base64": (
        "",
        {
            "image": {
                "type": "image",
                "source_type": "base64",
                "data": coded(TIFF),
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
                "source": {"type": "base64", "media_type": "image/png", "data": coded(PNG)},
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
    "Blob of base64": ("", {"image": Blob.from_data(coded(PNG))}, image(uri(PNG))),
    "Blob: only the type tells": (
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

# What resembles an image and is none, each with what is ranked instead.
FALSE_FRIENDS = {
    "web search: thumbnail": ("A text", {"image": "https://example.com/thumb.jpg"}, "A text"),
    "crawler: og:image": ("A text", {"image_url": URL, "source": URL}, "A text"),
    "AskNews: images": ("A text", {"images": [URL, URL]}, "A text"),
    "images without text": ("", {"images": [URL, URL]}, ""),
    "caption of a file": ("A cat on a mat", {"image_path": "cat.jpg"}, "A cat on a mat"),
    "Unstructured: text in an image": ("STOP", {"image_base64": coded(PNG)}, "STOP"),
    "home-made: type image": ("A cat", {"type": "image", "image_path": "1.png"}, "A cat"),
    "parent and summary": ("A summary", {"doc_id": "1", "type": "image"}, "A summary"),
    "PDF parsers: markdown": (f"![a cat]({URL})", {}, f"![a cat]({URL})"),
    "PDF parsers: html": ('<img alt="a cat" src="#" />', {}, '<img alt="a cat" src="#" />'),
    "markdown with a data URI": (f"![a cat]({uri(PNG)})", {}, f"![a cat]({uri(PNG)})"),
    "address as text": (URL, {}, URL),
    "sentence about data URIs": (
        "data:image/png;base64, starts the data URI of a picture.",
        {},
        "data:image/png;base64, starts the data URI of a picture.",
    ),
    "drawing in clear text": (
        "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' />",
        {},
        "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' />",
    ),
    "base64 of a PDF": (coded(PDF), {}, coded(PDF)),
    "word that decodes": ("iVBORw0KGgo=", {}, "iVBORw0KGgo="),
    "long word that decodes": ("abcd" * 50, {}, "abcd" * 50),
    "path that starts like a JPEG": ("/9j/" + "a" * 39, {}, "/9j/" + "a" * 39),
    "base64 inside a text": (f"The code is {coded(PNG)}", {}, f"The code is {coded(PNG)}"),
    "name beside a type": ("", {"image": "img1", "mime_type": "image/png"}, ""),
    "name of an image": ("", {"image": "figure 3"}, ""),
    "size of an image": ("", {"image": {"width": 20, "height": 10}}, ""),
    "empty cell of a table": ("", {"image": math.nan, "image_url": None}, ""),
    "number": ("", {"image": 17}, ""),
    "empty values": ("", {"image": "", "image_bytes": b"", "image_path": " "}, ""),
    "bytes of a PDF": ("", {"image": PDF}, ""),
    "base64 of a PDF as image": ("", {"image": coded(PDF), "mime_type": "application/pdf"}, ""),
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
    "block of no type": ("", {"image": {"type": ["image"], "url": URL}}, ""),
    "block of a sound": ("", {"image": {"type": "audio", "base64": coded(PNG)}}, ""),
    "block of an uploaded image": ("", {"image": {"type": "image", "file_id": "file-1"}}, ""),
    "blank page of a PDF": ("", {"source": "a.pdf", "file_path": "a.pdf", "page": 3}, ""),
    "blank page of the web": ("", {"source": URL}, ""),
    "file of another loader": ("", {"source": None, "file_path": 3}, ""),
    "nothing": ("", {}, ""),
    "plain text": ("A text", {"source": "a.txt"}, "A text"),
}

UNSENDABLE = {
    "damaged data URI": ("data:image/png;base64,iVBORw0KGgo%%%", {}, "damaged"),
    "cut data URI": (uri(PNG)[:-1], {}, "damaged"),
    "data URI without content": ("data:image/png;base64,", {}, "damaged"),
    "gs": ("", {"image_gsurl": "gs://bucket/cat.png"}, "gs://"),
    "s3": ("", {"image_uri": "s3://bucket/cat.png"}, "s3://"),
    "file": ("", {"image_path": "file:///etc/passwd"}, "file://"),
    "damaged URL": ("", {"image": "https://exa mple.com/cat.png"}, "https://"),
}


def table(documents):
    """Give each row of a table its name."""
    return [pytest.param(*row, id=name) for name, row in documents.items()]


@pytest.mark.parametrize(("text", "metadata", "expected"), table(IMAGES))
def test_images_are_recognised(text, metadata, expected):
    """A document that is an image is ranked by it, wherever people leave it."""
    assert contents([Document(text, metadata=metadata)]) == [expected]


@pytest.mark.parametrize(("text", "metadata", "expected"), table(FALSE_FRIENDS))
def test_false_friends_are_no_images(text, metadata, expected):
    """A text stays a text, whatever is beside it, and nothing odd becomes an image."""
    assert contents([Document(text, metadata=metadata)]) == [expected]


@pytest.mark.parametrize(("text", "metadata", "reason"), table(UNSENDABLE))
def test_images_that_cannot_be_sent_say_why(text, metadata, reason):
    """An image that no request can carry is not ranked, and the reason holds nothing of it."""
    [content] = contents([Document(text, metadata=metadata)])

    assert isinstance(content, Unscorable)
    assert reason in content.reason
    assert "bucket" not in content.reason


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"photo": URL}, RerankDocument(text="A cat", image=URL)),
        ({"photo": coded(PNG)}, RerankDocument(text="A cat", image=uri(PNG))),
        ({"photo": "cat.png"}, LocalImageDocument(text="A cat", image=LocalImage("cat.png"))),
        ({"scan": URL}, RerankDocument(text="A cat", image=URL)),
        ({"photo": "none", "scan": URL}, RerankDocument(text="A cat", image=URL)),
        ({"photo": URL, "scan": coded(PNG)}, RerankDocument(text="A cat", image=URL)),
        ({"photo": "gs://bucket/cat"}, "A cat"),
        ({"photo": None}, "A cat"),
        ({"image": URL}, "A cat"),
    ],
)
def test_a_named_field_puts_the_image_beside_the_text(metadata, expected):
    """Fields that the user names, and no others, are looked into although there is a text."""
    document = Document("A cat", metadata=metadata)

    assert contents([document], image_keys=["photo", "scan"]) == [expected]


def test_a_named_field_comes_before_the_known_ones():
    """Without a text the named field is looked into first, then the known ones."""
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
def test_rank_fields_stand_before_the_text(names, lines):
    """Each field is a line in the order asked for; what has no text, number or date is not."""
    document = Document("A cat", metadata=METADATA)

    assert contents([document], rank_fields=names) == [f"{lines}A cat"]


def test_rank_fields_stand_beside_an_image():
    """With an image, the fields are the text; without anything else, they alone are ranked."""
    documents = [
        Document(uri(PNG), metadata={"title": "A cat"}),
        Document("", metadata={"title": "A cat", "image": URL}),
        Document("", metadata={"title": "A cat"}),
        Document("Purrs", metadata={"title": "A cat", "photo": URL}),
    ]

    found = contents(documents, rank_fields=["title"], image_keys=["photo"])

    assert found == [
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
        ({"text": "A text", "image": coded(PNG)}, RerankDocument(text="A text", image=uri(PNG))),
        ({"image": PNG}, image(uri(PNG))),
        ({"type": "image", "url": URL}, image(URL)),
        (RerankDocument(text="A text"), RerankDocument(text="A text")),
        (None, Unscorable("document_converter found nothing to rank")),
    ],
)
def test_a_converter_says_what_is_ranked(result, expected):
    """What the user's function returns is ranked, and no rule looks at the document."""
    document = Document("A cat", metadata={"title": "Cats", "image": URL})

    assert contents([document], converter=lambda _: result, rank_fields=["title"]) == [expected]


@pytest.mark.parametrize("result", [17, ["A text"], b"bytes", Document("A text")])
def test_a_converter_that_returns_something_else_is_named(result):
    """What cannot be ranked is an error that says whose mistake it is and what to return."""

    def converter(document):
        return "A text" if document.page_content == "good" else result

    with pytest.raises(InvalidRequestError, match=r"document_converter returned .*documents\[1\]"):
        contents([Document("good"), Document("bad")], converter=converter)


# What `rerank` takes besides documents, each with what is ranked of it.
ITEMS = {
    "text": ("A text", "A text"),
    "text that is an image": (coded(PNG), image(uri(PNG))),
    "document": (Document("", metadata={"image": URL}), image(URL)),
    "mapping of text": ({"text": "A text"}, "A text"),
    "mapping of an image": ({"image": PNG}, image(uri(PNG))),
    "mapping of both": ({"text": "A cat", "image": URL}, RerankDocument(text="A cat", image=URL)),
    "mapping with a file": (
        {"text": "A cat", "image": "cat.png"},
        LocalImageDocument(text="A cat", image=LocalImage("cat.png")),
    ),
    "mapping without text": ({"text": None, "image": URL}, image(URL)),
    "mapping with an unusable image": ({"text": "A cat", "image": "gs://b/1"}, "A cat"),
    "mapping with an unusable image alone": (
        {"image": "gs://b/1"},
        Unscorable("its image is at a gs:// address, which cannot be sent"),
    ),
    "empty mapping": ({}, ""),
    "mapping with a field": ({"title": "Cats", "text": "Purr"}, "title: Cats\nPurr"),
    "document of the client": (RerankDocument(text="A"), RerankDocument(text="A")),
    "block of text": ({"type": "text", "text": "A text"}, "A text"),
    "block of an image": ({"type": "image", "url": URL}, image(URL)),
    "block of OpenAI": ({"type": "image_url", "image_url": {"url": URL}}, image(URL)),
    "block of a sound": (
        {"type": "audio", "base64": "AAAA"},
        Unscorable("it is a content block of type 'audio' without a usable image"),
    ),
    "block of an uploaded image": (
        {"type": "image", "file_id": "1"},
        Unscorable("it is a content block of type 'image' without a usable image"),
    ),
    "block of a text file": ({"type": "text-plain", "text": "A text"}, "A text"),
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
    "blocks of a text and what cannot be ranked": (
        [{"type": "text", "text": "A cat"}, {"type": "audio", "base64": "AAAA"}],
        "A cat",
    ),
    "blocks of two images, of which one cannot be sent": (
        [{"type": "image", "url": "gs://bucket/cat.png"}, {"type": "image", "url": URL}],
        image(URL),
    ),
    "blocks of what cannot be ranked": (
        [{"type": "audio", "base64": "AAAA"}],
        Unscorable("no content block of it has a text or a usable image"),
    ),
    "no blocks": ([], Unscorable("no content block of it has a text or a usable image")),
    "bytes": (PNG, image(uri(PNG))),
    "Blob": (Blob.from_data(PNG, mime_type="image/png"), image(uri(PNG))),
    "Path": (Path("a/cat.png"), file("a/cat.png")),
}


@pytest.mark.parametrize(("item", "expected"), table(ITEMS))
def test_items_need_not_be_documents(item, expected):
    """Texts, mappings, content blocks and images are ranked as documents are."""
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
def test_items_that_are_nothing_to_rank_are_named(item, message):
    """A mistake is an error that says which item it is, and what to pass."""
    with pytest.raises(InvalidRequestError, match=message):
        contents(["A text", item])


class Audit:
    """Notes what Python reports of files, processes and the network while it listens."""

    touching = ("open", "os.", "socket.", "subprocess.", "urllib.", "shutil.", "glob.", "pathlib.")

    def __init__(self):
        self.listens = False
        self.events = []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        """Note an event."""
        if self.listens and event.startswith(self.touching):
            self.events.append((event, arguments))

    def __enter__(self):
        self.listens = True
        return self

    def __exit__(self, *_):
        self.listens = False


def test_nothing_is_opened_or_connected():
    """Whatever paths and addresses the documents hold, converting them touches none."""
    rows = [*IMAGES.values(), *FALSE_FRIENDS.values(), *UNSENDABLE.values()]
    documents = [Document(text, metadata=metadata) for text, metadata, _ in rows]
    items = [item for item, _ in ITEMS.values()]

    with Audit() as audit:
        contents(documents)
        contents(documents, image_keys=["image", "image_path", "source"], rank_fields=["source"])
        contents(items, rank_fields=["title"])

    assert audit.events == []
    with audit, Path(__file__).open("rb"):
        pass
    assert audit.events


def shortest(work):
    """Return the shortest time of several."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


@repeat_if_starved
def test_large_images_are_converted_in_little_time():
    """Converting an image of 5 MB takes a few times as long as decoding its base64 once."""
    data = PNG + random.Random(0).randbytes(5_000_000)
    documents = [
        Document(coded(data)),
        Document(uri(data)),
        Document("", metadata={"image": uri(data)}),
        Document("", metadata={"image": data}),
    ]
    decoding = shortest(lambda: base64.b64decode(coded(data), validate=True))

    for document in documents:
        assert shortest(lambda document=document: contents([document])) < 5 * decoding


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.binary(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from(["image", "image_url", "image_path", "source", "mime_type", "url", "type"])


@given(st.text(min_size=1), st.dictionaries(keys | st.text(), json_values))
def test_no_metadata_changes_what_a_text_is_ranked_by(text, metadata):
    """For any text that is no image itself, the text alone is ranked."""
    expected = [text]

    assert contents([Document(text, metadata=metadata)]) == expected


@given(st.dictionaries(keys, json_values))
def test_any_metadata_beside_no_text_can_be_read(metadata):
    """Whatever stores put into the known fields, there is an answer and no failure."""
    [content] = contents([Document("", metadata=metadata)])

    assert content == "" or isinstance(content, RerankDocument | LocalImageDocument | Unscorable)


def placement(*order):
    """What a ranking that was answered leads to."""
    ranking = Ranking(results=(), model="a/model", requests=())
    return Placement(order=tuple(Placed(*placed) for placed in order), ranking=ranking)


either = st.sampled_from(["A text about cats.", "cats", " ", uri(PNG), coded(PNG)])


@given(st.lists(st.builds(Document, either)))
def test_documents_are_read_one_by_one(documents):
    """What a document is ranked by does not depend on the documents beside it."""
    alone = [content for document in documents for content in contents([document])]

    assert contents(documents) == alone


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
def test_a_copy_is_what_pydantic_copies(fields, score):
    """A document comes back as `model_copy` makes it, in all of its state, and is left alone."""
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


class Cached(Document):
    """A document with a state of its own, as LangChain's filters make them."""

    state: object = None


def test_copies_keep_all_but_the_score():
    """The id, the subclass, its state and the very values of the metadata come back."""
    lock = object()
    document = Cached("A text", id="a", metadata={"lock": lock, "n": 1}, state={"vector": [1.0]})

    [result] = ranked([document], placement((0, 0.5)), score_key="relevance_score")

    assert result is not document
    assert type(result) is Cached
    assert (result.id, result.page_content, result.type) == ("a", "A text", "Document")
    assert result.state is document.state
    assert result.metadata == {"lock": lock, "n": 1, "relevance_score": 0.5}
    assert document.metadata == {"lock": lock, "n": 1}


def test_the_score_is_of_this_ranking_or_missing():
    """An earlier score is replaced, and removed from what was not ranked, but in copies only."""
    documents = [Document("a", metadata={"score": 9.0, "n": 1}) for _ in range(2)]

    results = ranked(documents, placement((1, 0.5), (0, None)), score_key="score")

    assert [result.metadata for result in results] == [{"score": 0.5, "n": 1}, {"n": 1}]
    assert [document.metadata["score"] for document in documents] == [9.0, 9.0]


@pytest.mark.parametrize("error", [None, ServiceUnavailableError("down")])
def test_what_was_not_ranked_comes_back_itself(error):
    """When nothing was asked, or the failure was passed through, the same objects return."""
    documents = [Document("a", metadata={"relevance_score": 0.9}), Document("b"), Document("c")]
    unranked = Placement(order=(Placed(0, None), Placed(1, None)), error=error)

    results = ranked(documents, unranked, score_key="relevance_score")

    assert [id(result) for result in results] == [id(document) for document in documents[:2]]
    assert results[0].metadata == {"relevance_score": 0.9}
