"""Both transports, with the official client in both of its protocols."""

from concurrent.futures import CancelledError

import pytest
from openrouter_rerank.local.stage import Fault, error, scores, word_overlap

pytest.importorskip("mcp", reason="the extra mcp is not installed")

# Each test begins with a service that has nothing scripted.
pytestmark = pytest.mark.usefixtures("stage")

CALL = {"query": "capital of France", "documents": ["Berlin", "Paris, capital of France"]}


def test_the_tools_can_be_listed_and_called(connection):
    """A client lists the tools, and gets a structured result that fits the schema."""
    result = connection.call("rerank", CALL | {"top_n": 1})
    models = connection.call("list_rerank_models", {})

    assert [tool.name for tool in connection.tools()] == ["rerank", "list_rerank_models"]
    assert result.structured_content["results"] == [{"index": 1, "relevance_score": 1.0}]
    assert models.structured_content["is_live"]


def test_an_error_is_a_tool_error(connection, stage):
    """An error of the service reaches the client as the text of a tool error."""
    stage.script(error(402, "Insufficient credits"))

    result = connection.call("rerank", CALL)
    after = connection.call("rerank", CALL)

    assert result.is_error
    assert result.content[0].text.startswith("Insufficient credits (HTTP 402")
    assert not after.is_error


def test_texts_in_all_scripts_pass_unchanged(connection, stage):
    """Texts of any script, control characters and emoji reach the service and come back."""
    documents = ["東京は日本の首都です。", "Паризь\u2028\r\n\t", "\U0001f1eb\U0001f1f7 \x00 \u202e"]

    result = connection.call(
        "rerank", {"query": "q", "documents": documents, "return_documents": True}
    )

    found = {row["index"]: row["text"] for row in result.structured_content["results"]}
    assert [found[index] for index in range(3)] == documents
    assert stage.requests[0].documents == documents


def test_a_call_of_a_thousand_documents_passes(connection):
    """A call with the most documents, of a megabyte, is ranked with a result for each."""
    documents = [f"{number} {'x' * 1_000}" for number in range(1_000)]

    result = connection.call("rerank", {"query": "999", "documents": documents})

    rows = result.structured_content["results"]
    assert rows[0]["index"] == 999
    assert sorted(row["index"] for row in rows) == [*range(1_000)]


def test_the_largest_result_passes(connection, stage):
    """A result of the most documents and text, all escaped, is below the limits of the client."""
    documents = ["\x01" * 59_001, *["\x01"] * 999]
    stage.script(scores(*(0.12345678901234567 - at / 10_000 for at in range(1_000))))

    result = connection.call(
        "rerank", {"query": "q", "documents": documents, "return_documents": True}
    )

    assert [row["text"] for row in result.structured_content["results"]] == documents


def test_concurrent_calls_are_independent(connection, stage):
    """Calls at the same time get their own results; one that fails does not affect the others."""
    queries = [f"q{number}" for number in range(12)]
    stage.always(
        lambda request: error(400, "no") if request.query == "q3" else word_overlap(request)
    )

    calls = [
        connection.start("rerank", {"query": query, "documents": ["a", query]}) for query in queries
    ]
    results = [call.result(timeout=60) for call in calls]

    assert [number for number, result in enumerate(results) if result.is_error] == [3]
    assert {
        result.structured_content["results"][0]["index"]
        for result in results
        if not result.is_error
    } == {1}


def test_a_cancelled_call_cancels_the_request(connection, stage):
    """If the client cancels a call, the server closes the connection to OpenRouter and goes on."""
    stage.script(Fault.hang())
    call = connection.start("rerank", CALL)
    stage.wait_until(lambda: stage.in_flight == 1, timeout=30)

    call.cancel()

    stage.wait_until(lambda: stage.in_flight == 0, timeout=30)
    with pytest.raises(CancelledError):
        call.result()
    assert not connection.call("rerank", CALL).is_error
