"""The postprocessor where LlamaIndex's users put it first: in query engines of every kind."""

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
    SubQuestionQueryEngine,
    TransformQueryEngine,
)
from llama_index.core.question_gen.types import SubQuestion
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import TextNode
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import QueryEngineTool
from openrouter_rerank.local.stage import error

CITIES = ("Bread is baked.", "Rome is old.", "Paris is the capital of France.")
BEST = CITIES[2]
QUERY = "capital of France"


class Split:
    """Splits each question in two."""

    def generate(self, tools, query):
        """Ask each half of the only tool."""
        halves = (f"{query.query_str} {half}" for half in "ab")
        return [SubQuestion(sub_question=half, tool_name="cities") for half in halves]


class First(LLMSingleSelector):
    """Selects the first of its choices, as a model would with better reasons."""

    def _select(self, choices, query):
        return SelectorResult(selections=[SingleSelection(index=0, reason="first")])

    async def _aselect(self, choices, query):
        return self._select(choices, query)


async def ask(engine, mode, query=QUERY):
    """Ask an engine in either mode."""
    return await engine.aquery(query) if mode == "async" else engine.query(query)


async def test_a_query_engine_answers_from_reranked_nodes(index, reranker, mode):
    """The engine retrieves many, and the best few in their new order become the context."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(top_n=2)]
    )

    response = await ask(engine, mode)

    assert [node.score for node in response.source_nodes] == [1.0, 0.0]
    assert response.source_nodes[0].text == BEST
    assert str(response).index(BEST) < str(response).index(QUERY)


async def test_an_engine_streams_from_reranked_nodes(index, reranker, mode):
    """A streamed answer has reranked sources as well."""
    engine = index.as_query_engine(
        llm=MockLLM(),
        similarity_top_k=3,
        streaming=True,
        node_postprocessors=[reranker(top_n=1)],
    )

    response = await ask(engine, mode)
    if mode == "async":
        text = "".join([token async for token in response.async_response_gen()])
    else:
        text = "".join(response.response_gen)

    assert BEST in text
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_citation_engine_numbers_reranked_nodes(index, reranker, mode):
    """Sources are numbered in their new order."""
    engine = CitationQueryEngine.from_args(
        index, llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(top_n=2)]
    )

    response = await ask(engine, mode)

    assert response.source_nodes[0].text.strip() == f"Source 1:\n{BEST}"


async def test_one_reranker_serves_the_engines_of_a_router(index, reranker, mode):
    """Engines assign their callback managers to a shared reranker, and it works on."""
    shared = reranker(top_n=1)
    tools = [
        QueryEngineTool.from_defaults(
            index.as_query_engine(llm=MockLLM(), similarity_top_k=3, node_postprocessors=[shared]),
            description=f"engine {at}",
        )
        for at in range(2)
    ]
    engine = RouterQueryEngine(
        selector=First.from_defaults(llm=MockLLM()), query_engine_tools=tools, llm=MockLLM()
    )

    response = await ask(engine, mode)

    assert [node.text for node in response.source_nodes] == [BEST]


def test_questions_that_are_split_share_a_reranker_over_their_loops(
    index, reranker, local_openrouter
):
    """Each synchronous query makes a loop of its own, and the third works like the first."""
    tool = QueryEngineTool.from_defaults(
        index.as_query_engine(
            llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(top_n=1)]
        ),
        name="cities",
        description="cities",
    )
    engine = SubQuestionQueryEngine.from_defaults(
        [tool], llm=MockLLM(), question_gen=Split(), use_async=True, verbose=False
    )

    for _ in range(3):
        response = engine.query(QUERY)
        assert [node.text for node in response.source_nodes[-2:]] == [BEST, BEST]
    assert len(local_openrouter.requests) == 6


async def test_a_made_up_answer_is_not_what_is_ranked_for(index, reranker, mode, local_openrouter):
    """HyDE retrieves with a passage of its own; the nodes are ranked for the question."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(top_n=1)]
    )
    transform = HyDEQueryTransform(llm=MockLLM())

    response = await ask(TransformQueryEngine(engine, transform), mode)

    assert transform.run(QUERY).custom_embedding_strs != [QUERY]
    assert [request.query for request in local_openrouter.requests] == [QUERY]
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_postprocessors_before_and_after_do_their_part(
    reranker, retriever_of, mode, local_openrouter
):
    """Sentence windows are ranked as what replaced them; what was not ranked has no similarity."""
    nodes = [
        TextNode(text="x", metadata={"window": text}, excluded_embed_metadata_keys=["window"])
        for text in CITIES
    ]
    engine = RetrieverQueryEngine.from_args(
        retriever_of([TextNode(text=""), *nodes]),
        llm=MockLLM(),
        node_postprocessors=[
            MetadataReplacementPostProcessor("window"),
            reranker(),
            SimilarityPostprocessor(similarity_cutoff=0.5),
            LongContextReorder(),
        ],
    )

    response = await ask(engine, mode)

    assert local_openrouter.requests[0].documents == list(CITIES)
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_long_context_has_the_best_at_its_ends(reranker, retriever_of, mode):
    """`LongContextReorder` behind the reranker works on the new order, not on the retriever's."""
    words = ["one", "two", "three", "four", "five"]
    nodes = [TextNode(text=" ".join(words[: at + 1])) for at in range(5)]
    engine = RetrieverQueryEngine.from_args(
        retriever_of(nodes), llm=MockLLM(), node_postprocessors=[reranker(), LongContextReorder()]
    )

    response = await ask(engine, mode, "one two three four five")

    assert [len(node.text.split()) for node in response.source_nodes] == [5, 3, 1, 2, 4]


async def test_fused_retrievers_are_reranked(reranker, retriever_of, mode):
    """Fusion orders by arithmetic, the reranker behind it by what the texts say."""
    nodes = [TextNode(text=text) for text in CITIES]
    fusion = QueryFusionRetriever(
        [retriever_of(nodes), retriever_of(nodes[:2])],
        llm=MockLLM(),
        mode="reciprocal_rerank",
        num_queries=1,
        similarity_top_k=3,
    )
    engine = RetrieverQueryEngine.from_args(
        fusion, llm=MockLLM(), node_postprocessors=[reranker(top_n=1)]
    )

    response = await ask(engine, mode)

    assert [node.text for node in response.source_nodes] == [BEST]


async def test_the_score_of_the_retriever_is_for_programs_alone(
    reranker, retriever_of, mode, local_openrouter
):
    """Kept in the metadata, it is in no prompt, no later ranking and no node of the store."""
    nodes = [TextNode(text=text, metadata={"at": at}) for at, text in enumerate(CITIES)]
    hashes = [node.hash for node in nodes]
    engine = RetrieverQueryEngine.from_args(
        retriever_of(nodes),
        llm=MockLLM(),
        node_postprocessors=[reranker(keep_retrieval_score=True), reranker(top_n=1)],
    )

    response = await ask(engine, mode)

    (best,) = response.source_nodes
    assert best.node.metadata == {"at": 2, "retrieval_score": 0.5}
    assert "retrieval_score" not in str(response)
    assert "at: 2" in str(response)
    assert "retrieval_score" not in str(local_openrouter.requests[1].documents)
    assert [node.hash for node in nodes] == hashes


async def test_an_outage_stops_no_engine(index, reranker, mode, local_openrouter, caplog):
    """With `passthrough` the engine answers from what the retriever found, and a warning tells."""
    local_openrouter.always(error(503, "down"))
    engine = index.as_query_engine(
        llm=MockLLM(),
        similarity_top_k=3,
        node_postprocessors=[reranker(top_n=2, on_error="passthrough", max_retries=0)],
    )
    before = [item.node_id for item in engine.retriever.retrieve(QUERY)]

    response = await ask(engine, mode)

    assert [node.node_id for node in response.source_nodes] == before[:2]
    assert "the order of the retriever is kept" in caplog.text
