"""The own text of what `rerank` accepts, in which passages have their positions."""

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.items import own_text
from openrouter_rerank import RerankDocument


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Document("a text", metadata={"title": "A title"}), "a text"),
        ({"text": "a text", "image": "https://host/cat.png"}, "a text"),
        ({"image": "https://host/cat.png"}, None),
        ({"text": 5}, None),
        (RerankDocument(text="a text"), "a text"),
        (RerankDocument(image="https://host/cat.png"), None),
        ("a text", "a text"),
        ([{"type": "text", "text": "a text"}], None),
    ],
)
def test_the_text_of_an_item_is_without_metadata(item, text):
    """The text is that of the caller, without ranked metadata; blocks have no single text."""
    assert own_text(item) == text
