"""Conversion of the items of `rerank` to documents, and to nodes for handlers."""

import pytest
from llama_index.core.schema import ImageNode, MetadataMode, NodeWithScore, TextNode
from llamaindex_openrouter_rerank._convert.items import items_contents, shown_nodes, shown_result
from llamaindex_openrouter_rerank._convert.nodes import have_images
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.reranker import Placed, Placement, Unscorable, WithoutImage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PNG_URI = "data:image/png;base64,iVBORw0KGgo" + "A" * 53
URL = "https://example.com/paris.png"
NODE = TextNode(id_="node", text="A node", metadata={"page": 1})
SCORED = NodeWithScore(node=NODE, score=0.5)


def content(item, *, metadata_mode=MetadataMode.NONE, document_fn=None):
    """Return what of one item is ranked."""
    (found,) = items_contents([item], metadata_mode=metadata_mode, document_fn=document_fn)
    return found


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("A text", "A text"),
        (NODE, "A node"),
        (SCORED, "A node"),
        (ImageNode(id_="image", image_url=URL), RerankDocument(image=URL)),
        ({"text": "a"}, RerankDocument(text="a")),
        ({"text": "a", "image": URL}, RerankDocument(text="a", image=URL)),
        ({"image": PNG}, RerankDocument(image=PNG_URI)),
        ({}, RerankDocument()),
        (RerankDocument(text="a", image=URL), RerankDocument(text="a", image=URL)),
        (RerankDocument(image="no image"), RerankDocument(image="no image")),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_of_an_item_is_ranked(item, expected):
    """Texts, nodes, mappings and documents are converted to what is ranked of them."""
    assert content(item) == expected


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_bytes_of_every_type_are_images_or_the_reason_is_known(wrap):
    """Bytes of an image are sent; of other bytes the text is ranked, or the reason is known."""
    reason = "the bytes are not an image"

    for make in (dict, RerankDocument):
        assert content(make(text="a", image=wrap(PNG))) == RerankDocument(text="a", image=PNG_URI)
        for data in (b"no image", b""):
            kept = content(make(text="a", image=wrap(data)))
            assert kept == WithoutImage(text="a", reason=reason)
            assert content(make(text=" ", image=wrap(data))) == Unscorable(reason)
            assert content(make(image=wrap(data))) == Unscorable(reason)


def test_bytes_of_document_fn_that_are_no_image_have_the_same_reason():
    """What `document_fn` returns is treated as an item is."""
    found = content(NODE, document_fn=lambda _: {"text": "a", "image": b"no image"})

    assert found == WithoutImage(text="a", reason="the bytes are not an image")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("a text", False),
        (NODE, False),
        (SCORED, False),
        ({"text": "a", "image": None}, False),
        (RerankDocument(text="a"), False),
        (5, False),
        ({"image": URL}, True),
        (RerankDocument(image=URL), True),
        (ImageNode(id_="image"), True),
        (NodeWithScore(node=ImageNode(id_="image")), True),
    ],
    ids=str,
)
def test_items_with_images_to_check_are_found_without_conversion(item, expected):
    """An item may have an image if a field for one is set, even if it holds none."""
    assert have_images([item]) is expected
    assert have_images(["a", SCORED, item, NODE]) is expected


def test_the_rules_for_nodes_are_not_for_other_items():
    """`metadata_mode` and `document_fn` are for the nodes, in their positions in the list."""
    items = ["a", NODE, {"text": "b"}, SCORED]

    with_metadata = items_contents(items, metadata_mode=MetadataMode.ALL, document_fn=None)
    converted = items_contents(
        items, metadata_mode=MetadataMode.NONE, document_fn=lambda item: f"{item.score}"
    )

    assert ["".join(with_metadata[at]) for at in (1, 3)] == ["page: 1\n\nA node"] * 2
    assert converted == ["a", "None", RerankDocument(text="b"), "0.5"]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (5, r"documents\[0\] is of type int: pass a string, a node"),
        ({"content": "a"}, r"documents\[0\] has the unknown key 'content'"),
        ({"text": 5}, r"text of documents\[0\] is of type int"),
        (RerankDocument(image=5), r"image of documents\[0\] is of type int"),
    ],
    ids=str,
)
def test_an_item_that_cannot_be_ranked_is_refused(item, text):
    """The error names the position and the type, and says what to pass instead."""
    with pytest.raises(InvalidRequestError, match=text):
        content(item)


def test_handlers_get_items_as_nodes():
    """Handlers get the text of each item, and of the results the scores too."""
    items = ["a", NODE, SCORED, {"text": "b"}, {"image": URL}, RerankDocument(text="c")]

    nodes = shown_nodes(items)
    order = (Placed(1, 0.9), Placed(0, 0.1), Placed(4, None))
    result = shown_result(items, Placement(order=order))

    assert [item.node.text for item in nodes] == ["a", "A node", "A node", "b", "", "c"]
    assert (nodes[1].node, nodes[2]) == (NODE, SCORED)
    assert [(item.node.text, item.score) for item in result] == [("A node", 0.9), ("a", 0.1)]
    assert SCORED.score == 0.5
