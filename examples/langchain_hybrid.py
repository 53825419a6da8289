"""
Hybrid search with LangChain: fuse a keyword search and a vector search, then rerank.

    pip install langchain-openrouter-rerank langchain-classic bm25s numpy
    python langchain_hybrid.py "What does E-4102 mean?"

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints.
"""

import re
import sys

from bm25s import BM25
from langchain_classic.retrievers import EnsembleRetriever
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank

MANUAL = [
    "Press the button for five seconds to switch the printer off.",
    "Load paper into the lower tray.",
    "To replace the toner, open the front cover.",
    "The warranty covers two years.",
    "The printer uses 3 watts when it sleeps.",
    "Code E-4102: the toner is empty.",
    "A blinking light means that a document waits.",
    "Code F-17: the paper tray is open.",
]


def words(text: str) -> list[str]:
    """Return the words of `text`, in lower case."""
    return re.findall(r"[\w-]+", text.lower())


class BM25Retriever(BaseRetriever):
    """Finds texts by their words. Use the retriever of your search engine."""

    texts: list[str]
    k: int = 4

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        index = BM25()
        index.index([words(text) for text in self.texts], show_progress=False)
        best = index.get_scores(words(query)).argsort()[::-1]
        return [Document(self.texts[at]) for at in best[: self.k]]


def main(question: str) -> None:
    """Print the reranked passages for `question`, and which of the searches found them."""
    keywords = BM25Retriever(texts=MANUAL)
    # Use your own vector store. These embeddings are random numbers.
    store = InMemoryVectorStore.from_texts(MANUAL, DeterministicFakeEmbedding(size=32))
    vectors = store.as_retriever()

    hybrid = EnsembleRetriever(retrievers=[keywords, vectors], weights=[0.5, 0.5])
    retriever = OpenRouterRerank(top_n=3).as_retriever(hybrid, fetch_k=4)

    by_keywords = {found.page_content for found in keywords.invoke(question)}
    by_vectors = {found.page_content for found in vectors.invoke(question, k=4)}
    for rank, document in enumerate(retriever.invoke(question), start=1):
        text, score = document.page_content, document.metadata["relevance_score"]
        found_by = ["keywords"] * (text in by_keywords) + ["vectors"] * (text in by_vectors)
        print(f"{rank}  {score:.3f}  {text}  ({' and '.join(found_by)})")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "What does E-4102 mean?")
