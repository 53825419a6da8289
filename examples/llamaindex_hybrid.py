"""
Hybrid search with LlamaIndex: fuse a keyword search and a vector search, then rerank.

    pip install llamaindex-openrouter-rerank bm25s
    python llamaindex_hybrid.py "What does E-4102 mean?"

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints.
"""

import re
import sys

from bm25s import BM25
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import BaseRetriever, QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank

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
    """Finds nodes by their words. Use the retriever of your search engine."""

    def __init__(self, nodes: list[TextNode], *, k: int) -> None:
        super().__init__()
        self.nodes = nodes
        self.k = k
        self.index = BM25()
        self.index.index([words(node.text) for node in nodes], show_progress=False)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        scores = self.index.get_scores(words(query_bundle.query_str))
        best = scores.argsort()[::-1][: self.k]
        return [NodeWithScore(node=self.nodes[at], score=float(scores[at])) for at in best]


def main(question: str) -> None:
    """Print the reranked passages for `question`, and which of the searches found them."""
    nodes = [TextNode(id_=str(at), text=passage) for at, passage in enumerate(MANUAL)]
    keywords = BM25Retriever(nodes, k=4)
    # Use your own embedding model. These embeddings are all equal.
    index = VectorStoreIndex(nodes=nodes, embed_model=MockEmbedding(embed_dim=8))
    vectors = index.as_retriever(similarity_top_k=4)

    llm = MockLLM()  # Use your own LLM
    hybrid = QueryFusionRetriever(
        [keywords, vectors],
        llm=llm,
        mode=FUSION_MODES.RECIPROCAL_RANK,
        num_queries=1,  # Only the question itself
        similarity_top_k=8,
        use_async=False,
    )
    engine = RetrieverQueryEngine.from_args(
        hybrid, llm=llm, node_postprocessors=[OpenRouterRerank(top_n=3)]
    )

    by_keywords = {item.node_id for item in keywords.retrieve(question)}
    by_vectors = {item.node_id for item in vectors.retrieve(question)}
    for rank, item in enumerate(engine.query(question).source_nodes, start=1):
        found_by = ["keywords"] * (item.node_id in by_keywords)
        found_by += ["vectors"] * (item.node_id in by_vectors)
        print(f"{rank}  {item.score:.3f}  {item.get_content()}  ({' and '.join(found_by)})")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "What does E-4102 mean?")
