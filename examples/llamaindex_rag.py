"""
Answer a question from documents (RAG) with LlamaIndex: retrieve, rerank, generate.

    pip install llamaindex-openrouter-rerank
    python llamaindex_rag.py "How many days of holiday do employees have?"

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints.
"""

import sys

from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.schema import TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank

HANDBOOK = [
    "Parking permits are handed out at the gate.",
    "Requests for holiday are made in the staff portal.",
    "The canteen serves lunch from noon to two.",
    "Employees have 30 days of holiday a year.",
    "The heating is repaired by the caretaker, Ms Keller, on extension 17.",
    "Visitors sign in at the reception.",
]


def main(question: str) -> None:
    """Print the passages for `question`, with their ranks before reranking, and the response."""
    nodes = [TextNode(id_=str(at), text=passage) for at, passage in enumerate(HANDBOOK)]
    # Use your own embedding model. These embeddings are all equal.
    index = VectorStoreIndex(nodes=nodes, embed_model=MockEmbedding(embed_dim=8))
    before = [item.node_id for item in index.as_retriever(similarity_top_k=25).retrieve(question)]

    engine = index.as_query_engine(
        similarity_top_k=25,
        node_postprocessors=[OpenRouterRerank(top_n=3)],
        llm=MockLLM(),  # Use your own LLM. This one returns its prompt.
    )
    response = engine.query(question)
    for rank, item in enumerate(response.source_nodes, start=1):
        was = before.index(item.node_id) + 1
        print(f"{rank} (was {was})  {item.score:.3f}  {item.node.get_content()}")
    print(f"\nResponse:\n{response}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "How many days of holiday do employees have?")
