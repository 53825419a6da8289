"""
What users of the LlamaIndex package may write.

Type checkers read this file. It is never executed.
"""

from pathlib import Path
from typing import assert_type

import httpx
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from llama_index.core.storage.kvstore import SimpleKVStore
from llamaindex_openrouter_rerank import KVScoreStore, OpenRouterRerank
from openrouter_rerank import Budget, ProviderPreferences, Ranking, RerankDocument
from pydantic import SecretStr


def title(item: NodeWithScore) -> str | None:
    """Return the text of a node that is ranked."""
    found: object = item.node.metadata.get("title")
    return found if isinstance(found, str) else None


def on_response(ranking: Ranking) -> None:
    """Receive a ranking."""


def options() -> None:
    """Pass options under all of their names, with the types that users write."""
    preferences: ProviderPreferences = {"sort": "price"}
    OpenRouterRerank(api_key="k", base_url="https://example.com", top_n=3, budget=0.5)
    OpenRouterRerank(openrouter_api_key=SecretStr("k"), api_base="https://example.com")
    OpenRouterRerank(model_name="a/b", fallback_models=["a/c"], app_categories=["rag"])
    OpenRouterRerank(provider=preferences, trace={"id": 1}, extra_body={"new": [1]})
    OpenRouterRerank(image_root="/pictures", budget=Budget(1), on_response=on_response)
    OpenRouterRerank(image_root=Path("/pictures"), http_client=httpx.Client())
    OpenRouterRerank(metadata_mode="none", document_fn=title, keep_retrieval_score=True)
    OpenRouterRerank(metadata_mode=MetadataMode.NONE)
    OpenRouterRerank(score_store=KVScoreStore(SimpleKVStore()), score_ttl=60)


async def calls(nodes: list[NodeWithScore]) -> None:
    """Use every method that makes a call."""
    reranker = OpenRouterRerank()
    postprocessor: BaseNodePostprocessor = reranker
    postprocessor.postprocess_nodes(nodes, query_str="?")
    assert_type(reranker.postprocess_nodes(nodes, query_str="?"), list[NodeWithScore])
    assert_type(await reranker.apostprocess_nodes(nodes, query_str="?"), list[NodeWithScore])
    items = ["a", {"text": "b"}, nodes[0], nodes[0].node, RerankDocument(text="c")]
    assert_type(reranker.rerank(items, "?", top_n=1, timeout=5, user="u"), Ranking)
    assert_type(await reranker.arerank(nodes, QueryBundle("?"), app_title="a"), Ranking)
    assert_type(reranker.model, str)
    assert_type(reranker.fallback_models, tuple[str, ...])
    with reranker as opened:
        assert_type(opened, OpenRouterRerank)


def mistakes() -> None:
    """Type checkers find the arguments that the class refuses."""
    OpenRouterRerank().rerank([], "?", topn=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OpenRouterRerank(topn=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OpenRouterRerank(timeout="30")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
