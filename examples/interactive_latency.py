"""
Rerank while a user waits: at most one second, a fallback model, and never an error page.

    pip install langchain-openrouter-rerank
    python interactive_latency.py

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints. Stop the server and run the
program again: it prints the documents in the retriever's order.

`OpenRouterRerank` of LlamaIndex has the same options.
"""

import logging
import time

from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank import Ranking

FOUND = [
    Document("Requests for holiday are made in the staff portal."),
    Document("The canteen serves lunch from noon to two."),
    Document("Employees have 30 days of holiday a year."),
]


def report(ranking: Ranking) -> None:
    """Print which model ranked, and whose."""
    print("ranked by", ranking.model, "of", ranking.provider)


def main() -> None:
    """Print the documents, reranked if that is possible within a second."""
    logging.basicConfig(format="%(message)s")  # on_error="passthrough" logs a warning
    reranker = OpenRouterRerank(
        model="cohere/rerank-v3.5",
        fallback_models=["mongodb/rerank-3-lite"],  # Tried in the time that the first one leaves
        timeout=1.0,  # Seconds for the whole call, with both models
        max_retries=0,  # There is no time for a second attempt
        on_error="passthrough",  # If both fail: the retriever's order. Wrong options still raise
        on_response=report,
    )
    start = time.perf_counter()
    documents = reranker.compress_documents(FOUND, "How many days of holiday do employees have?")
    print(f"{time.perf_counter() - start:.1f} s")
    for document in documents:
        score = document.metadata.get("relevance_score")
        print("  -  " if score is None else f"{score:.3f}", document.page_content)


if __name__ == "__main__":
    main()
