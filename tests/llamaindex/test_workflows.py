"""Reranking in a step of a user's workflow, and in an evaluation."""

import pytest
from llama_index.core.evaluation import RetrieverEvaluator
from llama_index.core.schema import TextNode
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step

from tests.passages import BEST, PASSAGES, QUERY


class NodesRetrieved(Event):
    """The result of the first step: a query and its retrieved nodes."""

    nodes: list
    query: str


class Search(Workflow):
    """A workflow that retrieves nodes and reranks them."""

    def __init__(self, retriever, reranker):
        super().__init__(timeout=30)
        self.retriever = retriever
        self.reranker = reranker

    @step
    async def retrieve(self, start: StartEvent) -> NodesRetrieved:
        """Retrieve nodes for the query."""
        return NodesRetrieved(nodes=await self.retriever.aretrieve(start.query), query=start.query)

    @step
    async def rerank(self, retrieved: NodesRetrieved) -> StopEvent:
        """Rerank the nodes, and return the texts of the best."""
        best = await self.reranker.apostprocess_nodes(retrieved.nodes, query_str=retrieved.query)
        return StopEvent(result=[item.text for item in best])


async def test_a_step_of_a_workflow_reranks(index, make_reranker):
    """A step of a workflow can await the async method of a reranker."""
    search = Search(index.as_retriever(similarity_top_k=3), make_reranker(top_n=1))

    assert await search.run(query=QUERY) == [BEST]


@pytest.mark.parametrize(
    ("is_reranked", "rank"), [(False, 3), (True, 1)], ids=["retrieved", "reranked"]
)
async def test_an_evaluator_measures_the_reranked_order(
    make_reranker, make_retriever, is_reranked, rank
):
    """LlamaIndex's evaluator, which calls the sync method in its event loop, uses the new order."""
    nodes = [TextNode(text=text) for text in PASSAGES]
    evaluator = RetrieverEvaluator.from_metric_names(
        ["mrr"],
        retriever=make_retriever(nodes),
        node_postprocessors=[make_reranker()] if is_reranked else [],
    )

    result = await evaluator.aevaluate(QUERY, expected_ids=[nodes[2].node_id])

    assert result.metric_vals_dict == {"mrr": pytest.approx(1 / rank)}
