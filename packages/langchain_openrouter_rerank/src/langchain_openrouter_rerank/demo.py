"""The LangChain pipeline of `openrouter-rerank demo`: an in-memory vector store and a reranker."""

from collections.abc import Sequence
from contextlib import closing

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pipeline import Embed, Hit, Outcome, Pipeline, RerankerSettings

from .rerank import OpenRouterRerank


class _Embeddings(Embeddings):
    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self._embed(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._embed(text)


def rerank_with(passages: Sequence[Passage], embed: Embed) -> Pipeline:
    """
    Return a pipeline that searches `passages` in an `InMemoryVectorStore` and reranks the results.

    Args:
        passages: The documents of the vector store.
        embed: Returns the embedding of a text.
    """
    store = InMemoryVectorStore(_Embeddings(embed))
    store.add_documents(
        [Document(id=passage.id, page_content=passage.text) for passage in passages]
    )

    def pipeline(question: str, *, k: int, settings: RerankerSettings) -> Outcome:
        found = store.similarity_search_with_score(question, k=k)
        with closing(OpenRouterRerank(**settings)) as reranker:
            ranked = reranker.compress_documents([document for document, _ in found], question)
        return Outcome(
            retrieved=tuple(Hit(str(document.id), score) for document, score in found),
            reranked=tuple(
                Hit(str(document.id), document.metadata.get(reranker.score_key))
                for document in ranked
            ),
        )

    return pipeline
