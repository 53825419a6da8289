"""Scores in LlamaIndex's key-value stores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.storage.kvstore import SimpleKVStore
from llamaindex_openrouter_rerank import KVScoreStore
from openrouter_rerank import ScoreStore

from tests.passages import scored_nodes


@given(st.lists(st.tuples(st.text(), st.binary()), max_size=80))
async def test_stored_bytes_are_returned_in_the_order_of_the_keys(pairs):
    """The sync and async methods return any stored bytes in the order of the keys."""
    store = KVScoreStore(SimpleKVStore())
    stored = dict(pairs)
    keys = [*stored, "another", *stored]
    values = [*stored.values(), stored.get("another"), *stored.values()]

    store.mset(pairs)
    assert store.mget(keys) == await store.amget(keys) == values

    async_store = KVScoreStore(SimpleKVStore())
    await async_store.amset(pairs)
    assert async_store.mget(keys) == values


def test_scores_have_their_own_collection():
    """Scores are stored in their own collection of the store, whose name can be chosen."""
    kvstore = SimpleKVStore()
    store = KVScoreStore(kvstore)

    store.mset([("key", b"value")])

    assert isinstance(store, ScoreStore)
    assert kvstore.to_dict() == {"openrouter_rerank_scores": {"key": {"value": "value"}}}
    assert KVScoreStore(kvstore, collection="mine").mget(["key"]) == [None]


@pytest.mark.parametrize(
    "entry",
    [{}, {"value": None}, {"value": 5}, {"value": "\u20ac"}],
    ids=["empty", "None", "number", "not Latin-1"],
)
def test_entries_of_other_programs_are_no_scores(entry):
    """An entry that another program stored is returned as missing or as an invalid score."""
    kvstore = SimpleKVStore({"openrouter_rerank_scores": {"key": entry}})

    assert KVScoreStore(kvstore).mget(["key"]) in ([None], [b"?"])


async def test_a_loaded_store_has_the_scores(
    make_reranker, postprocess, local_openrouter, tmp_path
):
    """A reranker takes its scores from a store that was written to a file and loaded from it."""
    file = str(tmp_path / "scores.json")
    nodes = scored_nodes("Bread", "Paris in France", "France")

    async def rerank(kvstore):
        reranker = make_reranker(score_store=KVScoreStore(kvstore))
        return await postprocess(reranker, nodes, query_str="France")

    kvstore = SimpleKVStore()
    first = await rerank(kvstore)
    kvstore.persist(file)
    second = await rerank(SimpleKVStore.from_persist_path(file))

    assert [item.node.node_id for item in second] == [item.node.node_id for item in first]
    assert [item.score for item in second] == [item.score for item in first]
    assert len(local_openrouter.requests) == 1
    assert "France" not in (tmp_path / "scores.json").read_text()
