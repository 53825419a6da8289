"""The limits between what is an image and what is a word, a name or another file."""

import base64

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.documents import contents
from langchain_openrouter_rerank._convert.images import is_image_file
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.reranker import Unscorable

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(60))
TIFF = b"II*\x00" + bytes(range(100, 180))
URL = "https://example.com/cat"


def encoded(data):
    """Return the base64 of `data`."""
    return base64.b64encode(data).decode()


def of_field(value, **fields):
    """Return what is ranked of a document without text whose field `image` has this value."""
    return contents([Document("", metadata={"image": value, **fields})])[0]


def test_base64_of_31_bytes_is_the_shortest_image_as_a_text():
    """A text with 42 characters of base64 may be an image; one with 40 is a word."""
    shortest, word = encoded(PNG[:31]), encoded(PNG[:30])

    found = contents([Document(shortest), Document(word)])

    assert found == [RerankDocument(image=f"data:image/png;base64,{shortest}"), word]


def test_base64_of_44_characters_is_the_shortest_whose_media_type_counts():
    """A shorter value with a media type is a name, although it may decode."""
    shortest, name = encoded(TIFF[:33]), encoded(TIFF[:30])

    found = of_field(shortest, mime_type="image/tiff")

    assert found == RerankDocument(image=f"data:image/tiff;base64,{shortest}")
    assert of_field(name, mime_type="image/tiff") == ""


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".gif", ".webp", ".PNG"])
def test_an_image_file_is_known_by_its_suffix(suffix):
    """A path with the suffix of an image is an image file; a URL and other paths are not."""
    assert is_image_file(f"cat{suffix}")
    assert not is_image_file(f"gs://cat{suffix}")
    assert not is_image_file(f"cat{suffix}.txt")


def test_a_word_before_a_colon_is_a_scheme_if_it_has_at_most_ten_letters_and_digits():
    """A value with such a scheme is an address that cannot be sent; other values are texts."""
    assert isinstance(of_field("abcdefgh10://cat"), Unscorable)
    assert of_field("abcdefghi11://cat") == ""
    assert of_field("see a://cat") == ""
    assert of_field("://cat") == ""


@pytest.mark.parametrize(
    "media_type", ["image/png", "IMAGE/PNG", "application/octet-stream", "Application/Octet-Stream"]
)
def test_a_url_of_a_file_that_may_be_an_image_is_sent(media_type):
    """The block of a URL says that the file is an image, or bytes of any kind."""
    assert of_field({"type": "media", "mime_type": media_type, "url": URL}) == RerankDocument(
        image=URL
    )


@pytest.mark.parametrize("url", [URL, "http://example.com/cat", "HTTPS://example.com/cat"])
def test_a_url_of_another_file_is_not_sent(url):
    """The block of a URL says that the file is not an image."""
    assert of_field({"type": "media", "mime_type": "application/pdf", "url": url}) == ""


def test_the_type_of_a_block_counts_unless_it_is_a_field_to_rank():
    """A block with other fields to rank is an image; `type` may be a field of the user."""
    block = {"type": "image", "url": URL}

    assert contents([block], rank_fields=["title"]) == [RerankDocument(image=URL)]
    assert contents([block], rank_fields=["type"]) == ["type: image"]


@pytest.mark.parametrize(
    "name", ["image_mime_type", "image_mimetype", "mime_type", "mimetype", "media_type"]
)
def test_the_media_type_of_an_image_has_one_of_five_names(name):
    """A format without a known signature is known by the media type in another field."""
    data = encoded(b"unknown" + bytes(range(60)))

    assert of_field(data, **{name: "image/avif"}) == RerankDocument(
        image=f"data:image/avif;base64,{data}"
    )


def test_a_text_that_is_a_short_data_uri_is_damaged():
    """A data URI with only the signature of an image is not an image."""
    found = contents([Document("data:image/png;base64,iVBORw0KGgo=")])

    assert found == [Unscorable("the text is a damaged data URI")]
