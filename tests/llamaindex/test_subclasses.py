"""Subclasses of `OpenRouterRerank` that override its methods, in sync and async calls."""

import threading

import pytest
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank


class Sync(OpenRouterRerank):
    """A reranker that overrides the sync method, as LlamaIndex's postprocessors do."""

    def _postprocess_nodes(self, nodes, query_bundle=None):
        """Return the first node that the superclass returns, marked."""
        [first, *_] = super()._postprocess_nodes(nodes, query_bundle)
        first.metadata.setdefault("marks", []).append(threading.current_thread().name)
        return [first]


class Async(OpenRouterRerank):
    """A reranker that overrides the async method."""

    async def _apostprocess_nodes(self, nodes, query_bundle=None):
        """Return the first node that the superclass returns."""
        return (await super()._apostprocess_nodes(nodes, query_bundle))[:1]


class AsyncOfSync(Sync):
    """A subclass of `Sync` that overrides the async method."""

    async def _apostprocess_nodes(self, nodes, query_bundle=None):
        """Return what the superclass returns, twice."""
        return 2 * await super()._apostprocess_nodes(nodes, query_bundle)


class WithOption(OpenRouterRerank):
    """A subclass that overrides neither method."""

    note: str = "note"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Sync, {"sync": 1, "async": 1}),
        (Async, {"sync": 2, "async": 1}),
        (AsyncOfSync, {"sync": 1, "async": 2}),
        (WithOption, {"sync": 2, "async": 2}),
    ],
)
async def test_an_overridden_method_holds(kind, expected, mode, local_openrouter):
    """Sync and async calls use the overridden method once, and send one request."""
    reranker = kind(api_key=local_openrouter.api_key, base_url=local_openrouter.base_url)
    texts = ["Bread is baked.", "Paris is the capital of France."]
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in texts]

    if mode == "sync":
        found = reranker.postprocess_nodes(nodes, query_str="capital of France")
    else:
        found = await reranker.apostprocess_nodes(nodes, query_str="capital of France")

    assert found[0].text == texts[1]
    assert len(found) == expected[mode]
    assert len(local_openrouter.requests) == 1
    marks = found[0].metadata.get("marks", [])
    assert len(marks) == issubclass(kind, Sync)
    # An async call does not block the event loop with the sync method.
    assert (threading.current_thread().name in marks) == (mode == "sync" and bool(marks))
