"""`RerankToolSelectorMiddleware` in conversations: the question, called tools, and failures."""

import logging
from functools import partial

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langchain_openrouter_rerank._conversation import called_tools, question_of
from langchain_openrouter_rerank.middleware import RerankToolSelectorMiddleware
from langgraph.checkpoint.memory import InMemorySaver
from openrouter_rerank.errors import ConfigurationError, ServiceUnavailableError
from openrouter_rerank.local.stage import error

from tests.scripted_chat import scripted

TOOLS = {
    "bake_bread": "Bakes a loaf of bread.",
    "book_flight": "Books a flight to another city.",
    "translate": "Translates a text.",
    "weather": "Tells the weather in a city on a day.",
}
WEB_SEARCH = {"type": "web_search"}
LONG = "one two three four five six seven eight nine ten eleven twelve"


async def _done():
    return "done"


@pytest.fixture
def make_agent(reranker):
    """Return a function that makes a model with scripted answers, and an agent with this model."""
    reranker.max_retries = 0
    tools = [
        StructuredTool.from_function(
            lambda: "done", name=name, description=description, coroutine=_done
        )
        for name, description in TOOLS.items()
    ]

    def make_agent(*answers, max_tools=1, **options):
        model = scripted(*answers)
        selector = RerankToolSelectorMiddleware(reranker, max_tools=max_tools, **options)
        return model, create_agent(
            model, tools=[WEB_SEARCH, *tools], middleware=[selector], checkpointer=InMemorySaver()
        )

    return make_agent


@pytest.fixture
def ask(invoke):
    """Return a function that asks an agent one question after another, in one conversation."""

    async def ask(agent, *questions):
        for question in questions:
            state = {"messages": [HumanMessage(question)]}
            await invoke(agent, state, {"configurable": {"thread_id": "1"}})

    return ask


async def test_a_short_answer_keeps_the_tool(make_agent, ask, local_openrouter):
    """An answer of one word is ranked together with the question that it belongs to."""
    model, agent = make_agent("Which day?", ("weather", {}), "Sunny.")

    await ask(agent, "weather in paris", "yes")

    assert [request.query for request in local_openrouter.requests] == [
        "weather in paris",
        "weather in paris\nWhich day?\nyes",
    ]
    assert model.shown == [["weather", "web_search"]] * 3


async def test_called_tools_stay(make_agent, ask, local_openrouter):
    """A tool that the model has called stays in later turns, in addition to the selected ones."""
    model, agent = make_agent(("weather", {}), "Sunny.", "Baked.")

    await ask(agent, "weather in paris", f"{LONG}: bakes a loaf of bread")

    assert model.shown[-1] == ["bake_bread", "weather", "web_search"]
    assert len(local_openrouter.requests) == 2


async def test_a_hidden_tool_can_be_called(make_agent, ask, local_openrouter):
    """The agent executes the call of a hidden tool, and the tool is shown from then on."""
    model, agent = make_agent(("translate", {}), "Done.")

    await ask(agent, "weather in paris")

    assert model.shown == [["weather", "web_search"], ["translate", "weather", "web_search"]]
    assert len(local_openrouter.requests) == 1


async def test_without_max_tools_the_best_come_first(make_agent, ask):
    """With `max_tools=None` the model gets all tools, the most relevant first."""
    model, agent = make_agent("Baked.", max_tools=None, always_include="bake_bread")

    await ask(agent, "the weather in a city")

    assert model.shown[0][:2] == ["weather", "book_flight"]
    assert model.shown[0][3:] == ["bake_bread", "web_search"]
    assert {*model.shown[0]} == {*TOOLS, "web_search"}


async def test_without_max_tools_a_threshold_applies(make_agent, ask):
    """With `max_tools=None` and `min_score`, the tools with this score come, the best first."""
    model, agent = make_agent("Sunny.", max_tools=None, min_score=0.3)

    await ask(agent, "flight to a city with good weather")

    assert model.shown == [["book_flight", "weather", "web_search"]]


@pytest.mark.parametrize(
    ("on_failure", "shown"),
    [
        ("all", [*TOOLS]),
        ("none", ["bake_bread"]),
        (["weather", "translate"], ["bake_bread", "translate", "weather"]),
        ([], ["bake_bread"]),
    ],
)
async def test_on_failure_selects_tools(make_agent, ask, on_failure, shown, local_openrouter):
    """After a failure the model gets all tools, none, or the named ones, until the next message."""
    local_openrouter.script(error(503, "down"))
    options = {"on_failure": on_failure, "always_include": "bake_bread"}
    model, agent = make_agent(("bake_bread", {}), "Done.", "Sunny.", **options)

    await ask(agent, "weather in paris", f"{LONG}: the weather in a city on a day")

    assert model.shown == [
        *[[*shown, "web_search"]] * 2,
        ["bake_bread", "weather", "web_search"],
    ]
    assert len(local_openrouter.requests) == 2


async def test_on_failure_can_raise(make_agent, ask, local_openrouter):
    """With `on_failure="error"` the failure is raised, and the next call ranks again."""
    local_openrouter.script(error(503, "down"))
    model, agent = make_agent("Sunny.", on_failure="error")

    with pytest.raises(ServiceUnavailableError):
        await ask(agent, "weather in paris")
    await ask(agent, "weather in paris")

    assert model.shown == [["weather", "web_search"]]


async def test_an_unknown_name_in_on_failure_is_refused(make_agent, ask):
    """A name in `on_failure` that no tool has is an error before anything fails."""
    _, agent = make_agent("Sunny.", on_failure=["wether"])

    with pytest.raises(ConfigurationError, match=r"on_failure names \['wether'\], but the tools"):
        await ask(agent, "weather in paris")


@pytest.mark.parametrize("on_failure", ["raise", 5, [1]])
def test_an_invalid_on_failure_is_refused(reranker, on_failure):
    """A value that `on_failure` does not have is an error that says which it has."""
    with pytest.raises(ConfigurationError, match=r"on_failure must be .*list of names of tools"):
        RerankToolSelectorMiddleware(reranker, max_tools=1, on_failure=on_failure)


async def test_the_log_does_not_quote_the_conversation(make_agent, ask, caplog, local_openrouter):
    """The warning after a failure says how many tools are left, and quotes no message."""
    local_openrouter.always(error(503, "down"))
    _, agent = make_agent("Sunny.", on_failure="none")

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        await ask(agent, "weather in paris")

    [record] = caplog.records
    assert record.getMessage().startswith(
        "reranking the tools failed, applying on_failure: selected=0 tools=4 error=Serv"
    )
    assert "paris" not in record.getMessage()


human, assistant = HumanMessage, AIMessage
image = {"type": "image", "url": "https://example.com/a.png"}


@pytest.mark.parametrize(
    ("messages", "question"),
    [
        ([], ""),
        ([assistant("Hello")], ""),
        ([human(" ")], ""),
        ([human(" one ")], "one"),
        ([SystemMessage("system"), human("one")], "one"),
        ([human("one"), assistant("two"), human("three")], "one\ntwo\nthree"),
        ([human("one"), assistant("two"), human(LONG)], LONG),
        (
            [human("one"), assistant("two"), human(LONG), assistant("a"), human("b")],
            f"{LONG}\na\nb",
        ),
        ([human("one"), assistant("two"), human([image])], "one"),
        ([human("one"), ToolMessage("found", tool_call_id="1"), human("two")], "one\ntwo"),
        ([human(str(number)) for number in range(9)], "5\n6\n7\n8"),
        ([human("x" * 900), human("y" * 900)], f"{'x' * 200}\n{'y' * 900}"),
        ([human("one"), assistant(f"{'x' * 900}?"), human("two")], f"one\n{'x' * 199}?\ntwo"),
    ],
)
def test_the_question_is_the_last_message_with_its_context(messages, question):
    """A short message of the user is preceded by those before it, within limits."""
    assert question_of(messages) == question


def test_called_tools_are_those_that_the_model_called():
    """The names are in the messages of the model, also of calls without a result."""
    call = partial(dict, args={}, id="1")
    messages = [
        human("one"),
        assistant("", tool_calls=[call(name="a"), call(name="b")]),
        ToolMessage("done", name="c", tool_call_id="1"),
        assistant("", tool_calls=[call(name="a")]),
    ]

    assert called_tools(messages) == {"a", "b"}
