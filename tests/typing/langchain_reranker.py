"""
What users of the LangChain package may write.

Type checkers read this file. It is never executed.
"""

from collections.abc import Mapping
from typing import assert_type

from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import ConfigurableField, Runnable, RunnablePassthrough
from langchain_openrouter_rerank import OpenRouterRerank, OpenRouterRerankRetriever
from langchain_openrouter_rerank.middleware import RerankToolSelectorMiddleware
from openrouter_rerank import Ranking, RerankDocument
from pydantic import SecretStr


def title(document: Document) -> str | Mapping[str, object] | RerankDocument | None:
    """Convert a document to any of the types that are allowed."""
    found: object = document.metadata.get("title")
    return found if isinstance(found, str) else None


def options(search: Runnable[str, list[Document]]) -> None:
    """Pass options under all of their names, with the types that users write."""
    OpenRouterRerank(api_key="k", base_url="https://example.com", budget=0.5, image_root="/a")
    OpenRouterRerank(openrouter_api_key=SecretStr("k"), openrouter_api_base="https://example.com")
    OpenRouterRerank(model_name="a/b", openrouter_provider={"sort": "price"}, model_kwargs={})
    OpenRouterRerank(fallback_models=["a/c"], app_categories=["rag"], image_key=["photo", "scan"])
    OpenRouterRerank(rank_fields=["title"], document_converter=title, name="mine")
    OpenRouterRerankRetriever(base_retriever=search, k=3, tags=["rag"])
    OpenRouterRerank().as_retriever(search, fetch_k=50, top_n=3)
    RerankToolSelectorMiddleware(max_tools=8, always_include="search", on_failure="none")
    RerankToolSelectorMiddleware(max_tools=None, on_failure=["search"])


def mistakes(search: Runnable[str, list[Document]]) -> None:
    """Type checkers find the arguments that the classes refuse."""
    OpenRouterRerank().rerank([], "?", topn=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OpenRouterRerank(topn=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OpenRouterRerankRetriever(base_retriever=search, n=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OpenRouterRerank().as_retriever(search, n=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    RerankToolSelectorMiddleware(max_tools=8, on_failure="search")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def calls(documents: list[Document], search: Runnable[str, list[Document]]) -> None:
    """Use every method that makes a call."""
    reranker = OpenRouterRerank(
        model="cohere/rerank-v3.5", top_n=3, rank_fields=("title",), document_converter=title
    )
    compressor: BaseDocumentCompressor = reranker
    chain: Runnable[str, list[Document]] = {
        "query": RunnablePassthrough[str](),
        "documents": search,
    } | reranker
    assert_type(reranker.compress_documents(documents, "?", top_n=None), list[Document])
    assert_type(await reranker.acompress_documents(documents, "?", model="a/b"), list[Document])
    assert_type(reranker.invoke({"query": "?", "documents": documents}), list[Document])
    assert_type(reranker.rerank(["a", {"text": "b"}, documents[0]], "?"), Ranking)
    assert_type(await reranker.arerank(documents, "?", score_threshold=0.5), Ranking)
    reranker.compress_documents(documents, "?", timeout=5, max_retries=0, user="u", app_title="a")
    reranker.rerank(documents, "?", provider={"only": ["a"]}, extra_headers={"X-Tenant": "a"})
    assert_type(reranker.as_retriever(search, top_n=3), OpenRouterRerankRetriever)
    reranker.configurable_fields(top_n=ConfigurableField("top_n"))
    with reranker as opened:
        assert_type(opened, OpenRouterRerank)
    compressor.compress_documents(documents, "?")
    assert_type(chain.invoke("?"), list[Document])
