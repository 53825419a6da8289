"""Both transports, with the official client in both of its protocols."""

import asyncio

import pytest
from openrouter_rerank.local.stage import Fault, error, word_overlap

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from mcp import Client

CALL = {"query": "capital of France", "documents": ["Berlin", "Paris, capital of France"]}


async def test_the_tools_can_be_listed_and_called(server, protocol):
    """A client lists the tools, and gets a structured result that fits the schema."""
    async with Client(server, mode=protocol) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("rerank", CALL | {"top_n": 1})
        models = await client.call_tool("list_rerank_models", {})

    assert [tool.name for tool in tools] == ["rerank", "list_rerank_models"]
    assert result.structured_content["results"] == [{"index": 1, "relevance_score": 1.0}]
    assert models.structured_content["is_live"]


async def test_an_error_is_a_tool_error(server, stage):
    """An error of the service reaches the client as the text of a tool error."""
    stage.script(error(402, "Insufficient credits"))

    async with Client(server) as client:
        result = await client.call_tool("rerank", CALL)
        after = await client.call_tool("rerank", CALL)

    assert result.is_error
    assert result.content[0].text.startswith("Insufficient credits (HTTP 402")
    assert not after.is_error


async def test_texts_in_all_scripts_pass_unchanged(server, stage):
    """Texts of any script, control characters and emoji reach the service and come back."""
    documents = ["東京は日本の首都です。", "Паризь\u2028\r\n\t", "\U0001f1eb\U0001f1f7 \x00 \u202e"]

    async with Client(server) as client:
        result = await client.call_tool(
            "rerank", {"query": "q", "documents": documents, "return_documents": True}
        )

    found = {row["index"]: row["text"] for row in result.structured_content["results"]}
    assert [found[index] for index in range(3)] == documents
    assert stage.requests[0].documents == documents


async def test_a_call_of_a_thousand_documents_passes(server):
    """A call with the most documents, of a megabyte, is ranked with a result for each."""
    documents = [f"{number} {'x' * 1_000}" for number in range(1_000)]

    async with Client(server) as client:
        result = await client.call_tool("rerank", {"query": "999", "documents": documents})

    rows = result.structured_content["results"]
    assert rows[0]["index"] == 999
    assert sorted(row["index"] for row in rows) == [*range(1_000)]


async def test_the_largest_result_passes(server, protocol):
    """A result with the most text that can be returned is below the limits of the client."""
    documents = ["東" * 50_000, '"' * 50_000]

    async with Client(server, mode=protocol) as client:
        result = await client.call_tool(
            "rerank", {"query": "q", "documents": documents, "return_documents": True}
        )

    assert [row["text"] for row in result.structured_content["results"]] == documents


async def test_concurrent_calls_are_independent(server, stage):
    """Calls at the same time get their own results; one that fails does not affect the others."""
    queries = [f"q{number}" for number in range(12)]
    stage.always(
        lambda request: error(400, "no") if request.query == "q3" else word_overlap(request)
    )

    async with Client(server) as client:
        results = await asyncio.gather(
            *(
                client.call_tool("rerank", {"query": query, "documents": ["a", query]})
                for query in queries
            )
        )

    assert [number for number, result in enumerate(results) if result.is_error] == [3]
    assert {
        result.structured_content["results"][0]["index"]
        for result in results
        if not result.is_error
    } == {1}


async def test_a_cancelled_call_cancels_the_request(server, protocol, stage):
    """If the client cancels a call, the server closes the connection to OpenRouter and goes on."""
    stage.script(Fault.hang())

    async with Client(server, mode=protocol) as client:
        call = asyncio.create_task(client.call_tool("rerank", CALL))
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 1, timeout=30)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 0, timeout=30)
        after = await client.call_tool("rerank", CALL)

    assert not after.is_error
