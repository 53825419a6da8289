"""Agents whose tools rerank nodes, and agents whose tools are reranked; their LLMs are scripted."""

import pytest
from llama_index.core import MockEmbedding
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.objects import ObjectIndex, ObjectRetriever, SimpleToolNodeMapping
from llama_index.core.tools import FunctionTool, RetrieverTool
from openrouter_rerank.local.stage import error

from tests.passages import BEST, BREAD, QUERY

# LlamaIndex's agents read all their own attributes, including the deprecated ones of pydantic.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecationWarning")

# The scripted LLM gives this reply even if its tool has failed.
FINAL_REPLY = "It is Paris."


@pytest.fixture
def tool(make_reranker, make_tool):
    """Return an agent's tool: a query engine with a reranker that returns one node."""
    return make_tool(make_reranker(top_n=1))


def reranked_queries(server):
    """Return the queries of the rerank requests that the server received."""
    return [request.query for request in server.requests if request.path.endswith("/rerank")]


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_function_agent_answers_from_reranked_nodes(
    tool, scripted_model, local_openrouter, streaming
):
    """The LLM of a function agent gets the best node from its tool, and no other node."""
    model = scripted_model(("cities", {"input": QUERY}), FINAL_REPLY)
    agent = FunctionAgent(tools=[tool], llm=model.llm(), streaming=streaming)

    answer = await agent.run(QUERY)

    assert str(answer) == FINAL_REPLY
    assert reranked_queries(local_openrouter) == [QUERY]
    assert BEST in model.requests[-1]["messages"][-1]["content"]
    assert BREAD not in str(model.requests)


async def test_an_agent_workflow_answers_from_reranked_nodes(
    tool, scripted_model, local_openrouter
):
    """The agents of a workflow can share one tool and its reranker."""
    model = scripted_model(
        ("handoff", {"to_agent": "second", "reason": "It knows."}),
        ("cities", {"input": QUERY}),
        FINAL_REPLY,
    )
    agents = [
        FunctionAgent(name=name, description=name, tools=[tool], llm=model.llm())
        for name in ("first", "second")
    ]

    answer = await AgentWorkflow(agents, root_agent="first").run(QUERY)

    assert str(answer) == FINAL_REPLY
    assert reranked_queries(local_openrouter) == [QUERY]


@pytest.mark.filterwarnings("ignore:is_running called from within a step:DeprecationWarning")
async def test_a_react_agent_answers_from_reranked_nodes(tool, scripted_model):
    """A ReAct agent, which calls its tools in plain text, observes the best node."""
    model = scripted_model(
        f'Thought: I need it.\nAction: cities\nAction Input: {{"input": "{QUERY}"}}',
        f"Thought: I know.\nAnswer: {FINAL_REPLY}",
    )

    answer = await ReActAgent(tools=[tool], llm=model.llm()).run(QUERY)

    assert str(answer) == FINAL_REPLY
    assert BEST in str(model.requests[-1]["messages"])


async def test_an_llm_gets_a_short_error_without_secrets(
    make_reranker, make_tool, scripted_model, local_openrouter
):
    """If reranking fails, the LLM gets a short message without the key and without passages."""
    tool = make_tool(make_reranker(max_retries=0))
    model = scripted_model(("cities", {"input": QUERY}), FINAL_REPLY)

    def fail_to_rerank(request):
        return error(503, "No provider") if request.path.endswith("/rerank") else model(request)

    local_openrouter.always(fail_to_rerank)

    answer = await FunctionAgent(tools=[tool], llm=model.llm()).run(QUERY)

    message = model.requests[-1]["messages"][-1]["content"]
    assert str(answer) == FINAL_REPLY
    assert "No provider" in message
    assert len(message) < 400
    assert not [secret for secret in (local_openrouter.api_key, BEST, BREAD) if secret in message]


async def test_a_retriever_tool_is_reranked(index, make_reranker, mode, local_openrouter):
    """A retriever tool returns the best node, and its query is sent without outer whitespace."""
    tool = RetrieverTool.from_defaults(
        index.as_retriever(similarity_top_k=3), node_postprocessors=[make_reranker(top_n=1)]
    )

    output = await tool.acall(input=QUERY) if mode == "async" else tool.call(input=QUERY)

    assert BEST in output.content
    assert BREAD not in output.content
    (query,) = reranked_queries(local_openrouter)
    assert QUERY in query
    assert query == query.strip()


def numbered_tools(count):
    """Return `count` tools, each described by its number."""

    def numbered_tool(number):
        def call() -> str:
            return f"did {number}"

        return FunctionTool.from_defaults(
            call, name=f"tool_{number}", description=f"Does number{number}."
        )

    return [numbered_tool(number) for number in range(count)]


@pytest.mark.parametrize("keep_retrieval_score", [False, True])
async def test_the_tools_of_an_agent_are_retrieved_and_reranked(
    make_reranker, scripted_model, local_openrouter, keep_retrieval_score
):
    """An agent offers its LLM the best 3 of 200 tools, which are reranked in the event loop."""
    index = ObjectIndex.from_objects(
        numbered_tools(200), embed_model=MockEmbedding(embed_dim=2), index_kwargs={}
    )
    model = scripted_model(("tool_137", {}), FINAL_REPLY)
    agent = FunctionAgent(
        tool_retriever=index.as_retriever(
            similarity_top_k=200,
            node_postprocessors=[make_reranker(top_n=3, keep_retrieval_score=keep_retrieval_score)],
        ),
        llm=model.llm(),
    )

    answer = await agent.run("do number137")

    offered = [tool["function"]["name"] for tool in model.requests[0]["tools"]]
    assert str(answer) == FINAL_REPLY
    assert offered[0] == "tool_137"
    assert len(offered) == 3
    assert model.requests[-1]["messages"][-1]["content"] == "did 137"
    assert {len(request.documents) for request in local_openrouter.requests if request.query} == {
        200
    }


@pytest.mark.parametrize(
    ("query", "tools"),
    [("multiply numbers", ["multiply"]), ("", ["add"])],
    ids=["query", "blank query"],
)
async def test_an_object_retriever_returns_reranked_tools(
    make_reranker, make_retriever, mode, query, tools
):
    """An object retriever returns the best tool, or the first one for an agent's blank query."""

    def add(left: int, right: int) -> int:
        """Add numbers."""
        return left + right

    def multiply(left: int, right: int) -> int:
        """Multiply numbers."""
        return left * right

    functions = [FunctionTool.from_defaults(tool) for tool in (add, multiply)]
    mapping = SimpleToolNodeMapping.from_objects(functions)
    retriever = ObjectRetriever(
        make_retriever(mapping.to_nodes(functions)),
        mapping,
        node_postprocessors=[make_reranker(top_n=1)],
    )

    found = await retriever.aretrieve(query) if mode == "async" else retriever.retrieve(query)

    assert [tool.metadata.name for tool in found] == tools
