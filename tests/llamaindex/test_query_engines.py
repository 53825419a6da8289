"""The postprocessor in query engines of every kind, where most users of LlamaIndex put it."""

from llama_index.core.base.base_selector import SelectorResult, SingleSelection
from llama_index.core.indices.query.query_transform import HyDEQueryTransform
from llama_index.core.llms import MockLLM
from llama_index.core.postprocessor import (
    LongContextReorder,
    MetadataReplacementPostProcessor,
    SimilarityPostprocessor,
)
from llama_index.core.query_engine import (
    CitationQueryEngine,
    RetrieverQueryEngine,
    RouterQueryEngine,
    TransformQueryEngine,
)
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import TextNode
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import QueryEngineTool
from openrouter_rerank.local.stage import error

from tests.passages import BEST, PASSAGES, QUERY


class FirstChoiceSelector(LLMSingleSelector):
    """A selector that selects the first choice without asking its LLM."""

    def _select(self, choices, query):
        return SelectorResult(selections=[SingleSelection(index=0, reason="first")])

    async def _aselect(self, choices, query):
        return self._select(choices, query)


async def test_a_query_engine_answers_from_reranked_nodes(index, make_reranker, ask):
    """A query engine passes the best `top_n` of its retrieved nodes to its LLM, best first."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[make_reranker(top_n=2)]
    )

    response = await ask(engine)

    assert [node.score for node in response.source_nodes] == [1.0, 0.0]
    assert response.source_nodes[0].text == BEST
    assert str(response).index(BEST) < str(response).index(QUERY)


async def test_a_query_engine_streams_from_reranked_nodes(index, make_reranker, ask, mode):
    """A streamed answer of a query engine has reranked sources."""
    engine = index.as_query_engine(
        llm=MockLLM(),
        similarity_top_k=3,
        streaming=True,
        node_postprocessors=[make_reranker(top_n=1)],
    )

    response = await ask(engine)
    if mode == "async":
        text = "".join([token async for token in response.async_response_gen()])
    else:
        text = "".join(response.response_gen)

    assert BEST in text
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_citation_engine_numbers_reranked_nodes(index, make_reranker, ask):
    """A citation engine numbers its sources in the reranked order."""
    engine = CitationQueryEngine.from_args(
        index, llm=MockLLM(), similarity_top_k=3, node_postprocessors=[make_reranker(top_n=2)]
    )

    response = await ask(engine)

    assert response.source_nodes[0].text.strip() == f"Source 1:\n{BEST}"


async def test_the_engines_of_a_router_can_share_a_reranker(index, make_reranker, ask):
    """One reranker works in several engines, although each assigns its callback manager to it."""
    shared = make_reranker(top_n=1)
    tools = [
        QueryEngineTool.from_defaults(
            index.as_query_engine(llm=MockLLM(), similarity_top_k=3, node_postprocessors=[shared]),
            description=f"engine {number}",
        )
        for number in range(2)
    ]
    engine = RouterQueryEngine(
        selector=FirstChoiceSelector.from_defaults(llm=MockLLM()),
        query_engine_tools=tools,
        llm=MockLLM(),
    )

    response = await ask(engine)

    assert [node.text for node in response.source_nodes] == [BEST]


def test_a_sub_question_engine_reranks_for_each_question(sub_question_engine, local_openrouter):
    """A sub-question engine makes one call per question, in a new event loop for each query."""
    for _ in range(3):
        response = sub_question_engine.query(QUERY)
        assert [node.text for node in response.source_nodes[-2:]] == [BEST, BEST]
    assert len(local_openrouter.requests) == 6


async def test_with_hyde_nodes_are_ranked_for_the_query(
    index, make_reranker, ask, local_openrouter
):
    """With HyDE, nodes are ranked for the user's query, not for the hypothetical answer."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[make_reranker(top_n=1)]
    )
    transform = HyDEQueryTransform(llm=MockLLM())

    response = await ask(TransformQueryEngine(engine, transform))

    assert transform.run(QUERY).custom_embedding_strs != [QUERY]
    assert [request.query for request in local_openrouter.requests] == [QUERY]
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_reranker_works_between_other_postprocessors(
    make_reranker, make_retriever, ask, local_openrouter
):
    """The text that a postprocessor sets is ranked, and a later one drops nodes without a score."""
    nodes = [
        TextNode(text="x", metadata={"window": text}, excluded_embed_metadata_keys=["window"])
        for text in PASSAGES
    ]
    engine = RetrieverQueryEngine.from_args(
        make_retriever([TextNode(text=""), *nodes]),
        llm=MockLLM(),
        node_postprocessors=[
            MetadataReplacementPostProcessor("window"),
            make_reranker(),
            SimilarityPostprocessor(similarity_cutoff=0.5),
            LongContextReorder(),
        ],
    )

    response = await ask(engine)

    assert local_openrouter.requests[0].documents == list(PASSAGES)
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_long_context_has_the_best_nodes_at_its_ends(make_reranker, make_retriever, ask):
    """`LongContextReorder` after a reranker uses the new scores, not those of the retriever."""
    words = ["one", "two", "three", "four", "five"]
    nodes = [TextNode(text=" ".join(words[: count + 1])) for count in range(5)]
    engine = RetrieverQueryEngine.from_args(
        make_retriever(nodes),
        llm=MockLLM(),
        node_postprocessors=[make_reranker(), LongContextReorder()],
    )

    response = await ask(engine, "one two three four five")

    assert [len(node.text.split()) for node in response.source_nodes] == [5, 3, 1, 2, 4]


async def test_fused_retrievers_are_reranked(make_reranker, make_retriever, ask):
    """Nodes from a fusion retriever are reranked by their texts."""
    nodes = [TextNode(text=text) for text in PASSAGES]
    fusion = QueryFusionRetriever(
        [make_retriever(nodes), make_retriever(nodes[:2])],
        llm=MockLLM(),
        mode="reciprocal_rerank",
        num_queries=1,
        similarity_top_k=3,
    )
    engine = RetrieverQueryEngine.from_args(
        fusion, llm=MockLLM(), node_postprocessors=[make_reranker(top_n=1)]
    )

    response = await ask(engine)

    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_kept_retrieval_score_is_in_no_prompt(
    make_reranker, make_retriever, ask, local_openrouter
):
    """A kept retrieval score is in no prompt, in no later request and in no node of the store."""
    nodes = [
        TextNode(text=text, metadata={"position": position})
        for position, text in enumerate(PASSAGES)
    ]
    hashes = [node.hash for node in nodes]
    engine = RetrieverQueryEngine.from_args(
        make_retriever(nodes),
        llm=MockLLM(),
        node_postprocessors=[make_reranker(keep_retrieval_score=True), make_reranker(top_n=1)],
    )

    response = await ask(engine)

    (best,) = response.source_nodes
    assert best.node.metadata == {"position": 2, "retrieval_score": 0.5}
    assert "retrieval_score" not in str(response)
    assert "position: 2" in str(response)
    assert "retrieval_score" not in str(local_openrouter.requests[1].documents)
    assert [node.hash for node in nodes] == hashes


async def test_an_engine_answers_during_an_outage(
    index, make_reranker, ask, local_openrouter, caplog
):
    """With `passthrough`, an engine uses the retriever's order in an outage and logs a warning."""
    local_openrouter.always(error(503, "down"))
    engine = index.as_query_engine(
        llm=MockLLM(),
        similarity_top_k=3,
        node_postprocessors=[make_reranker(top_n=2, on_error="passthrough", max_retries=0)],
    )
    before = [item.node_id for item in engine.retriever.retrieve(QUERY)]

    response = await ask(engine)

    assert [node.node_id for node in response.source_nodes] == before[:2]
    assert "returning the retriever's order" in caplog.text
