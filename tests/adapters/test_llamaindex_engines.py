"""The postprocessor where LlamaIndex's users put it: in real engines, retrievers and tools."""

import base64

import pytest
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.base.base_selector import SelectorResult, SingleSelection
from llama_index.core.chat_engine import ContextChatEngine
from llama_index.core.evaluation import RetrieverEvaluator
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.objects import ObjectRetriever, SimpleToolNodeMapping
from llama_index.core.postprocessor import (
    LongContextReorder,
    MetadataReplacementPostProcessor,
    SimilarityPostprocessor,
)
from llama_index.core.query_engine import (
    RetrieverQueryEngine,
    RouterQueryEngine,
    SubQuestionQueryEngine,
)
from llama_index.core.question_gen.types import SubQuestion
from llama_index.core.retrievers import BaseRetriever, QueryFusionRetriever
from llama_index.core.schema import ImageNode, NodeWithScore, TextNode
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import FunctionTool, QueryEngineTool, RetrieverTool
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.local.stage import Stage, scores

CITIES = ("Bread is baked.", "Rome is old.", "Paris is the capital of France.")
BEST = CITIES[2]
QUERY = "capital of France"
EMBEDDING = MockEmbedding(embed_dim=2)
PNG64 = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


@pytest.fixture
def reranker(local_openrouter):
    """Return a function that makes a reranker which calls the stage."""

    def make(**options):
        return OpenRouterRerank(
            api_key=Stage.api_key, base_url=local_openrouter.base_url, **options
        )

    return make


@pytest.fixture(params=["sync", "async"])
def colour(request):
    """Each colour in turn."""
    return request.param


@pytest.fixture
def index():
    """A vector store whose embeddings know nothing, so that every order is the reranker's."""
    nodes = [TextNode(text=text, metadata={"at": at}) for at, text in enumerate(CITIES)]
    return VectorStoreIndex(nodes=nodes, embed_model=EMBEDDING)


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


class Listed(BaseRetriever):
    """A retriever that always finds the same nodes."""

    def __init__(self, nodes):
        self.found = nodes
        super().__init__()

    def _retrieve(self, query_bundle):
        return [NodeWithScore(node=node, score=0.5) for node in self.found]


async def test_a_query_engine_answers_from_reranked_nodes(index, reranker, colour):
    """The engine retrieves many, and the best few in their new order become the context."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(top_n=2)]
    )

    response = await engine.aquery(QUERY) if colour == "async" else engine.query(QUERY)

    assert [node.score for node in response.source_nodes] == [1.0, 0.0]
    assert response.source_nodes[0].text == BEST
    assert str(response).index(BEST) < str(response).index(QUERY)


async def test_an_engine_streams_from_reranked_nodes(index, reranker, colour):
    """A streamed answer has reranked sources as well."""
    engine = index.as_query_engine(
        llm=MockLLM(),
        similarity_top_k=3,
        streaming=True,
        node_postprocessors=[reranker(top_n=1)],
    )

    if colour == "async":
        response = await engine.aquery(QUERY)
        text = "".join([token async for token in response.async_response_gen()])
    else:
        response = engine.query(QUERY)
        text = "".join(response.response_gen)

    assert BEST in text
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_chat_engine_answers_from_reranked_nodes(index, reranker, colour):
    """A chat engine passes each message as the question."""
    engine = ContextChatEngine.from_defaults(
        index.as_retriever(similarity_top_k=3),
        llm=MockLLM(),
        memory=ChatMemoryBuffer.from_defaults(llm=MockLLM()),
        node_postprocessors=[reranker(top_n=1)],
    )

    response = await engine.achat(QUERY) if colour == "async" else engine.chat(QUERY)

    assert [node.text for node in response.source_nodes] == [BEST]


async def test_one_reranker_serves_the_engines_of_a_router(index, reranker, colour):
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

    response = await engine.aquery(QUERY) if colour == "async" else engine.query(QUERY)

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

    class Twice:
        def generate(self, tools, query):
            return [
                SubQuestion(sub_question=f"{query.query_str} {at}", tool_name="cities")
                for at in "ab"
            ]

    engine = SubQuestionQueryEngine.from_defaults(
        [tool], llm=MockLLM(), question_gen=Split(), use_async=True, verbose=False
    )

    for _ in range(3):
        response = engine.query(QUERY)
        assert [node.text for node in response.source_nodes[-2:]] == [BEST, BEST]
    assert len(local_openrouter.requests) == 6


async def test_postprocessors_before_and_after_do_their_part(reranker, colour, local_openrouter):
    """Sentence windows are ranked as what replaced them; what was not ranked has no similarity."""
    nodes = [TextNode(text="x", metadata={"window": text}) for text in CITIES]
    for node in nodes:
        node.excluded_embed_metadata_keys = ["window"]
    engine = RetrieverQueryEngine.from_args(
        Listed([TextNode(text=""), *nodes]),
        llm=MockLLM(),
        node_postprocessors=[
            MetadataReplacementPostProcessor("window"),
            reranker(),
            SimilarityPostprocessor(similarity_cutoff=0.5),
            LongContextReorder(),
        ],
    )

    response = await engine.aquery(QUERY) if colour == "async" else engine.query(QUERY)

    assert local_openrouter.requests[0].documents == list(CITIES)
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_fused_retrievers_are_reranked(reranker, colour):
    """Fusion orders by arithmetic, the reranker behind it by what the texts say."""
    nodes = [TextNode(text=text) for text in CITIES]
    fusion = QueryFusionRetriever(
        [Listed(nodes), Listed(nodes[:2])],
        llm=MockLLM(),
        mode="reciprocal_rerank",
        num_queries=1,
        similarity_top_k=3,
    )
    engine = RetrieverQueryEngine.from_args(
        fusion, llm=MockLLM(), node_postprocessors=[reranker(top_n=1)]
    )

    response = await engine.aquery(QUERY) if colour == "async" else engine.query(QUERY)

    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_retrieval_tool_of_an_agent_is_reranked(index, reranker, colour, local_openrouter):
    """The tool wraps the question in words and line breaks of its own; the rest is stripped."""
    tool = RetrieverTool.from_defaults(
        index.as_retriever(similarity_top_k=3), node_postprocessors=[reranker(top_n=1)]
    )

    output = await tool.acall(input=QUERY) if colour == "async" else tool.call(input=QUERY)

    assert BEST in output.content
    assert CITIES[0] not in output.content
    assert local_openrouter.requests[0].query == local_openrouter.requests[0].query.strip()


@pytest.mark.parametrize(("query", "tools"), [("multiply numbers", ["multiply"]), ("", ["add"])])
async def test_tools_of_an_agent_are_reranked(reranker, query, tools):
    """Tools are retrieved through their nodes, also with the empty query that agents begin with."""

    def add(left: int, right: int) -> int:
        """Add numbers."""
        return left + right

    def multiply(left: int, right: int) -> int:
        """Multiply numbers."""
        return left * right

    functions = [FunctionTool.from_defaults(tool) for tool in (add, multiply)]
    mapping = SimpleToolNodeMapping.from_objects(functions)
    retriever = ObjectRetriever(
        Listed(mapping.to_nodes(functions)), mapping, node_postprocessors=[reranker(top_n=1)]
    )

    found = await retriever.aretrieve(query)

    assert [tool.metadata.name for tool in found] == tools


async def test_an_evaluator_measures_the_reranked_order(index, reranker):
    """LlamaIndex's evaluator calls the synchronous method inside its loop."""
    evaluator = RetrieverEvaluator.from_metric_names(
        ["mrr"],
        retriever=index.as_retriever(similarity_top_k=3),
        node_postprocessors=[reranker()],
    )
    (expected,) = [id_ for id_, node in index.docstore.docs.items() if node.text == BEST]

    result = await evaluator.aevaluate(QUERY, expected_ids=[expected])

    assert result.metric_vals_dict == {"mrr": 1.0}


async def test_text_and_image_nodes_of_one_retriever_are_ranked_together(
    reranker, colour, local_openrouter
):
    """A multimodal retriever's mixed list becomes one request of one mixed list."""
    nodes = [
        TextNode(text="a text"),
        ImageNode(image=PNG64, text="a caption"),
        ImageNode(image=PNG64),
    ]
    local_openrouter.script(scores(0.1, 0.2, 0.3))
    engine = RetrieverQueryEngine.from_args(
        Listed(nodes),
        llm=MockLLM(),
        node_postprocessors=[reranker(image_mode="always")],
    )

    found = await engine.aretrieve("q") if colour == "async" else engine.retrieve("q")

    assert [item.node for item in found] == nodes[::-1]
    assert local_openrouter.requests[0].documents == [
        "a text",
        {"text": "a caption", "image": f"data:image/png;base64,{PNG64}"},
        {"image": f"data:image/png;base64,{PNG64}"},
    ]
