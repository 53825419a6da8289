"""The own text of what `rerank` accepts, in which passages have their positions."""

import pytest
from llama_index.core.schema import ImageNode, NodeWithScore, TextNode
from llamaindex_openrouter_rerank._convert.items import item_text
from openrouter_rerank import RerankDocument

NODE = TextNode(text="a text", metadata={"title": "A title"})


class Broken(TextNode):
    """A node that fails to give its content."""

    def get_content(self, *_, **__):
        """Fail."""
        raise RuntimeError


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (NODE, "a text"),
        (NodeWithScore(node=NODE), "a text"),
        (ImageNode(text="a text", image_url="https://host/cat.png"), "a text"),
        (Broken(text="a text"), None),
        ({"text": "a text"}, "a text"),
        ({"image": "https://host/cat.png"}, None),
        (RerankDocument(text="a text"), "a text"),
        ("a text", "a text"),
        (5, None),
    ],
)
def test_the_text_of_an_item_is_without_metadata(item, text):
    """The text is that of the caller, without the metadata of a node."""
    assert item_text(item) == text
