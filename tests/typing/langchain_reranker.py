"""Read by the type checkers, never executed: what users of the LangChain package may write."""

from collections.abc import Mapping
from typing import assert_type

from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import ConfigurableField, Runnable, RunnablePassthrough
from langchain_openrouter_rerank import OpenRouterRerank, OpenRouterRerankRetriever
from openrouter_rerank import Ranking, RerankDocument


def title(document: Document) -> str | Mapping[str, object] | RerankDocument | None:
    """Convert a document in any of the ways that are allowed."""
    found: object = document.metadata.get("title")
    return found if isinstance(found, str) else None


async def calls(documents: list[Document], search: Runnable[str, list[Document]]) -> None:
    """Call in every way."""
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
    assert_type(reranker.as_retriever(search, top_n=3), OpenRouterRerankRetriever)
    reranker.configurable_fields(top_n=ConfigurableField("top_n"))
    with reranker as opened:
        assert_type(opened, OpenRouterRerank)
    compressor.compress_documents(documents, "?")
    assert_type(chain.invoke("?"), list[Document])
