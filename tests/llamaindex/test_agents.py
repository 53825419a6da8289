"""Agents whose retrieval, or whose choice of tools, is reranked; their models are on stage."""

import pytest
from llama_index.core import MockEmbedding
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.llms import MockLLM
from llama_index.core.objects import ObjectIndex, ObjectRetriever, SimpleToolNodeMapping
from llama_index.core.tools import FunctionTool, QueryEngineTool, RetrieverTool
from openrouter_rerank.local.stage import error

# LlamaIndex's agents look at all their own attributes, the deprecated ones of pydantic among them.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecationWarning")

BEST = "Paris is the capital of France."
BAKED = "Bread is baked."
QUERY = "capital of France"
# What an agent is told to do about a tool that fails is the model's affair.
LAST_WORDS = "It is Paris."


@pytest.fixture
def tool(index, reranker):
    """A query engine behind a reranker, as the tool of an agent."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(top_n=1)]
    )
    return QueryEngineTool.from_defaults(engine, name="cities", description="Knows cities.")


def reranked(stage):
    """Tell the queries that the stage was asked to rank for."""
    return [request.query for request in stage.requests if request.path.endswith("/rerank")]


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_function_agent_answers_from_reranked_nodes(
    tool, acting, local_openrouter, streaming
):
    """The model asks the tool, and is told what was best and nothing else."""
    actor = acting(("cities", {"input": QUERY}), LAST_WORDS)
    agent = FunctionAgent(tools=[tool], llm=actor.model(), streaming=streaming)

    answer = await agent.run(QUERY)

    assert str(answer) == LAST_WORDS
    assert reranked(local_openrouter) == [QUERY]
    assert BEST in actor.told[-1]["messages"][-1]["content"]
    assert BAKED not in str(actor.told)


async def test_an_agent_workflow_answers_from_reranked_nodes(tool, acting, local_openrouter):
    """Agents that hand a question on share the tool and its reranker."""
    actor = acting(
        ("handoff", {"to_agent": "second", "reason": "It knows."}),
        ("cities", {"input": QUERY}),
        LAST_WORDS,
    )
    agents = [
        FunctionAgent(name=name, description=name, tools=[tool], llm=actor.model())
        for name in ("first", "second")
    ]

    answer = await AgentWorkflow(agents, root_agent="first").run(QUERY)

    assert str(answer) == LAST_WORDS
    assert reranked(local_openrouter) == [QUERY]


@pytest.mark.filterwarnings("ignore:is_running called from within a step:DeprecationWarning")
async def test_a_react_agent_answers_from_reranked_nodes(tool, acting, local_openrouter):
    """An agent that only talks gets its observation from the reranked nodes too."""
    actor = acting(
        f'Thought: I need it.\nAction: cities\nAction Input: {{"input": "{QUERY}"}}',
        f"Thought: I know.\nAnswer: {LAST_WORDS}",
    )

    answer = await ReActAgent(tools=[tool], llm=actor.model()).run(QUERY)

    assert str(answer) == LAST_WORDS
    assert BEST in str(actor.told[-1]["messages"])


async def test_a_failure_tells_the_model_little(index, reranker, acting, local_openrouter):
    """Agents give the words of an error to their model: they are few, and hold nothing of ours."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(max_retries=0)]
    )
    tool = QueryEngineTool.from_defaults(engine, name="cities", description="Knows cities.")
    actor = acting(("cities", {"input": QUERY}), LAST_WORDS)

    def failing(request):
        return error(503, "No provider") if request.path.endswith("/rerank") else actor(request)

    local_openrouter.always(failing)

    answer = await FunctionAgent(tools=[tool], llm=actor.model()).run(QUERY)

    told = actor.told[-1]["messages"][-1]["content"]
    assert str(answer) == LAST_WORDS
    assert "No provider" in told
    assert len(told) < 400
    assert not [secret for secret in (local_openrouter.api_key, BEST, BAKED) if secret in told]


async def test_a_retriever_tool_is_reranked(index, reranker, mode, local_openrouter):
    """The tool wraps the question in words and line breaks of its own; the rest is stripped."""
    tool = RetrieverTool.from_defaults(
        index.as_retriever(similarity_top_k=3), node_postprocessors=[reranker(top_n=1)]
    )

    output = await tool.acall(input=QUERY) if mode == "async" else tool.call(input=QUERY)

    assert BEST in output.content
    assert BAKED not in output.content
    (query,) = reranked(local_openrouter)
    assert QUERY in query
    assert query == query.strip()


def numbered_tools(count):
    """Make many tools of which each describes itself by a number."""

    def tool(at):
        def act() -> str:
            return f"did {at}"

        return FunctionTool.from_defaults(act, name=f"tool_{at}", description=f"Does number{at}.")

    return [tool(at) for at in range(count)]


@pytest.mark.parametrize("keep_retrieval_score", [False, True])
async def test_the_tools_of_an_agent_are_retrieved_and_reranked(
    reranker, acting, local_openrouter, keep_retrieval_score
):
    """Of two hundred tools, the model is offered the best; retrieval runs inside the loop."""
    index = ObjectIndex.from_objects(
        numbered_tools(200), embed_model=MockEmbedding(embed_dim=2), index_kwargs={}
    )
    actor = acting(("tool_137", {}), LAST_WORDS)
    agent = FunctionAgent(
        tool_retriever=index.as_retriever(
            similarity_top_k=200,
            node_postprocessors=[reranker(top_n=3, keep_retrieval_score=keep_retrieval_score)],
        ),
        llm=actor.model(),
    )

    answer = await agent.run("do number137")

    offered = [tool["function"]["name"] for tool in actor.told[0]["tools"]]
    assert str(answer) == LAST_WORDS
    assert offered[0] == "tool_137"
    assert len(offered) == 3
    assert actor.told[-1]["messages"][-1]["content"] == "did 137"
    assert {len(request.documents) for request in local_openrouter.requests if request.query} == {
        200
    }


@pytest.mark.parametrize(("query", "tools"), [("multiply numbers", ["multiply"]), ("", ["add"])])
async def test_tools_come_back_from_their_nodes(reranker, retriever_of, mode, query, tools):
    """Tools are found again through their nodes, also for the blank query of an agent's start."""

    def add(left: int, right: int) -> int:
        """Add numbers."""
        return left + right

    def multiply(left: int, right: int) -> int:
        """Multiply numbers."""
        return left * right

    functions = [FunctionTool.from_defaults(tool) for tool in (add, multiply)]
    mapping = SimpleToolNodeMapping.from_objects(functions)
    retriever = ObjectRetriever(
        retriever_of(mapping.to_nodes(functions)),
        mapping,
        node_postprocessors=[reranker(top_n=1)],
    )

    found = await retriever.aretrieve(query) if mode == "async" else retriever.retrieve(query)

    assert [tool.metadata.name for tool in found] == tools
