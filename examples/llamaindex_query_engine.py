"""
Rerank the passages of a query engine, and show the orders before and after.

    python examples/llamaindex_query_engine.py "Which planet is the largest?"

It needs `pip install llamaindex-openrouter-rerank` and a key in OPENROUTER_API_KEY. The embeddings
and the LLM are mocks, so that the example runs without other models. Use real ones.
"""

import sys

from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.schema import TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank

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
    nodes = [TextNode(id_=str(at), text=passage) for at, passage in enumerate(PASSAGES)]
    index = VectorStoreIndex(nodes=nodes, embed_model=MockEmbedding(embed_dim=8))
    reranker = OpenRouterRerank(on_response=lambda ranking: print(ranking.usage, "\n"))
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=len(PASSAGES), node_postprocessors=[reranker]
    )
    before = [item.node_id for item in engine.retriever.retrieve(question)]
    for rank, item in enumerate(engine.query(question).source_nodes, start=1):
        was = before.index(item.node_id) + 1
        print(f"{rank} (was {was})  {item.score:.3f}  {item.node.get_content()}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Which planet is the largest?")
