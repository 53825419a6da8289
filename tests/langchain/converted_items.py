"""What `rerank` accepts in addition to documents, and what of each item is ranked."""

from pathlib import Path

from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import LocalImageDocument, Unscorable

from tests.langchain.converted_documents import GS_LEFT_OUT, PNG, URL, encoded, file, image, uri

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
    "blocks of a text and a thought": (
        [{"type": "reasoning", "text": "A dog?"}, {"type": "text", "text": "A cat"}],
        "A cat",
    ),
    "blocks of a text and of none": (
        [{"type": "text", "text": None}, {"type": "text", "text": "A cat"}],
        "A cat",
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
