"""Conversion of the items of `rerank` that are not documents."""

import pytest
from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from langchain_openrouter_rerank._convert.documents import contents
from openrouter_rerank.errors import InvalidRequestError

from tests.langchain.converted_documents import PDF, PNG, URL, encoded, image, params, uri
from tests.langchain.converted_items import ITEMS


@pytest.mark.parametrize(("item", "expected"), params(ITEMS))
def test_items_of_other_types_are_ranked(item, expected):
    """Strings, mappings, content blocks and images can be ranked without a document."""
    assert contents([item], rank_fields=["title"]) == [expected]


@pytest.mark.parametrize("kind", ["text", "text-plain", "input_text", "output_text"])
def test_a_text_block_needs_no_rank_fields(kind):
    """The text of a content block is ranked without its other keys, alone and in a list."""
    block = {"type": kind, "text": "A text"}

    assert contents([block, [block, block]]) == ["A text", "A textA text"]


def test_the_first_bytes_of_an_image_count_more_than_its_media_type():
    """A content block with the bytes of an image is that image, also if it says otherwise."""
    block = {"type": "media", "data": encoded(PNG), "mime_type": "application/pdf"}

    assert contents([block]) == [image(uri(PNG))]


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
        ({"type": "text", "text": 17}, r"text of documents\[1\] is of type int"),
    ],
)
def test_an_invalid_item_is_an_error(item, message):
    """The error has the position of the item and its type, its key or the number of its images."""
    with pytest.raises(InvalidRequestError, match=message):
        contents(["A text", item])
