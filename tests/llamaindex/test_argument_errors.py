"""Arguments that cannot be ranked are named before anything is sent."""

import pytest
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank import ConfigurationError, InvalidRequestError

NODE = NodeWithScore(node=TextNode(text="Paris is the capital of France."), score=0.5)
ONE_LIST = "pass a list, with one item for each node"
NODES = [
    (NODE, f"nodes is of type NodeWithScore: {ONE_LIST}"),
    (None, f"nodes is of type NoneType: {ONE_LIST}"),
    (
        [(NODE.node, 0.5)],
        "nodes[0] is a tuple: pass NodeWithScore(node=node, score=score) for each",
    ),
]
QUERIES = [(["a"], "list"), ({"query": "a"}, "dict"), (QueryBundle(None), "NoneType")]


@pytest.fixture
def reranker(local_openrouter):
    """A reranker of the local service."""
    return OpenRouterRerank(base_url=local_openrouter.base_url, api_key=local_openrouter.api_key)


@pytest.mark.parametrize(("nodes", "text"), NODES, ids=["one", "none", "scored"])
async def test_nodes_that_are_no_list_of_nodes(reranker, local_openrouter, nodes, text):
    """One node, `None` and tuples with scores are named, with what to pass instead."""
    with pytest.raises(InvalidRequestError) as in_sync:
        reranker.postprocess_nodes(nodes, query_str="q")
    with pytest.raises(InvalidRequestError) as in_async:
        await reranker.apostprocess_nodes(nodes, query_str="q")

    assert str(in_sync.value) == str(in_async.value) == text
    assert local_openrouter.requests == []


@pytest.mark.parametrize(("query", "kind"), QUERIES, ids=["list", "mapping", "none"])
async def test_a_query_that_is_no_string(reranker, query, kind):
    """A query of another type is named."""
    with pytest.raises(InvalidRequestError) as in_sync:
        reranker.postprocess_nodes([NODE], query)
    with pytest.raises(InvalidRequestError) as in_async:
        await reranker.apostprocess_nodes([NODE], query)

    assert str(in_sync.value) == str(in_async.value)
    assert str(in_sync.value) == (
        "query must be a string or a QueryBundle of one, got an object of type "
        f"{kind}: pass the question as query_str"
    )


def test_a_dump_is_loaded_without_a_key(monkeypatch):
    """A dump can be loaded where there is no key; the first call says that it is missing."""
    dumped = OpenRouterRerank(api_key="sk-any", top_n=2).to_json()
    monkeypatch.delenv("OPENROUTER_API_KEY")

    loaded = OpenRouterRerank.from_json(dumped, top_n=3)

    assert (loaded.top_n, OpenRouterRerank.model_validate_json(dumped).top_n) == (3, 2)
    with pytest.raises(ConfigurationError, match="no API key: set OPENROUTER_API_KEY"):
        loaded.postprocess_nodes([NODE], query_str="q")
