"""
Retrieve and rerank in the steps of a LlamaIndex workflow, for several questions concurrently.

    pip install llamaindex-openrouter-rerank
    python llamaindex_workflow.py "Which planet is the largest?" "What is near the Sun?"

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints.
"""

import asyncio
import sys
from typing import Any

from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step
from llamaindex_openrouter_rerank import OpenRouterRerank

PASSAGES = [
    "Mercury is the planet nearest to the Sun.",
    "Mars has the largest volcano of the solar system.",
    "Jupiter is the largest planet: more than all the others together.",
    "Saturn would float on water.",
]


class Retrieved(Event):
    """The nodes that the retriever found."""

    question: str
    nodes: list[NodeWithScore]


class Search(Workflow):
    """Retrieves many passages and keeps the best one."""

    def __init__(self, index: VectorStoreIndex, reranker: OpenRouterRerank) -> None:
        super().__init__(timeout=60)
        self.retriever = index.as_retriever(similarity_top_k=25)
        self.reranker = reranker

    @step
    async def retrieve(self, start: StartEvent) -> Retrieved:
        """Retrieve more passages than the result will have."""
        nodes = await self.retriever.aretrieve(start.question)
        return Retrieved(question=start.question, nodes=nodes)

    @step
    async def rerank(self, found: Retrieved) -> StopEvent:
        """Keep the best passage."""
        [best] = await self.reranker.apostprocess_nodes(found.nodes, query_str=found.question)
        return StopEvent(result=best)


async def main(questions: list[str]) -> None:
    """Print the best passage for each question."""
    nodes = [TextNode(text=passage) for passage in PASSAGES]
    # Use your own embedding model. These embeddings are all equal.
    index = VectorStoreIndex(nodes=nodes, embed_model=MockEmbedding(embed_dim=8))
    reranker = OpenRouterRerank(top_n=1)
    search = Search(index, reranker)
    runs = [search.run(question=question) for question in questions]
    results: list[Any] = await asyncio.gather(*runs)
    for question, best in zip(questions, results, strict=True):
        print(f"{question}\n    {best.score:.3f}  {best.node.get_content()}")
    await reranker.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or ["Which planet is the largest?", "What is near the Sun?"]))
