"""LlamaIndex's key-value stores keep scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.core.storage.kvstore import SimpleKVStore
from llamaindex_openrouter_rerank import KVScoreStore, OpenRouterRerank
from openrouter_rerank import ScoreStore

NODES = [NodeWithScore(node=TextNode(text=text)) for text in ("Bread", "Paris in France", "France")]


@given(st.lists(st.tuples(st.text(), st.binary()), max_size=80))
async def test_bytes_come_back_in_the_order_of_their_keys(pairs):
    """Any bytes are kept, in synchronous and in asynchronous code alike; the rest is missing."""
    store = KVScoreStore(SimpleKVStore())
    wanted = dict(pairs)
    keys = [*wanted, "another", *wanted]
    values = [*wanted.values(), wanted.get("another"), *wanted.values()]

    store.mset(pairs)
    assert store.mget(keys) == await store.amget(keys) == values

    again = KVScoreStore(SimpleKVStore())
    await again.amset(pairs)
    assert again.mget(keys) == values


def test_scores_have_a_collection_of_their_own():
    """What else is in the store stays out of it, and a collection can be named."""
    kvstore = SimpleKVStore()
    store = KVScoreStore(kvstore)

    store.mset([("key", b"value")])

    assert isinstance(store, ScoreStore)
    assert kvstore.to_dict() == {"openrouter_rerank_scores": {"key": {"value": "value"}}}
    assert KVScoreStore(kvstore, collection="mine").mget(["key"]) == [None]


@pytest.mark.parametrize("entry", [{}, {"value": None}, {"value": 5}, {"value": "\u20ac"}])
def test_foreign_entries_are_no_scores(entry):
    """What somebody else has put there is missing, or at most no score."""
    kvstore = SimpleKVStore({"openrouter_rerank_scores": {"key": entry}})

    assert KVScoreStore(kvstore).mget(["key"]) in ([None], [b"?"])


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_a_persisted_store_knows_the_scores(local_openrouter, tmp_path, mode):
    """Scores that were written to a file are known to the reranker that reads it."""
    file = str(tmp_path / "scores.json")
    options = {"base_url": local_openrouter.base_url, "api_key": local_openrouter.api_key}

    async def rerank(kvstore):
        reranker = OpenRouterRerank(score_store=KVScoreStore(kvstore), **options)
        if mode == "sync":
            return reranker.postprocess_nodes(NODES, query_str="France")
        return await reranker.apostprocess_nodes(NODES, query_str="France")

    kvstore = SimpleKVStore()
    first = await rerank(kvstore)
    kvstore.persist(file)
    second = await rerank(SimpleKVStore.from_persist_path(file))

    assert [item.node.node_id for item in second] == [item.node.node_id for item in first]
    assert [item.score for item in second] == [item.score for item in first]
    assert len(local_openrouter.requests) == 1
    assert "France" not in (tmp_path / "scores.json").read_text()
