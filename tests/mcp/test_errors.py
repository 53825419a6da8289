"""Each failure is a tool error that says what happened and what to do, and the server goes on."""

import pytest
from openrouter_rerank import Budget
from openrouter_rerank.local.stage import Fault, Reply, Stage, error, scores

from tests.certificates import authority_and_server_context

pytest.importorskip("mcp", reason="the extra mcp is not installed")

SECRET = "the secret text of a document"


async def failure(client, tool="rerank", **arguments):
    """Call a tool, which must fail, and return the text of the error."""
    result = await client.call_tool(tool, {"query": "q", "documents": ["a"]} | arguments)
    assert result.is_error
    assert result.structured_content is None
    (content,) = result.content
    return content.text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"query": None}, "query: Input should be a valid string"),
        ({"query": ""}, "query: String should have at least 1 character"),
        ({"query": "  "}, "query is blank: pass the question to rank the documents by"),
        ({"documents": None}, "documents: Input should be a valid list"),
        ({"documents": SECRET}, "documents: Input should be a valid list"),
        (
            {"documents": [SECRET, 3, {"text": 1, "image": 2}]},
            (
                "documents[1] must be a string, or an object with text and/or image; "
                "documents[2] must be a string, or an object with text and/or image"
            ),
        ),
        (
            {"documents": [{"text": SECRET, "id": 1}]},
            "documents[0] must be a string, or an object with text and/or image",
        ),
        ({"documents": [SECRET, " "]}, "documents[1] is blank"),
        ({"documents": [SECRET, {}]}, "documents[1] is blank"),
        (
            {"documents": [SECRET] * 1_001},
            "documents has more than 1,000 items: pass the most promising ones",
        ),
        (
            {"documents": [SECRET * 1_000] * 600},
            (
                "the query, texts and images have 17,400,001 characters, and at most 16,000,000 "
                "are accepted: pass fewer or shorter documents"
            ),
        ),
        (
            {"documents": ["x" * 40_000, SECRET, "y" * 40_000], "return_documents": True},
            (
                "the texts of the results may have 80,029 characters, and at most 60,000 are "
                "returned: pass a smaller top_n, or return_documents=false"
            ),
        ),
        ({"top_n": 0}, "top_n: Input should be greater than or equal to 1"),
        ({"top_n": "many"}, "top_n: Input should be a valid integer"),
        ({"model": ""}, "model: String should have at least 1 character"),
        ({"return_documents": "perhaps"}, "return_documents: Input should be a valid boolean"),
        (
            {"topn": 3},
            (
                "unknown argument 'topn': the arguments are query, documents, model, top_n, "
                "return_documents"
            ),
        ),
    ],
)
async def test_wrong_arguments_are_explained(connect, stage, arguments, text):
    """A wrong argument is named with what to pass, no document is quoted, and nothing is sent."""
    async with connect() as client:
        found = await failure(client, **arguments)

    assert found.startswith(text)
    assert found.endswith("Correct the arguments, and call the tool again.")
    assert SECRET not in found
    assert stage.requests == []


@pytest.mark.parametrize(
    "image",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "C:\\secret.png",
        "data:text/html;base64,YQ==",
        "",
    ],
)
async def test_no_file_and_no_other_url_is_an_image(connect, stage, image):
    """Images are https URLs and data URIs of images: anything else is refused, and not read."""
    async with connect(model="nvidia/nemotron-3.5-rerank-8b:free") as client:
        found = await failure(client, documents=[{"image": image}])

    assert found.startswith("documents[0].image must be an https URL or a data URI")
    assert stage.requests == []


async def test_an_image_for_a_text_model_names_another_model(connect, stage):
    """If the model takes no images, the error names one that does, and nothing is sent."""
    async with connect() as client:
        found = await failure(client, documents=[{"image": "https://example.com/a.png"}])

    assert found.startswith(
        "documents[0] has an image, and the model cohere/rerank-v3.5 takes only text: pass "
        "model='nvidia/nemotron-3.5-rerank-8b:free', or only texts"
    )
    assert stage.requests == []


SERVICE_ERRORS = {
    "wrong key": (
        error(401, "User not found"),
        "User not found (HTTP 401",
        "correct the environment of this MCP server (`env` in its configuration), and restart it.",
    ),
    "no credits": (error(402, "Insufficient credits"), "Insufficient credits", "Only the user can"),
    "forbidden": (error(403, "Key limit exceeded"), "Key limit exceeded", "Only the user can"),
    "unknown model": (
        error(400, "Model x does not exist"),
        "Model x does not exist",
        "The tool list_rerank_models returns the models.",
    ),
    "no provider": (
        error(404, "No endpoints found for x"),
        "No endpoints found",
        "The tool list_rerank_models returns the models.",
    ),
    "refused parameter": (
        error(422, "max_chunks is out of range"),
        "max_chunks is out of range",
        "The tool list_rerank_models returns the models.",
    ),
    "too large": (error(413, "Too Large"), "Too Large", "Pass fewer or shorter documents."),
    "rate limit": (
        error(429, "Rate limit exceeded", retry_after=3600),
        "Rate limit exceeded",
        "Retry after 3600 s, or set fallback_models. The same call may succeed later.",
    ),
    "provider failed": (
        error(502, "upstream error"),
        "upstream error",
        "The same call may succeed later.",
    ),
    "no ranking": (
        Reply(body={"results": [{"index": 7, "relevance_score": 1}]}),
        "the response",
        "Pass another model.",
    ),
    "no response": (Fault.close(), "the connection to 127.0.0.1", "may succeed later."),
}


@pytest.mark.parametrize("kind", SERVICE_ERRORS)
async def test_errors_of_the_service_have_a_cure(connect, stage, kind):
    """The error has the client's message and what to do, and the next call succeeds."""
    reply, start, end = SERVICE_ERRORS[kind]
    stage.always(reply)

    async with connect() as client:
        found = await failure(client, documents=[SECRET])
        stage.reset()
        after = await client.call_tool("rerank", {"query": "q", "documents": ["a"]})

    assert found.startswith(start)
    assert end in found
    assert SECRET not in found
    assert stage.api_key not in found
    assert not after.is_error


@pytest.mark.parametrize("status", [405, 451])
async def test_a_final_error_names_no_second_try(connect, stage, status):
    """An error that the same call would get again does not say that it may succeed later."""
    stage.always(error(status, "Not like this"))

    async with connect() as client:
        found = await failure(client)

    assert "Not like this" in found
    assert "succeed later" not in found


async def test_a_connection_that_cannot_succeed_is_for_the_user(connect, monkeypatch):
    """If the certificate of the server is not valid, the user has to correct the environment."""
    _, context = authority_and_server_context()
    with Stage(tls=context) as unknown:
        monkeypatch.setenv("OPENROUTER_API_BASE", unknown.base_url)
        async with connect() as client:
            found = await failure(client)

    assert "certificate" in found
    assert found.endswith("(`env` in its configuration), and restart it.")


async def test_a_key_that_the_service_repeats_is_masked(connect, stage):
    """The key is in no tool error, also if the service quotes it."""
    stage.always(error(401, f"the key {stage.api_key} is wrong"))

    async with connect() as client:
        found = await failure(client)

    assert "the key *** is wrong" in found


async def test_a_missing_key_fails_only_calls(connect, monkeypatch, caplog):
    """Without a key the server starts, says so in its log, and lists tools and built-in models."""
    monkeypatch.delenv("OPENROUTER_API_KEY")

    async with connect() as client:
        tools = (await client.list_tools()).tools
        found = await failure(client)
        models = (await client.call_tool("list_rerank_models", {})).structured_content

    assert len(tools) == 2
    assert "OPENROUTER_API_KEY" in found
    assert found.endswith("(`env` in its configuration), and restart it.")
    assert not models["is_live"]
    assert "OPENROUTER_API_KEY" in models["problem"]
    (record,) = [each for each in caplog.records if each.name == "openrouter_rerank.mcp"]
    assert record.getMessage() == f"rerank cannot be called yet: {found}"


async def test_a_spent_budget_ends_all_calls(connect, stage):
    """When the budget is spent, calls fail before anything is sent, in each later connection."""
    budget = Budget(0.0015)
    stage.always(scores(1, cost=0.001))

    async with connect(budget=budget) as client:
        spent = [
            await client.call_tool("rerank", {"query": "q", "documents": ["a"]}) for _ in range(2)
        ]
        found = await failure(client)
    async with connect(budget=budget) as client:
        again = await failure(client)

    assert [result.is_error for result in spent] == [False, False]
    assert found == (
        "the budget of $0.0015 is spent ($0.002), so nothing was sent. Raise budget. "
        "For the user: restart this MCP server with a higher --budget."
    )
    assert again == found
    assert len(stage.requests) == 2


class BrokenBudget(Budget):
    """A budget with a defect."""

    @property
    def spent(self):
        """Fail with a message that quotes a document."""
        raise LookupError(SECRET)


async def test_a_defect_is_a_tool_error(connect, caplog):
    """An unexpected error is a tool error; the log says where it happened, and quotes nothing."""
    async with connect(budget=BrokenBudget(1)) as client:
        found = await failure(client)

    assert found == "rerank failed (LookupError). The log of the server says where."
    assert "a tool failed: tool=rerank error=LookupError" in caplog.text
    assert "in spent" in caplog.text
    assert SECRET not in caplog.text


async def test_an_unknown_tool_is_an_error(connect):
    """The error for an unknown tool names the tools."""
    async with connect() as client:
        found = await failure(client, tool="search")

    assert found == "There is no such tool. The tools are rerank and list_rerank_models."
