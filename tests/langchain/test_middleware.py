"""`RerankToolSelectorMiddleware` in agents, with scripted models in place of dear ones."""

import asyncio
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ModelRequest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import StructuredTool
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_openrouter_rerank.middleware import RerankToolSelectorMiddleware
from langgraph.checkpoint.memory import InMemorySaver
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.local.stage import Reply, error

from tests.scripted_chat import scripted

WORK = {
    "bake_bread": "Bakes a loaf of bread.",
    "forecast": "Tells the weather of the next days.",
    "book_flight": "Books a flight to another city.",
    "translate": "Translates a text.",
    "weather_in": "Tells the weather in a city now.",
}
QUESTION = "Tells the weather in a city"
WEB_SEARCH = {"type": "web_search"}


def tools(count=5):
    """Make tools for all kinds of work, and as many others as there should be."""
    others = {f"tool_{at}": f"Does the work number {at}." for at in range(len(WORK), count)}
    return [
        StructuredTool.from_function(
            lambda: "done", name=name, description=description, coroutine=_done
        )
        for name, description in (others | WORK).items()
    ]


async def _done():
    return "done"


def ask(text=QUESTION, **message):
    """Make the input of an agent."""
    return {"messages": [HumanMessage(text, **message)]}


def call(given, **message):
    """Make what an agent hands to its middleware before the model is called."""
    return ModelRequest(
        model=scripted(),
        messages=[HumanMessage(QUESTION, **message)],
        tools=given,
        **dict.fromkeys(["system_prompt", "tool_choice", "response_format", "runtime"]),
        state={"messages": []},
    )


@pytest.fixture
def selector(reranker):
    """Make a middleware that calls the local service."""

    def selector(**options):
        return RerankToolSelectorMiddleware(reranker, **({"max_tools": 2} | options))

    return selector


@pytest.fixture
def agent(selector):
    """Make an agent that says `lines`, and return it together with its model."""

    def agent(*lines, given=None, checkpointer=None, **options):
        model = scripted(*lines)
        middleware = [selector(**options)]
        given = tools() if given is None else given
        return model, create_agent(
            model, tools=given, middleware=middleware, checkpointer=checkpointer
        )

    return agent


@pytest.mark.parametrize("count", [5, 200])
async def test_the_model_sees_the_most_relevant_tools(agent, invoke, count, local_openrouter):
    """Of few tools and of many, the model sees the best, in the order in which they were given."""
    model, graph = agent("Sunny.", given=tools(count))

    await invoke(graph, ask())

    [request] = local_openrouter.requests
    assert model.shown == [["forecast", "weather_in"]]
    assert request.query == QUESTION
    assert len(request.documents) == count
    assert "weather_in: Tells the weather in a city now." in request.documents


async def test_a_turn_asks_once(agent, invoke, local_openrouter):
    """However often the model calls tools, their selection is made once, and stays."""
    call = ("weather_in", {})
    model, graph = agent(call, call, call, "Sunny.", given=tools(200))

    answer = await invoke(graph, ask())

    assert answer["messages"][-1].content == "Sunny."
    assert model.shown == [["forecast", "weather_in"]] * 4
    assert len(local_openrouter.requests) == 1


async def test_the_next_message_asks_again(agent, invoke, local_openrouter):
    """Each message of the user in a conversation has a selection of its own."""
    model, graph = agent("Sunny.", "Baked.", checkpointer=InMemorySaver(), max_tools=1)
    thread = {"configurable": {"thread_id": "1"}}

    await invoke(graph, ask(), thread)
    await invoke(graph, ask("Bakes bread"), thread)

    assert model.shown == [["weather_in"], ["bake_bread"]]
    assert [each.query for each in local_openrouter.requests] == [QUESTION, "Bakes bread"]


async def test_tools_that_change_are_ranked_again(reranker, invoke, local_openrouter):
    """Where other middleware changes the tools during a turn, the new ones have their chance."""
    calls = []

    def fewer(request):
        calls.append(request)
        return request.override(tools=request.tools[: 5 - len(calls)])

    class Fewer(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            return handler(fewer(request))

        async def awrap_model_call(self, request, handler):
            return await handler(fewer(request))

    model = scripted(("forecast", {}), "Sunny.")
    selecting = RerankToolSelectorMiddleware(reranker, max_tools=1)
    graph = create_agent(model, tools=tools(), middleware=[Fewer(), selecting])

    await invoke(graph, ask())

    assert [len(each.documents) for each in local_openrouter.requests] == [4, 3]


async def test_few_tools_need_no_choice(agent, invoke, local_openrouter):
    """With no more tools than may be shown, nothing is sent."""
    model, graph = agent("Sunny.", max_tools=5)

    await invoke(graph, ask())

    assert model.shown == [list(WORK)]
    assert local_openrouter.requests == []


async def test_named_tools_are_always_included(agent, invoke, local_openrouter):
    """They are neither ranked nor counted."""
    model, graph = agent("Sunny.", always_include=["translate", "bake_bread"], max_tools=1)

    await invoke(graph, ask())

    assert model.shown == [["bake_bread", "translate", "weather_in"]]
    assert len(local_openrouter.requests[0].documents) == 3


async def test_a_misspelt_name_is_refused(agent, invoke):
    """A tool that should always be there, and is not among the tools, is told."""
    _, graph = agent("Sunny.", always_include=["translat"])

    with pytest.raises(ConfigurationError, match=r"\['translat'\], but the tools are \['bake_br"):
        await invoke(graph, ask())


@pytest.mark.parametrize(
    ("min_score", "shown"),
    [
        (0.5, [["forecast", "weather_in"]]),
        (0.9, [["weather_in"]]),
        (1.1, []),  # An agent without tools binds none
    ],
)
async def test_a_tool_needs_a_score(agent, invoke, min_score, shown, local_openrouter):
    """Tools below the score are not shown, even if there is room for them."""
    model, graph = agent("Sunny.", min_score=min_score, max_tools=10)

    await invoke(graph, ask())

    assert [names for names in model.shown if names] == shown
    assert len(local_openrouter.requests) == 1


async def test_the_providers_own_tools_are_kept(agent, invoke, local_openrouter):
    """Tools that the model's provider runs are plain mappings: shown always, and never ranked."""
    model, graph = agent("Sunny.", given=[WEB_SEARCH, *tools()], max_tools=1)

    await invoke(graph, ask())

    assert model.shown == [["weather_in", "web_search"]]
    assert len(local_openrouter.requests[0].documents) == 5


@pytest.mark.parametrize(
    "failure", [error(503, "down"), error(401, "no such key"), Reply(body=b"{"), Reply(status=502)]
)
async def test_all_tools_are_kept_when_reranking_fails(
    agent, invoke, failure, caplog, local_openrouter
):
    """The agent goes on with every tool for the turn, the log says why, and it is asked once."""
    local_openrouter.always(failure)
    model, graph = agent(("forecast", {}), "Sunny.")

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        answer = await invoke(graph, ask())

    assert answer["messages"][-1].content == "Sunny."
    assert model.shown == [list(WORK)] * 2
    assert len(local_openrouter.requests) == 1
    [record] = caplog.records
    assert "reranking the tools failed, the model sees all 5" in record.getMessage()


async def test_a_failure_lasts_for_one_turn(agent, invoke, local_openrouter):
    """The same question, asked again, is another turn."""
    local_openrouter.script(error(503, "down"))
    model, graph = agent("Pardon?", "Sunny.")

    await invoke(graph, ask())
    await invoke(graph, ask())

    assert model.shown == [list(WORK), ["forecast", "weather_in"]]


async def test_a_lenient_reranker_fails_like_any_other(agent, invoke, reranker, local_openrouter):
    """Where outages of the reranker pass, they do not decide which tools are shown."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.top_n = "passthrough", 1
    model, graph = agent("Sunny.")

    await invoke(graph, ask())

    assert model.shown == [list(WORK)]
    assert (reranker.on_error, reranker.top_n) == ("passthrough", 1)


async def test_options_of_the_reranker_that_are_for_documents_do_not_count(
    agent, invoke, reranker, local_openrouter
):
    """A reranker that is shared with a retriever selects tools as any other."""
    reranker.top_n = 1
    reranker.rank_fields = ("title",)
    reranker.document_converter = lambda document: document.metadata["text"]
    model, graph = agent("Sunny.")

    await invoke(graph, ask())

    assert model.shown == [["forecast", "weather_in"]]


@pytest.mark.parametrize("messages", [[AIMessage("Hello")], [HumanMessage("  ")], []])
async def test_without_a_question_all_tools_are_kept(agent, invoke, messages, local_openrouter):
    """Where the user has said nothing, there is nothing to select for."""
    model, graph = agent("How can I help?")

    await invoke(graph, {"messages": messages})

    assert model.shown == [list(WORK)]
    assert local_openrouter.requests == []


async def test_the_text_of_a_message_with_parts_is_the_question(agent, invoke, local_openrouter):
    """Beside a picture, the words count."""
    _, graph = agent("Sunny.")
    picture = {"type": "image", "url": "https://example.com/sky.png"}

    await invoke(
        graph, {"messages": [HumanMessage(content=[{"type": "text", "text": QUESTION}, picture])]}
    )

    assert local_openrouter.requests[0].query == QUESTION


async def test_handlers_see_the_selection(agent, invoke, runs):
    """The ranking of the tools is a run of its own inside the model's step."""
    _, graph = agent("Sunny.")

    await invoke(graph, ask(), {"callbacks": [runs]})

    assert ("OpenRouterRerank", "model") in runs.tree


async def test_asynchronous_calls_need_no_thread(selector, no_threads):
    """Nothing of the selection waits in a thread."""

    async def narrowed(request):
        return [tool.name for tool in request.tools]

    assert await selector().awrap_model_call(call(tools()), narrowed) == ["forecast", "weather_in"]


def test_one_selector_serves_threads_and_loops(selector, local_openrouter):
    """Agents in many threads, of both modes, share a selector and see each their own tools."""
    shared = selector(max_tools=1)
    # LangChain hushes warnings while it makes a tool, which threads undo for each other.
    given = tools(20)
    questions = {"Bakes bread": "bake_bread", "Translates a text": "translate"}

    def run(turn):
        question = list(questions)[turn % 2]
        model = scripted("Done.")
        graph = create_agent(model, tools=given, middleware=[shared])
        if turn % 4 < 2:
            graph.invoke(ask(question))
        else:
            asyncio.run(graph.ainvoke(ask(question)))
        return model.shown == [[questions[question]]]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(32)))
    assert len(local_openrouter.requests) == 32


def test_it_remembers_the_last_turns_only(selector, local_openrouter):
    """A process that runs for years does not fill its memory with selections."""
    selecting, given = selector(), tools()

    def turn(at):
        selecting.wrap_model_call(call(given, id=str(at)), lambda narrowed: narrowed)
        return len(local_openrouter.requests)

    assert [turn(at) for at in range(3)] == [1, 2, 3]
    assert turn(0) == 3
    for at in range(3, 1030):
        turn(at)
    assert turn(1029) == 1030
    assert turn(0) == 1031


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tools": 0}, "max_tools must be at least 1, got 0"),
        ({"always_include": "translate"}, r"\['translate'\], not 'translate'"),
    ],
)
def test_options_that_make_no_sense_are_refused(selector, options, message):
    """A number or a name that cannot be meant is refused when the middleware is made."""
    with pytest.raises(ConfigurationError, match=message):
        selector(**options)


def test_the_name_of_a_model_is_no_reranker():
    """What other selectors take, the name of a model, is refused when the middleware is made."""
    with pytest.raises(ConfigurationError, match=r"type str: pass OpenRouterRerank\(model="):
        RerankToolSelectorMiddleware("cohere/rerank-v3.5", max_tools=2)


def test_a_score_needs_one_scale(selector, reranker):
    """A least score cannot hold for models that have each a scale of its own."""
    reranker.fallback_models = ("cohere/rerank-4-fast",)

    with pytest.raises(ConfigurationError, match="scale"):
        selector(min_score=0.5)


async def test_the_environment_is_enough(invoke, local_openrouter, monkeypatch):
    """Without a reranker it makes one, which takes its key from the environment."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
    model = scripted("Sunny.")
    selecting = RerankToolSelectorMiddleware(max_tools=1)

    await invoke(create_agent(model, tools=tools(), middleware=[selecting]), ask())

    assert model.shown == [["weather_in"]]


async def test_a_missing_key_does_not_stop_the_agent(invoke):
    """Selecting tools saves tokens; what it lacks is said in the log, and the agent works."""
    model = scripted("Sunny.")
    selecting = RerankToolSelectorMiddleware(OpenRouterRerank(), max_tools=1)

    await invoke(create_agent(model, tools=tools(), middleware=[selecting]), ask())

    assert model.shown == [list(WORK)]


def test_without_langchain_the_package_works_and_says_what_is_missing():
    """The package imports without the extra, and its middleware names the extra that it needs."""
    code = (
        "import sys; sys.modules['langchain'] = None\n"
        "import langchain_openrouter_rerank as package\n"
        "print(package.OpenRouterRerank)\n"
        "import langchain_openrouter_rerank.middleware\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)

    assert "OpenRouterRerank" in done.stdout
    assert "pip install 'langchain-openrouter-rerank[agents]'" in done.stderr
