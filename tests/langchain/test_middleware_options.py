"""The options of `RerankToolSelectorMiddleware`, and what is not installed or not set."""

import subprocess
import sys

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_openrouter_rerank.middleware import RerankToolSelectorMiddleware
from openrouter_rerank.errors import ConfigurationError

from tests.scripted_chat import scripted

TOOLS = {"forecast": "Tells the weather of the next days.", "translate": "Translates a text."}
QUESTION = {"messages": [HumanMessage("Tells the weather")]}


async def _done():
    return "done"


def make_agent(model, selector):
    """Return an agent with two tools."""
    tools = [
        StructuredTool.from_function(
            coroutine=_done, func=lambda: "done", name=name, description=text
        )
        for name, text in TOOLS.items()
    ]
    return create_agent(model, tools=tools, middleware=[selector])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tools": 0}, "max_tools must be a whole number, 1 or more, or None, got 0"),
        ({"always_include": 5}, "always_include must be a list of names of tools, got 5"),
    ],
)
def test_invalid_options_are_refused(reranker, options, message):
    """An invalid option is an error when the middleware is made."""
    with pytest.raises(ConfigurationError, match=message):
        RerankToolSelectorMiddleware(reranker, **({"max_tools": 2} | options))


def test_the_name_of_a_model_is_refused():
    """The name of a model, which other selectors accept, is an error that says what to pass."""
    with pytest.raises(ConfigurationError, match=r"type str: pass OpenRouterRerank\(model="):
        RerankToolSelectorMiddleware("cohere/rerank-v3.5", max_tools=2)


def test_min_score_cannot_be_combined_with_fallback_models(reranker):
    """`min_score` is refused with fallback models, because each model has its own scale."""
    reranker.fallback_models = ("cohere/rerank-4-fast",)

    with pytest.raises(ConfigurationError, match="scale"):
        RerankToolSelectorMiddleware(reranker, max_tools=2, min_score=0.5)


@pytest.mark.usefixtures("key_in_environment")
async def test_the_reranker_is_optional(invoke):
    """Without a reranker, the middleware makes one that takes its key from the environment."""
    model = scripted("Sunny.")
    selector = RerankToolSelectorMiddleware(max_tools=1)

    await invoke(make_agent(model, selector), QUESTION)

    assert model.shown == [["forecast"]]


async def test_an_agent_works_when_its_key_is_gone(invoke, monkeypatch):
    """Without a key, the tools are not ranked, and the model gets all of them."""
    model = scripted("Sunny.")
    selector = RerankToolSelectorMiddleware(OpenRouterRerank(), max_tools=1)
    monkeypatch.delenv("OPENROUTER_API_KEY")

    await invoke(make_agent(model, selector), QUESTION)

    assert model.shown == [list(TOOLS)]


def test_the_package_works_without_langchain():
    """Without the extra `agents` the package works, and the middleware's error names the extra."""
    program = (
        "import sys; sys.modules['langchain'] = None\n"
        "import langchain_openrouter_rerank as package\n"
        "print(package.OpenRouterRerank)\n"
        "import langchain_openrouter_rerank.middleware\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, text=True
    )

    assert "OpenRouterRerank" in process.stdout
    assert "pip install 'langchain-openrouter-rerank[agents]'" in process.stderr
