"""
Rerank what a vector store finds, and show the orders before and after.

    python examples/langchain_retrieval.py "Which planet is the largest?"

It needs `pip install langchain-openrouter-rerank langchain-classic numpy` and a key in
OPENROUTER_API_KEY. The embeddings are random numbers, so that the example runs without a model. Use
real ones.
"""

import sys

from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank

PASSAGES = [
    "Mercury is the planet nearest to the Sun.",
    "Venus turns the other way round.",
    "Mars has the largest volcano of the solar system.",
    "Jupiter is the largest planet: more than all the others together.",
    "Saturn would float on water.",
    "Neptune was found by calculation.",
]


def main(question: str) -> None:
    """Print the reranked passages for `question`, each with its rank before reranking."""
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=32))
    store.add_texts(PASSAGES)
    retriever = store.as_retriever(search_kwargs={"k": len(PASSAGES)})
    reranked = ContextualCompressionRetriever(
        base_compressor=OpenRouterRerank(on_response=lambda ranking: print(ranking.usage, "\n")),
        base_retriever=retriever,
    )
    before = [document.page_content for document in retriever.invoke(question)]
    for rank, document in enumerate(reranked.invoke(question), start=1):
        score = document.metadata["relevance_score"]
        was = before.index(document.page_content) + 1
        print(f"{rank} (was {was})  {score:.3f}  {document.page_content}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Which planet is the largest?")
