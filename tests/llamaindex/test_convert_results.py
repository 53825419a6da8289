"""Conversion of a placement to nodes: their order, their scores, and the retriever's scores."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import (
    Document,
    ImageNode,
    IndexNode,
    MediaResource,
    MetadataMode,
    Node,
    NodeWithScore,
    TextNode,
)
from llamaindex_openrouter_rerank._convert.nodes import ranked
from openrouter_rerank.errors import ServiceUnavailableError
from openrouter_rerank.ranking import RankedDocument, Ranking
from openrouter_rerank.reranker import Placed, Placement

from tests.llamaindex.converted_nodes import PNG, PNG_BASE64
from tests.llamaindex.custom_nodes import CustomNode

RETRIEVAL_SCORES = (0.25, None, 0.5)

scores = st.floats(allow_nan=False, allow_infinity=False)


@given(data=st.data(), size=st.integers(0, 12))
def test_the_result_has_the_same_nodes_in_new_items(data, size):
    """The result has the node objects in new items, with the order and scores of the placement."""
    nodes = [
        NodeWithScore(
            node=TextNode(text=str(position), metadata={"position": position}),
            score=data.draw(scores),
        )
        for position in range(size)
    ]
    order = data.draw(st.lists(st.sampled_from(range(size)), unique=True) if size else st.just([]))
    placed = tuple(Placed(position, data.draw(st.none() | scores)) for position in order)
    ranking = Ranking(results=(RankedDocument(0, 1.0),), model="model", requests=())
    before = [item.model_copy() for item in nodes]
    hashes = [item.node.hash for item in nodes]

    result = ranked(nodes, Placement(order=placed, ranking=ranking))

    assert [item.score for item in result] == [entry.relevance_score for entry in placed]
    for item, entry in zip(result, placed, strict=True):
        assert item is not nodes[entry.index]
        assert item.node is nodes[entry.index].node
    assert nodes == before
    assert [item.node.hash for item in nodes] == hashes


@pytest.mark.parametrize(
    "error", [None, ServiceUnavailableError("down")], ids=["nothing sent", "failed call"]
)
def test_unranked_items_keep_the_scores_of_the_retriever(error):
    """If nothing was sent or the call failed, the result has equal items, which are new."""
    nodes = [NodeWithScore(node=TextNode(text="a"), score=score) for score in RETRIEVAL_SCORES]
    order = tuple(Placed(position, None) for position in range(len(nodes)))

    result = ranked(nodes, Placement(order=order, error=error))

    assert result == nodes
    assert all(new is not old for new, old in zip(result, nodes, strict=True))


def test_an_object_that_is_no_node_keeps_its_place():
    """`model_construct` makes items that are not checked, and they are ranked like the others."""
    items = [
        NodeWithScore(node=TextNode(text="a")),
        NodeWithScore.model_construct(node=SimpleNamespace(text="b"), score=0.1),
    ]
    order = (Placed(1, 0.9), Placed(0, 0.5))
    ranking = Ranking(results=(RankedDocument(0, 1.0),), model="model", requests=())

    result = ranked(items, Placement(order=order, ranking=ranking))

    assert [item.node for item in result] == [items[1].node, items[0].node]
    assert [item.score for item in result] == [0.9, 0.5]


NODES_WITH_METADATA = [
    TextNode(text="a fox", metadata={"page": 3}),
    ImageNode(image=PNG_BASE64, text="a fox", metadata={"page": 3}),
    Node(text_resource=MediaResource(text="a fox"), metadata={"page": 3}),
    Document(text="a fox", metadata={"page": 3}, image_resource=MediaResource(data=PNG)),
    IndexNode(text="a fox", index_id="1", obj=TextNode(text="all"), metadata={"page": 3}),
    CustomNode(metadata={"page": 3}),
    TextNode(text="a fox", metadata={"page": 3, "retrieval_score": 0.1}),
    TextNode(
        text="a fox",
        metadata={"page": 3},
        excluded_llm_metadata_keys=["retrieval_score"],
        excluded_embed_metadata_keys=["page"],
    ),
]


@pytest.mark.parametrize("node", NODES_WITH_METADATA, ids=lambda node: type(node).__name__)
@pytest.mark.parametrize("retrieval_score", [0.25, None])
def test_the_score_of_the_retriever_can_be_kept(node, retrieval_score):
    """A kept retrieval score is in the metadata of a copy, unseen by prompts and embeddings."""
    dump, node_hash = node.model_dump(), node.hash
    texts = {mode: node.get_content(mode) for mode in (MetadataMode.EMBED, MetadataMode.LLM)}
    ranking = Ranking(results=(), model="model", requests=())
    placement = Placement(order=(Placed(0, 0.9),), ranking=ranking)

    (result,) = ranked(
        [NodeWithScore(node=node, score=retrieval_score)], placement, keep_retrieval_score=True
    )

    assert (result.score, result.node.metadata["retrieval_score"]) == (0.9, retrieval_score)
    assert result.node.metadata["page"] == 3
    assert (type(result.node), result.node_id) == (type(node), node.node_id)
    assert result.node.get_content(MetadataMode.NONE) == node.get_content(MetadataMode.NONE)
    if "retrieval_score" not in dump["metadata"]:
        assert {mode: result.node.get_content(mode) for mode in texts} == texts
    assert result.node.excluded_llm_metadata_keys.count("retrieval_score") == 1
    assert result.node.excluded_embed_metadata_keys.count("retrieval_score") == 1
    assert (node.model_dump(), node.hash) == (dump, node_hash)


def test_unranked_nodes_are_not_copied():
    """An unranked item keeps its score, so its node needs no copy."""
    item = NodeWithScore(node=TextNode(text="a fox"), score=0.25)

    (result,) = ranked([item], Placement(order=(Placed(0, None),)), keep_retrieval_score=True)

    assert result.node is item.node
    assert result.score == 0.25


def test_an_item_of_a_derived_class_keeps_its_class():
    """An item of a user's subclass of `NodeWithScore` keeps its class and its own fields."""

    class Cited(NodeWithScore):
        citation: str

    item = Cited(node=TextNode(text="a fox"), score=0.1, citation="[1]")
    ranking = Ranking(results=(), model="model", requests=())

    (result,) = ranked([item], Placement(order=(Placed(0, 0.9),), ranking=ranking))

    assert (type(result), result.citation, result.score) == (Cited, "[1]", 0.9)
    assert item.score == 0.1
