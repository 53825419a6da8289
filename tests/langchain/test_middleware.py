"""`RerankToolSelectorMiddleware` in agents, with scripted chat models."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ModelRequest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import StructuredTool
from langchain_openrouter_rerank.middleware import RerankToolSelectorMiddleware
from langgraph.checkpoint.memory import InMemorySaver
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.local.stage import Reply, error

from tests.scripted_chat import scripted

TOOLS = {
    "bake_bread": "Bakes a loaf of bread.",
    "forecast": "Tells the weather of the next days.",
    "book_flight": "Books a flight to another city.",
    "translate": "Translates a text.",
    "weather_in": "Tells the weather in a city now.",
}
QUESTION = "Tells the weather in a city"
LONG_QUESTION = "Now please use the tool that bakes a loaf of bread for the two of us"
WEB_SEARCH = {"type": "web_search"}


def make_tools(count=5):
    """Return the tools in `TOOLS`, after other tools if `count` is larger than their number."""
    other_tools = {
        f"tool_{number}": f"Does the work number {number}." for number in range(len(TOOLS), count)
    }
    return [
        StructuredTool.from_function(
            lambda: "done", name=name, description=description, coroutine=_done
        )
        for name, description in (other_tools | TOOLS).items()
    ]


async def _done():
    return "done"


def question(text=QUESTION):
    """Return the input of an agent: a message of the user."""
    return {"messages": [HumanMessage(text)]}


def model_request(tools, **message):
    """Return the request that an agent passes to its middleware before each call of the model."""
    return ModelRequest(
        model=scripted(),
        messages=[HumanMessage(QUESTION, **message)],
        tools=tools,
        **dict.fromkeys(["system_prompt", "tool_choice", "response_format", "runtime"]),
        state={"messages": []},
    )


@pytest.fixture
def make_selector(reranker):
    """Return a function that makes a middleware whose reranker does not retry."""
    reranker.max_retries = 0

    def make_selector(**options):
        return RerankToolSelectorMiddleware(reranker, **({"max_tools": 2} | options))

    return make_selector


@pytest.fixture
def make_agent(make_selector):
    """Return a function that makes a model with scripted answers, and an agent with this model."""

    def make_agent(*answers, tools=None, checkpointer=None, **options):
        model = scripted(*answers)
        middleware = [make_selector(**options)]
        tools = make_tools() if tools is None else tools
        return model, create_agent(
            model, tools=tools, middleware=middleware, checkpointer=checkpointer
        )

    return make_agent


@pytest.mark.parametrize("count", [5, 200])
async def test_the_model_gets_the_most_relevant_tools(make_agent, invoke, count, local_openrouter):
    """The model gets the best tools of few or many, in the order in which they were passed."""
    model, agent = make_agent("Sunny.", tools=make_tools(count))

    await invoke(agent, question())

    [request] = local_openrouter.requests
    assert model.shown == [["forecast", "weather_in"]]
    assert request.query == QUESTION
    assert len(request.documents) == count
    assert "weather_in: Tells the weather in a city now." in request.documents


async def test_the_tools_are_ranked_once_in_a_turn(make_agent, invoke, local_openrouter):
    """All calls of the model in a turn get the same tools, which are ranked once."""
    call = ("weather_in", {})
    model, agent = make_agent(call, call, call, "Sunny.", tools=make_tools(200))

    state = await invoke(agent, question())

    assert state["messages"][-1].content == "Sunny."
    assert model.shown == [["forecast", "weather_in"]] * 4
    assert len(local_openrouter.requests) == 1


async def test_the_next_message_ranks_the_tools_again(make_agent, invoke, local_openrouter):
    """Each message of the user in a conversation has its own selection of tools."""
    model, agent = make_agent("Sunny.", "Baked.", checkpointer=InMemorySaver(), max_tools=1)
    thread = {"configurable": {"thread_id": "1"}}

    await invoke(agent, question(), thread)
    await invoke(agent, question(LONG_QUESTION), thread)

    assert model.shown == [["weather_in"], ["bake_bread"]]
    assert [request.query for request in local_openrouter.requests] == [QUESTION, LONG_QUESTION]


async def test_changed_tools_are_ranked_again(reranker, invoke, local_openrouter):
    """If other middleware changes the tools during a turn, the tools are ranked again."""
    calls = []

    def with_fewer_tools(request):
        calls.append(request)
        return request.override(tools=request.tools[: 5 - len(calls)])

    class FewerTools(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            return handler(with_fewer_tools(request))

        async def awrap_model_call(self, request, handler):
            return await handler(with_fewer_tools(request))

    model = scripted(("forecast", {}), "Sunny.")
    selector = RerankToolSelectorMiddleware(reranker, max_tools=1)
    agent = create_agent(model, tools=make_tools(), middleware=[FewerTools(), selector])

    await invoke(agent, question())

    assert [len(request.documents) for request in local_openrouter.requests] == [4, 3]


async def test_few_tools_are_not_ranked(make_agent, invoke, local_openrouter):
    """If there are at most `max_tools` tools, no request is sent."""
    model, agent = make_agent("Sunny.", max_tools=5)

    await invoke(agent, question())

    assert model.shown == [list(TOOLS)]
    assert local_openrouter.requests == []


async def test_tools_of_always_include_are_kept(make_agent, invoke, local_openrouter):
    """The tools in `always_include` are neither ranked nor counted."""
    model, agent = make_agent("Sunny.", always_include=["translate", "bake_bread"], max_tools=1)

    await invoke(agent, question())

    assert model.shown == [["bake_bread", "translate", "weather_in"]]
    assert len(local_openrouter.requests[0].documents) == 3


async def test_an_unknown_name_in_always_include_is_refused(make_agent, invoke):
    """A name in `always_include` that no tool has is an error with this name."""
    _, agent = make_agent("Sunny.", always_include=["translat"])

    with pytest.raises(ConfigurationError, match=r"\['translat'\], but the tools are \['bake_br"):
        await invoke(agent, question())


@pytest.mark.parametrize(
    ("min_score", "shown"),
    [
        (0.5, [["forecast", "weather_in"]]),
        (0.9, [["weather_in"]]),
        (1.1, []),  # An agent without tools does not bind any
    ],
)
async def test_tools_below_min_score_are_left_out(
    make_agent, invoke, min_score, shown, local_openrouter
):
    """Tools below `min_score` are left out, even if there are fewer than `max_tools` tools."""
    model, agent = make_agent("Sunny.", min_score=min_score, max_tools=10)

    await invoke(agent, question())

    assert [names for names in model.shown if names] == shown
    assert len(local_openrouter.requests) == 1


async def test_tools_of_the_provider_are_kept(make_agent, invoke, local_openrouter):
    """Tools that the model's provider runs are mappings. They are kept and not ranked."""
    model, agent = make_agent("Sunny.", tools=[WEB_SEARCH, *make_tools()], max_tools=1)

    await invoke(agent, question())

    assert model.shown == [["weather_in", "web_search"]]
    assert len(local_openrouter.requests[0].documents) == 5


@pytest.mark.parametrize(
    "failure", [error(503, "down"), error(401, "no such key"), Reply(body=b"{"), Reply(status=502)]
)
async def test_all_tools_are_kept_if_reranking_fails(
    make_agent, invoke, failure, caplog, local_openrouter
):
    """The agent uses all tools in this turn, a warning is logged, and one request is sent."""
    local_openrouter.always(failure)
    model, agent = make_agent(("forecast", {}), "Sunny.")

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        state = await invoke(agent, question())

    assert state["messages"][-1].content == "Sunny."
    assert model.shown == [list(TOOLS)] * 2
    assert len(local_openrouter.requests) == 1
    [record] = caplog.records
    assert (
        "reranking the tools failed, applying on_failure: selected=5 tools=5" in record.getMessage()
    )


async def test_after_a_failure_the_next_turn_ranks_the_tools_again(
    make_agent, invoke, local_openrouter
):
    """If reranking failed in one turn, the same question in the next turn ranks the tools again."""
    local_openrouter.script(error(503, "down"))
    model, agent = make_agent("Pardon?", "Sunny.")

    await invoke(agent, question())
    await invoke(agent, question())

    assert model.shown == [list(TOOLS), ["forecast", "weather_in"]]


async def test_on_error_of_the_reranker_does_not_apply(
    make_agent, invoke, reranker, local_openrouter
):
    """A reranker with `on_error="passthrough"` keeps all tools too, and its options stay."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.top_n = "passthrough", 1
    model, agent = make_agent("Sunny.")

    await invoke(agent, question())

    assert model.shown == [list(TOOLS)]
    assert (reranker.on_error, reranker.top_n) == ("passthrough", 1)


async def test_options_for_documents_do_not_apply(make_agent, invoke, reranker, local_openrouter):
    """The options that a reranker has for a retriever do not change the selection of tools."""
    reranker.top_n = 1
    reranker.rank_fields = ("title",)
    reranker.document_converter = lambda document: document.metadata["text"]
    model, agent = make_agent("Sunny.")

    await invoke(agent, question())

    assert model.shown == [["forecast", "weather_in"]]


@pytest.mark.parametrize("messages", [[AIMessage("Hello")], [HumanMessage("  ")], []])
async def test_without_a_question_all_tools_are_kept(
    make_agent, invoke, messages, local_openrouter
):
    """If there is no message of the user, or a blank one, the tools are not ranked."""
    model, agent = make_agent("How can I help?")

    await invoke(agent, {"messages": messages})

    assert model.shown == [list(TOOLS)]
    assert local_openrouter.requests == []


async def test_the_text_of_a_message_with_an_image_is_the_query(
    make_agent, invoke, local_openrouter
):
    """If a message consists of a text and an image, the tools are ranked by the text."""
    _, agent = make_agent("Sunny.")
    text = {"type": "text", "text": QUESTION}
    image = {"type": "image", "url": "https://example.com/sky.png"}

    await invoke(agent, {"messages": [HumanMessage(content=[text, image])]})

    assert local_openrouter.requests[0].query == QUESTION


async def test_the_selection_is_a_run(make_agent, invoke, runs):
    """The ranking of the tools is a run inside the run of the model's step."""
    _, agent = make_agent("Sunny.")

    await invoke(agent, question(), {"callbacks": [runs]})

    assert ("OpenRouterRerank", "model") in runs.tree


async def test_async_calls_need_no_thread(make_selector, no_threads):
    """The async selection of tools does not use threads."""

    async def names_of_tools(request):
        return [tool.name for tool in request.tools]

    selected = await make_selector().awrap_model_call(model_request(make_tools()), names_of_tools)

    assert selected == ["forecast", "weather_in"]


def test_threads_and_loops_share_a_selector(make_selector, local_openrouter):
    """Sync and async agents in several threads share a selector, and get their own tools."""
    selector = make_selector(max_tools=1)
    # Made before the threads start: LangChain suppresses warnings while it makes a tool, and the
    # filters for warnings are shared by all threads.
    tools = make_tools(20)
    expected_tools = {"Bakes bread": "bake_bread", "Translates a text": "translate"}

    def is_tool_selected(turn):
        text = list(expected_tools)[turn % 2]
        model = scripted("Done.")
        agent = create_agent(model, tools=tools, middleware=[selector])
        if turn % 4 < 2:
            agent.invoke(question(text))
        else:
            asyncio.run(agent.ainvoke(question(text)))
        return model.shown == [[expected_tools[text]]]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(is_tool_selected, range(32)))
    assert len(local_openrouter.requests) == 32


def test_only_the_last_selections_are_stored(make_selector, local_openrouter):
    """The selections of 1,024 turns are stored, so the memory of a process does not grow."""
    selector, tools = make_selector(), make_tools()

    def requests_after_turn(number):
        selector.wrap_model_call(model_request(tools, id=str(number)), lambda request: request)
        return len(local_openrouter.requests)

    assert [requests_after_turn(number) for number in range(3)] == [1, 2, 3]
    assert requests_after_turn(0) == 3
    for number in range(3, 1030):
        requests_after_turn(number)
    assert requests_after_turn(1029) == 1030
    assert requests_after_turn(0) == 1031
