"""Reranking in the steps of a workflow of one's own, and in evaluation."""

import pytest
from llama_index.core.evaluation import RetrieverEvaluator
from llama_index.core.schema import TextNode
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step

BEST = "Paris is the capital of France."
QUERY = "capital of France"


class Found(Event):
    """What the first step has retrieved."""

    nodes: list
    query: str


class Search(Workflow):
    """Retrieves and reranks."""

    def __init__(self, retriever, reranker):
        super().__init__(timeout=30)
        self.retriever = retriever
        self.reranker = reranker

    @step
    async def retrieve(self, start: StartEvent) -> Found:
        """Fetch many."""
        return Found(nodes=await self.retriever.aretrieve(start.query), query=start.query)

    @step
    async def rerank(self, found: Found) -> StopEvent:
        """Keep the best."""
        best = await self.reranker.apostprocess_nodes(found.nodes, query_str=found.query)
        return StopEvent(result=[item.text for item in best])


async def test_a_step_of_a_workflow_reranks(index, reranker):
    """In a workflow, the asynchronous method is one more awaited call."""
    search = Search(index.as_retriever(similarity_top_k=3), reranker(top_n=1))

    assert await search.run(query=QUERY) == [BEST]


@pytest.mark.parametrize(("reranked", "rank"), [(False, 3), (True, 1)])
async def test_an_evaluator_measures_the_reranked_order(reranker, retriever_of, reranked, rank):
    """LlamaIndex's evaluator calls the synchronous method inside its loop."""
    nodes = [TextNode(text=text) for text in ("Bread is baked.", "Rome is old.", BEST)]
    evaluator = RetrieverEvaluator.from_metric_names(
        ["mrr"],
        retriever=retriever_of(nodes),
        node_postprocessors=[reranker()] if reranked else [],
    )

    result = await evaluator.aevaluate(QUERY, expected_ids=[nodes[2].node_id])

    assert result.metric_vals_dict == {"mrr": pytest.approx(1 / rank)}
