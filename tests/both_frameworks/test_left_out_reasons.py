"""The reasons why something was not ranked: fixed texts, which quote no document."""

import logging

import langchain_core.documents
import langchain_openrouter_rerank
import llamaindex_openrouter_rerank
import pytest
from llama_index.core.schema import ImageNode, TextNode
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError

VISION_MODEL = "nvidia/nemotron-3.5-rerank-8b:free"
MARKS = ["hostile1", "hostile2", "hostile3"]


def langchain_items(mark):
    """Return items of LangChain with an image that cannot be sent; their texts have a mark."""
    document = langchain_core.documents.Document
    return [
        {"type": mark, "base64": "AAAA"},
        {"type": "image", "url": f"{mark}://a"},
        [{"type": "image", "url": f"{mark}://a"}],
        [{"type": mark}],
        document("", metadata={"image": f"{mark}://a"}),
        document("", metadata={"image_path": f"{mark}.png"}),
        document(f"data:image/png;base64,{mark}!"),
        {"text": "a", "image": mark},
        {"text": "a", "image": f"{mark}.png"},
        {"text": "a", "image": f"data:image/{mark};base64,AAAA"},
        RerankDocument(text="a", image=mark),
        RerankDocument(text="a", image=f"data:image/{mark};base64,AAAA"),
    ]


def llamaindex_items(mark):
    """Return items of LlamaIndex with an image that cannot be sent; their texts have a mark."""
    image_node = type(mark, (ImageNode,), {})
    broken_node = type(mark, (TextNode,), {"get_content": lambda *_, **__: None})
    return [
        image_node(image=mark),
        image_node(text="a", image_url=f"{mark}://a"),
        broken_node(),
        ImageNode(image_path=f"{mark}.png"),
        {"text": "a", "image": mark},
        {"image": mark.encode()},
        RerankDocument(text="a", image=f"data:image/{mark};base64,AAAA"),
    ]


@pytest.mark.parametrize(
    ("package", "items_with"),
    [
        (langchain_openrouter_rerank, langchain_items),
        (llamaindex_openrouter_rerank, llamaindex_items),
    ],
    ids=["langchain", "llamaindex"],
)
def test_a_reason_quotes_no_document(package, items_with, local_openrouter, caplog):
    """Documents that differ only in their texts have the same reasons, so one call warns."""
    reranker = package.OpenRouterRerank(
        base_url=local_openrouter.base_url, api_key="k", model=VISION_MODEL
    )
    count = len(items_with(""))

    for at in range(count):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "openrouter_rerank"):
            for mark in MARKS:
                reranker.rerank([items_with(mark)[at], "a text"], "q")
        assert len(caplog.records) <= 1
        assert "hostile" not in caplog.text


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
@pytest.mark.parametrize(
    "package", [langchain_openrouter_rerank, llamaindex_openrouter_rerank], ids=["LC", "LI"]
)
def test_bytes_that_are_no_image_are_not_left_out_in_silence(
    package, wrap, local_openrouter, caplog
):
    """The text is ranked with a warning; `unscorable="raise"` raises an error."""
    options = {"base_url": local_openrouter.base_url, "api_key": "k", "model": VISION_MODEL}
    items = [{"text": "a", "image": wrap(b"no image")}, {"image": wrap(b"no image")}]

    ranking = package.OpenRouterRerank(**options).rerank(items, "q")

    assert [result.index for result in ranking] == [0]
    assert local_openrouter.requests[0].documents == ["a"]
    assert "1 of 2 documents are ranked by text alone" in caplog.text
    assert "1 of 2 documents had nothing to rank" in caplog.text
    with pytest.raises(InvalidRequestError, match="document 0 has an image that cannot be sent"):
        package.OpenRouterRerank(**options, unscorable="raise").rerank(items, "q")
