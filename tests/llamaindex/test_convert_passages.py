"""The passage of an earlier ranking in the metadata of nodes."""

import pytest
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_openrouter_rerank._convert.nodes import add_passages, ranked
from openrouter_rerank.ranking import Passage, RankedDocument, Ranking
from openrouter_rerank.reranker import Placed, Placement

OLD = {"relevance_passage": {"start": 3, "end": 5, "is_cut": False}, "page": 1}
RANKING = Ranking(results=(RankedDocument(0, 0.5),), model="a/b", requests=(), attempts=1)
PLACEMENT = Placement(order=(Placed(1, 0.9), Placed(0, 0.5)), ranking=RANKING)


@pytest.mark.parametrize("keep", [False, True])
def test_a_node_with_an_earlier_passage_is_replaced_by_a_copy(keep):
    """The copy has the other metadata; the node and the item that were passed in keep theirs."""
    items = [
        NodeWithScore(node=TextNode(text="a", metadata=OLD)),
        NodeWithScore(node=TextNode(text="b")),
    ]

    other, found = ranked(items, PLACEMENT, keep_retrieval_score=keep)

    kept = {"retrieval_score": None} if keep else {}
    assert (other.node.metadata, found.node.metadata) == (kept, {"page": 1} | kept)
    assert found.node.node_id == items[0].node.node_id
    assert items[0].node.metadata == OLD


def test_a_node_without_a_passage_stays_the_same_object():
    """Next to a node with an earlier passage, the other nodes are those that were passed in."""
    items = [
        NodeWithScore(node=TextNode(text="a", metadata=OLD)),
        NodeWithScore(node=TextNode(text="b")),
    ]

    other, _ = ranked(items, PLACEMENT)

    assert other.node is items[1].node


@pytest.mark.parametrize("metadata", [None, 5, []])
def test_metadata_of_another_type_are_left_as_they_are(metadata):
    """`model_construct` makes nodes whose metadata are not checked."""
    node = TextNode.model_construct(text="a", metadata=metadata)
    items = [NodeWithScore.model_construct(node=node, score=0.1)] * 2

    assert [item.node for item in ranked(items, PLACEMENT)] == [node, node]


def test_a_passage_replaces_an_earlier_one():
    """Only the copy of the node with a passage has it."""
    items = [
        NodeWithScore(node=TextNode(text="a b", metadata=OLD)),
        NodeWithScore(node=TextNode(text="b")),
    ]
    placement = PLACEMENT._replace(passages={0: Passage(1, 2)})

    found = ranked(items, placement)
    add_passages(found, placement)

    passage = {"start": 1, "end": 2, "is_cut": False}
    assert found[1].node.metadata == {"page": 1, "relevance_passage": passage}
    assert found[0].node.metadata == {}
    assert items[0].node.metadata == OLD
