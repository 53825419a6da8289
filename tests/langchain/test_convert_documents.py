"""Conversion of documents: what of each is ranked, from its text and its metadata."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.documents import contents
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import LocalImageDocument, Unscorable

from tests.durations import shortest_duration
from tests.langchain.converted_documents import (
    GS_LEFT_OUT,
    IMAGES,
    NO_IMAGES,
    PNG,
    UNSENDABLE_IMAGES,
    URL,
    encoded,
    image,
    params,
    uri,
)
from tests.langchain.metadata_values import metadata_values
from tests.starvation import repeat_if_starved


@pytest.mark.parametrize(("text", "metadata", "expected"), params(IMAGES))
def test_images_are_recognized(text, metadata, expected):
    """The converter finds the image of a document in each of these forms."""
    assert contents([Document(text, metadata=metadata)]) == [expected]


@pytest.mark.parametrize(("text", "metadata", "expected"), params(NO_IMAGES))
def test_other_values_are_not_images(text, metadata, expected):
    """A text remains a text with any metadata, and other values do not become an image."""
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


keys = st.sampled_from(["image", "image_url", "image_path", "source", "mime_type", "url", "type"])


@given(st.text().filter(str.strip), st.dictionaries(keys | st.text(), metadata_values))
def test_a_text_is_ranked_alone_with_any_metadata(text, metadata):
    """A text that is neither blank nor an image is ranked alone, with any metadata."""
    expected = [text]

    assert contents([Document(text, metadata=metadata)]) == expected


@given(st.dictionaries(keys, metadata_values))
def test_any_metadata_can_be_converted(metadata):
    """The converter accepts any values in the known fields of a document without a text."""
    [content] = contents([Document("", metadata=metadata)])

    assert content == "" or isinstance(content, RerankDocument | LocalImageDocument | Unscorable)


texts_and_images = st.sampled_from(["A text about cats.", "cats", " ", uri(PNG), encoded(PNG)])


@given(st.lists(st.builds(Document, texts_and_images)))
def test_documents_are_converted_independently(documents):
    """The content of a document does not depend on the other documents in the list."""
    one_by_one = [content for document in documents for content in contents([document])]

    assert contents(documents) == one_by_one


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
