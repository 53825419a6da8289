"""The passage of an earlier ranking is not left in documents that are ranked without passages."""

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank

OLD = {"relevance_passage": {"start": 3, "end": 5, "is_cut": False}, "page": 1}


@pytest.fixture
def options(local_openrouter):
    """The options of a reranker that uses the local service."""
    return {"base_url": local_openrouter.base_url, "api_key": "k"}


def test_langchain_removes_an_earlier_passage_from_the_copies(options):
    """The copies have no old passage, and the documents that were passed in are unchanged."""
    documents = [Document("a cat", metadata=OLD), Document(" ", metadata=OLD)]

    found = LangChainRerank(**options).compress_documents(documents, "a cat")
    unranked = LangChainRerank(**options).compress_documents(documents, " ")

    assert [document.metadata for document in found] == [
        {"page": 1, "relevance_score": 1.0},
        {"page": 1},
    ]
    assert [document.metadata for document in documents] == [OLD] * 2
    assert unranked == documents


@pytest.mark.parametrize("keep", [False, True])
def test_llamaindex_removes_an_earlier_passage_from_copies(options, keep):
    """A node with an old passage is replaced by a copy; other nodes are the same objects."""
    nodes = [TextNode(text="a cat", metadata=OLD), TextNode(text="a", metadata={"page": 2})]
    items = [NodeWithScore(node=node, score=0.5) for node in nodes]
    reranker = LlamaIndexRerank(**options, keep_retrieval_score=keep)

    found = reranker.postprocess_nodes(items, query_str="a cat")

    kept = {"retrieval_score": 0.5} if keep else {}
    assert [item.node.metadata for item in found] == [{"page": 1} | kept, {"page": 2} | kept]
    assert (nodes[0].metadata, items[0].node) == (OLD, nodes[0])
    assert (found[1].node is nodes[1]) is not keep
