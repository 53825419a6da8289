"""Conversion of the items of `rerank` that are not documents."""

import pytest
from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from langchain_openrouter_rerank._convert.documents import contents
from openrouter_rerank.errors import InvalidRequestError

from tests.langchain.converted_documents import PDF, URL, params
from tests.langchain.converted_items import ITEMS


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
