"""The results of `document_fn`: what is ranked in place of the node, and what is refused."""

import pytest
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode
from llamaindex_openrouter_rerank._convert.nodes import contents
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.reranker import Unscorable

from tests.llamaindex.converted_nodes import PNG_BASE64, PNG_URI, URL


@pytest.mark.parametrize(
    ("returned", "content"),
    [
        ("a fox", "a fox"),
        ("", ""),
        ({"text": "a fox"}, RerankDocument(text="a fox")),
        ({"image": URL}, RerankDocument(image=URL)),
        ({"text": "a fox", "image": PNG_BASE64}, RerankDocument(text="a fox", image=PNG_URI)),
        ({"text": None, "image": None}, RerankDocument()),
        ({"image": "no image!"}, RerankDocument(image="no image!")),
        ({}, RerankDocument()),
        (RerankDocument(text="a fox", image=PNG_URI), RerankDocument(text="a fox", image=PNG_URI)),
        (None, Unscorable("document_fn found nothing to rank")),
    ],
    ids=[
        "text",
        "blank text",
        "mapping with a text",
        "mapping with a URL",
        "mapping with a text and base64",
        "mapping with None",
        "mapping with an invalid image",
        "empty mapping",
        "document",
        "None",
    ],
)
def test_document_fn_chooses_what_is_ranked(returned, content):
    """The result of `document_fn` is ranked instead of the node, with base64 as a data URI."""
    item = NodeWithScore(node=TextNode(text="not ranked"), score=0.5)
    passed = []

    def document_fn(item):
        passed.append(item)
        return returned

    converted = contents([item], metadata_mode=MetadataMode.EMBED, document_fn=document_fn)

    assert converted == [content]
    assert passed == [item]
    assert passed[0] is item


@pytest.mark.parametrize(
    "returned",
    [7, b"a fox", ["a fox"], {"text": 7}, {"image": 7}, {"txt": "a fox"}, {7: "a fox"}],
    ids=[
        "number",
        "bytes",
        "list",
        "number as text",
        "number as image",
        "unknown key",
        "number as key",
    ],
)
def test_an_invalid_result_of_document_fn_is_refused(returned):
    """An invalid result of `document_fn` raises an error with the position, but no text."""
    items = [NodeWithScore(node=TextNode(text=text)) for text in "ab"]
    documents = {"a": "a fox", "b": returned}

    with pytest.raises(InvalidRequestError, match=r"nodes\[1\].*return a string") as raised:
        contents(
            items,
            metadata_mode=MetadataMode.EMBED,
            document_fn=lambda item: documents[item.node.text],
        )

    assert "fox" not in str(raised.value)
