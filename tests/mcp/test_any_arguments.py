"""A law of tool calls: any arguments give a result or a tool error, and no exception."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from openrouter_rerank.mcp.server import ToolCalls
from openrouter_rerank.mcp.tools import RERANK

TEXTS = st.text(st.characters()) | st.sampled_from(["[]", '["a"]', "[" * 50, "\ud800", "null"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
DOCUMENTS = st.lists(
    TEXTS | st.dictionaries(st.sampled_from(["text", "image", "id"]), TEXTS | VALUES) | VALUES,
    max_size=4,
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "query": TEXTS | VALUES,
        "documents": DOCUMENTS | VALUES,
        "model": TEXTS | VALUES,
        "top_n": st.integers() | VALUES,
        "return_documents": st.booleans() | VALUES,
        "other": VALUES,
    },
)


@pytest.fixture(autouse=True)
def service(stage, environment, monkeypatch):
    """The scripted service, which the environment names."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


async def rerank(arguments):
    """Call the tool, and check that the result is complete and fits into a message."""
    calls = ToolCalls(model="cohere/rerank-v3.5", budget=None)
    result = await calls.call(RERANK, arguments)
    await calls.aclose()
    (content,) = result.content
    content.text.encode()
    if not result.is_error:
        assert json.loads(content.text) == result.structured_content
    return result


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=ARGUMENTS)
def test_any_arguments_give_a_result_or_an_explained_error(arguments):
    """No arguments raise an exception; an error says what is wrong, in a few lines."""
    result = asyncio.run(rerank(arguments))

    assert not result.is_error or "failed (" not in result.content[0].text
    assert not result.is_error or len(result.content[0].text) < 1_500


@pytest.mark.parametrize("name", ["query", "documents", "model", "other"])
async def test_deeply_nested_arguments_are_an_error(name):
    """Arguments that are nested more deeply than any document are an explained tool error."""
    value = []
    for _ in range(400):
        value = [value]

    result = await rerank({"query": "q", "documents": ["a"], name: value})

    assert result.is_error
    assert result.content[0].text.endswith("Correct the arguments, and call the tool again.")
