"""Read by the type checkers, never executed: what users of the LlamaIndex package may write."""

from pathlib import Path
from typing import assert_type

import httpx
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore
from llama_index.core.storage.kvstore import SimpleKVStore
from llamaindex_openrouter_rerank import KVScoreStore, OpenRouterRerank
from openrouter_rerank import Budget, ProviderPreferences, Ranking
from pydantic import SecretStr


def title(item: NodeWithScore) -> str | None:
    """Say what is ranked of a node."""
    found: object = item.node.metadata.get("title")
    return found if isinstance(found, str) else None


def noted(ranking: Ranking) -> None:
    """Count a ranking."""


def options() -> None:
    """Options are taken under all of their names, as people write them."""
    preferences: ProviderPreferences = {"sort": "price"}
    OpenRouterRerank(api_key="k", base_url="https://example.com", top_n=3, budget=0.5)
    OpenRouterRerank(openrouter_api_key=SecretStr("k"), api_base="https://example.com")
    OpenRouterRerank(model_name="a/b", fallback_models=["a/c"], app_categories=["rag"])
    OpenRouterRerank(provider=preferences, trace={"id": 1}, extra_body={"new": [1]})
    OpenRouterRerank(image_root="/pictures", budget=Budget(1), on_response=noted)
    OpenRouterRerank(image_root=Path("/pictures"), http_client=httpx.Client())
    OpenRouterRerank(metadata_mode="none", document_fn=title, keep_retrieval_score=True)
    OpenRouterRerank(metadata_mode=MetadataMode.NONE)
    OpenRouterRerank(score_store=KVScoreStore(SimpleKVStore()), score_ttl=60)


async def calls(nodes: list[NodeWithScore]) -> None:
    """Call in every way."""
    reranker = OpenRouterRerank()
    postprocessor: BaseNodePostprocessor = reranker
    postprocessor.postprocess_nodes(nodes, query_str="?")
    assert_type(reranker.postprocess_nodes(nodes, query_str="?"), list[NodeWithScore])
    assert_type(await reranker.apostprocess_nodes(nodes, query_str="?"), list[NodeWithScore])
    assert_type(reranker.model, str)
    assert_type(reranker.fallback_models, tuple[str, ...])
    with reranker as opened:
        assert_type(opened, OpenRouterRerank)


def mistakes() -> None:
    """Type checkers find what would be refused."""
    OpenRouterRerank(topn=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OpenRouterRerank(timeout="30")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
