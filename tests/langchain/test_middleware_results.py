"""`RerankToolResultsMiddleware` in agents: which tools, the question, options and failures."""

import json
import logging
from typing import Annotated

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain.tools.tool_node import ToolCallRequest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import ToolException
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_openrouter_rerank.middleware import RerankToolResultsMiddleware
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command
from openrouter_rerank.errors import ConfigurationError, ServiceUnavailableError
from openrouter_rerank.local.stage import error
from pydantic import BaseModel

from tests.scripted_chat import scripted
from tests.search_tools import CALL, PARIS, QUESTION, RANKED, TEXTS, found_documents, tool


async def test_errors_stay(run_search, local_openrouter):
    """The message of a failed tool is not ranked, even if it is a list."""
    message = await run_search(tool(ToolException(json.dumps(TEXTS))), top_n=1)

    assert (message.status, message.content) == ("error", json.dumps(TEXTS))
    assert local_openrouter.requests == []


async def test_commands_stay(reranker, invoke, local_openrouter):
    """A tool that returns a command updates the state of the agent itself."""
    update = {"messages": [ToolMessage(json.dumps(TEXTS), tool_call_id="call-0")]}
    agent = create_agent(
        scripted(CALL, "Done."),
        tools=[tool(Command(update=update))],
        middleware=[RerankToolResultsMiddleware(reranker, top_n=1)],
    )

    state = await invoke(agent, {"messages": [HumanMessage(QUESTION)]})

    assert state["messages"][2].content == json.dumps(TEXTS)
    assert local_openrouter.requests == []


@pytest.mark.parametrize(("tools", "expected"), [("search", 1), (["search"], 1), (["other"], 3)])
async def test_tools_names_the_tools(run_search, tools, expected):
    """With `tools`, only the results of these tools are reranked."""
    message = await run_search(tool(json.dumps(TEXTS)), top_n=1, tools=tools)

    assert len(json.loads(message.content)) == expected


@pytest.mark.parametrize(
    ("reranker_top_n", "top_n", "expected"), [(None, None, 3), (2, None, 2), (2, 1, 1), (1, 3, 3)]
)
async def test_top_n_comes_before_that_of_the_reranker(
    run_search, reranker, reranker_top_n, top_n, expected
):
    """Without `top_n`, the reranker decides how many documents are kept: by default all."""
    reranker.top_n = reranker_top_n

    message = await run_search(tool(json.dumps(TEXTS)), top_n=top_n)

    assert json.loads(message.content) == RANKED[:expected]


async def test_options_of_the_reranker_apply(run_search, reranker, local_openrouter):
    """Metadata of the items can be ranked together with their texts."""
    reranker.rank_fields = ("title",)

    await run_search(tool([{"title": "A", "content": "1"}, {"title": "B", "content": "2"}]))

    assert local_openrouter.requests[0].documents == ["title: A\n1", "title: B\n2"]


async def test_a_failure_keeps_the_result(run_search, reranker, caplog, local_openrouter):
    """With `on_error="passthrough"`, the result is in the tool's order, and `top_n` long."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.max_retries = "passthrough", 0

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        message = await run_search(
            tool(("\n\n".join(TEXTS), found_documents()), with_artifact=True), top_n=2
        )

    assert message.content == "\n\n".join(TEXTS[:2])
    assert message.artifact == found_documents()[:2]
    assert "ServiceUnavailableError" in caplog.text


async def test_a_failure_can_be_raised(run_search, reranker, local_openrouter):
    """With `on_error="raise"`, the agent stops with the error."""
    local_openrouter.always(error(503, "down"))
    reranker.max_retries = 0

    with pytest.raises(ServiceUnavailableError):
        await run_search(tool(json.dumps(TEXTS)))


@pytest.mark.usefixtures("key_in_environment")
async def test_by_default_an_outage_does_not_stop_the_agent(invoke, local_openrouter):
    """Without a reranker, the middleware makes one that lets temporary failures pass."""
    local_openrouter.always(error(503, "down"))
    agent = create_agent(
        scripted(CALL, "Done."),
        tools=[tool(json.dumps(TEXTS))],
        middleware=[RerankToolResultsMiddleware(top_n=2)],
    )

    state = await invoke(agent, {"messages": [HumanMessage(QUESTION)]})

    assert state["messages"][2].content == json.dumps(TEXTS[:2])


async def test_the_question_is_that_of_the_conversation(
    run_search, reranker, invoke, local_openrouter
):
    """A short last message is ranked together with the messages before it."""
    agent = create_agent(
        scripted(CALL, "Done."),
        tools=[tool(json.dumps(TEXTS))],
        middleware=[RerankToolResultsMiddleware(reranker)],
    )
    messages = [HumanMessage("capital cities"), AIMessage("Which country?"), HumanMessage("France")]

    await invoke(agent, {"messages": messages})

    assert local_openrouter.requests[0].query == "capital cities\nWhich country?\nFrance"


CONVERSATION = [
    HumanMessage(QUESTION),
    AIMessage("", tool_calls=[{"name": "search", "args": {"query": "cities"}, "id": "1"}]),
]


class GraphState(BaseModel):
    """The state of a graph as a model."""

    messages: Annotated[list[AnyMessage], add_messages]


@pytest.mark.parametrize(
    ("schema", "state"),
    [
        (MessagesState, {"messages": CONVERSATION}),
        (GraphState, {"messages": CONVERSATION}),
        (Annotated[list[AnyMessage], add_messages], CONVERSATION),
    ],
    ids=["mapping", "model", "list"],
)
async def test_the_question_is_in_the_state_of_any_graph(
    reranker, invoke, local_openrouter, schema, state
):
    """A graph that is not an agent may have a mapping, a model or a list of messages as state."""
    prebuilt = pytest.importorskip(
        "langgraph.prebuilt",
        reason="the lowest releases of LangGraph's packages do not fit each other",
        exc_type=ImportError,
    )
    middleware = RerankToolResultsMiddleware(reranker, top_n=1)
    tools = prebuilt.ToolNode(
        [tool(json.dumps(TEXTS))],
        wrap_tool_call=middleware.wrap_tool_call,
        awrap_tool_call=middleware.awrap_tool_call,
    )
    graph = StateGraph(schema).add_node("tools", tools).add_edge(START, "tools").compile()

    found = await invoke(graph, state)

    [*_, message] = found if isinstance(found, list) else found["messages"]
    assert message.content == json.dumps([PARIS])
    assert local_openrouter.requests[0].query == QUESTION


async def test_without_a_question_the_result_stays(run_search, local_openrouter):
    """If the user has not asked anything, there is nothing to rank for."""
    message = await run_search(tool(json.dumps(TEXTS)), question=" ", top_n=1)

    assert message.content == json.dumps(TEXTS)
    assert local_openrouter.requests == []


async def test_parallel_calls_are_reranked_separately(reranker, invoke, local_openrouter):
    """Each of several tools that one message of the model calls has its own ranking."""
    names = ["search", "lookup", "files"]
    calls = [{"name": name, "args": {"query": "x"}, "id": name} for name in names]
    model = scripted("unused", "Done.")
    model.messages = iter([AIMessage("", tool_calls=calls), AIMessage("Done.")])
    agent = create_agent(
        model,
        tools=[tool(json.dumps(TEXTS[: len(name) // 2]), name) for name in names],
        middleware=[RerankToolResultsMiddleware(reranker, top_n=1, tools=["search", "lookup"])],
    )

    state = await invoke(agent, {"messages": [HumanMessage(QUESTION)]})

    contents = [each.content for each in state["messages"] if isinstance(each, ToolMessage)]
    assert contents == [json.dumps([PARIS]), json.dumps([PARIS]), json.dumps(TEXTS[:2])]
    assert len(local_openrouter.requests) == 2


async def test_the_reranking_is_a_run_of_the_tools_step(reranker, invoke, runs):
    """The run of the reranker is inside the run of the step that executes tools."""
    agent = create_agent(
        scripted(CALL, "Done."),
        tools=[tool(json.dumps(TEXTS))],
        middleware=[RerankToolResultsMiddleware(reranker)],
    )

    await invoke(agent, {"messages": [HumanMessage(QUESTION)]}, {"callbacks": [runs]})

    assert ("OpenRouterRerank", "tools") in runs.tree
    assert runs.reranking.query == QUESTION


async def test_other_middleware_can_change_the_message(reranker, invoke):
    """Middleware behind this one gets the tool's own result, and middleware before it the cut."""
    seen = []

    class Recorder(AgentMiddleware):
        def wrap_tool_call(self, request, handler):
            message = handler(request)
            seen.append(message.content)
            return message

        async def awrap_tool_call(self, request, handler):
            message = await handler(request)
            seen.append(message.content)
            return message

    class Outer(Recorder):
        pass

    agent = create_agent(
        scripted(CALL, "Done."),
        tools=[tool(json.dumps(TEXTS))],
        middleware=[Outer(), RerankToolResultsMiddleware(reranker, top_n=1), Recorder()],
    )

    await invoke(agent, {"messages": [HumanMessage(QUESTION)]})

    assert seen == [json.dumps(TEXTS), json.dumps([PARIS])]


async def test_documents_of_a_subclass_are_not_guessed(make_reranker, invoke, caplog):
    """If an overridden method returns other documents, the result stays as it is."""

    class Other(OpenRouterRerank):
        def compress_documents(self, documents, query, callbacks=None):
            return [Document("A summary.")]

    reranker = Other(api_key="key")
    agent = create_agent(
        scripted(CALL, "Done."),
        tools=[tool(json.dumps(TEXTS))],
        middleware=[RerankToolResultsMiddleware(reranker)],
    )

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        state = await invoke(agent, {"messages": [HumanMessage(QUESTION)]})

    assert state["messages"][2].content == json.dumps(TEXTS)
    assert "stays as it is" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_n": 0}, "top_n must be a whole number, 1 or more, or None, got 0"),
        ({"tools": 5}, "tools must be a list of names of tools, got 5"),
        ({"reranker": "cohere/rerank-v3.5"}, r"type str: pass OpenRouterRerank\(model="),
    ],
)
def test_invalid_options_are_refused(reranker, options, message):
    """An invalid option is an error when the middleware is made."""
    with pytest.raises(ConfigurationError, match=message):
        RerankToolResultsMiddleware(**({"reranker": reranker} | options))


def test_the_question_is_made_once_for_a_result(reranker):
    """The messages of a conversation are read once for each result of a tool."""
    reads = []

    class State(dict):
        def get(self, name, default=None):
            reads.append(name)
            return super().get(name, default)

    request = ToolCallRequest(
        tool_call={"name": "search", "args": {}, "id": "1"},
        tool=None,
        state=State(messages=[HumanMessage(QUESTION)]),
        runtime=None,
    )
    middleware = RerankToolResultsMiddleware(reranker, top_n=1)

    message = middleware.wrap_tool_call(
        request, lambda _: ToolMessage(json.dumps(TEXTS), tool_call_id="1")
    )

    assert message.content == json.dumps([PARIS])
    assert reads == ["messages"]
