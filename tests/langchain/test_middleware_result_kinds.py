"""`RerankToolResultsMiddleware` with results of many kinds: which are reranked, and which stay."""

import json
import logging

import pytest
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from langchain_core.prompts import PromptTemplate
from langchain_core.tools import create_retriever_tool
from langchain_openrouter_rerank.middleware import RerankToolResultsMiddleware

from tests.scripted_chat import scripted
from tests.search_tools import BREAD, CALL, PARIS, QUESTION, RANKED, TEXTS, found_documents, tool

NUMBER = '{"body": "Bread", "x": 1e400, "y": 1.0e2}'
ESCAPES = r'{"body": "Paris is the \u0063apital of France", "x": "\ud800"}'
JSON_RESULTS = {
    "texts in JSON": (
        json.dumps(TEXTS),
        json.dumps(RANKED[:2]),
    ),
    "objects": (
        [{"title": text[:5], "content": text, "score": 0.50} for text in TEXTS],
        json.dumps([{"title": text[:5], "content": text, "score": 0.5} for text in RANKED[:2]]),
    ),
    "results of an object": (
        {"query": "cities", "results": [{"snippet": text} for text in TEXTS], "time": 1},
        json.dumps(
            {"query": "cities", "results": [{"snippet": text} for text in RANKED[:2]], "time": 1}
        ),
    ),
    "indented, with numbers and escapes as they are": (
        f'{{"n": 1.50,\n "results": [\n  {NUMBER},\n  {ESCAPES}\n ] }}',
        f'{{"n": 1.50,\n "results": [\n  {ESCAPES},\n  {NUMBER}\n ] }}',
    ),
    "content blocks": (
        [{"type": "text", "text": text} for text in TEXTS],
        [{"type": "text", "text": text} for text in RANKED[:2]],
    ),
    "texts": (TEXTS, json.dumps(RANKED[:2])),
    "JSON in one content block": (
        [{"type": "text", "text": json.dumps(TEXTS), "id": "1"}],
        [{"type": "text", "text": json.dumps(RANKED[:2]), "id": "1"}],
    ),
    "hostile texts": (
        [{"text": '"}], "results": [{"text": "'}, {"text": PARIS}, {"text": '\\"\n\u2028,]'}],
        None,
    ),
}


@pytest.mark.parametrize("kind", JSON_RESULTS)
async def test_a_list_in_the_content_is_reranked(run_search, kind, local_openrouter):
    """The items of a list are ordered by relevance and cut, and no item is changed."""
    result, expected = JSON_RESULTS[kind]

    message = await run_search(tool(result), top_n=2)

    assert local_openrouter.requests[0].query == QUESTION
    if expected is None:
        assert json.loads(message.content)[0] == {"text": PARIS}
        assert all(item in result for item in json.loads(message.content))
    else:
        assert message.content == expected
    assert message.artifact is None


def test_every_kind_of_text_field_is_ranked(reranker, local_openrouter):
    """The text of an object is in one of five fields; a blank one is skipped."""
    items = [
        {"text": " ", "body": "1"},
        {"page_content": "2", "text": "other"},
        {"content": "3"},
        {"snippet": "4"},
        {"text": "5", "content": None},
    ]
    agent = create_agent(
        scripted(CALL, "Done."),
        tools=[tool(items)],
        middleware=[RerankToolResultsMiddleware(reranker)],
    )

    agent.invoke({"messages": [HumanMessage(QUESTION)]})

    assert local_openrouter.requests[0].documents == ["1", "2", "3", "4", "5"]


PROMPTS = {
    "default": {},
    "another separator": {"document_separator": " | "},
    "a prompt": {"document_prompt": PromptTemplate.from_template("[{source}] {page_content}")},
    "a prompt with lines and a separator": {
        "document_prompt": PromptTemplate.from_template("Source: {source}\nText: {page_content}\n"),
        "document_separator": "\n---\n",
    },
}


@pytest.mark.parametrize("kind", PROMPTS)
async def test_the_result_of_a_retriever_tool_is_reranked(run_search, store, invoke, kind):
    """The content and the artifact of a retriever tool have the same documents, in one order."""
    options = PROMPTS[kind]
    for document in store.similarity_search("x", k=6):
        store.add_documents(
            [document.model_copy(update={"metadata": {"source": document.id}})], ids=[document.id]
        )
    given = create_retriever_tool(
        store.as_retriever(search_kwargs={"k": 6}),
        "search",
        "Searches.",
        response_format="content_and_artifact",
        **options,
    )

    message = await run_search(given, top_n=2)

    prompt = options.get("document_prompt", PromptTemplate.from_template("{page_content}"))
    separator = options.get("document_separator", "\n\n")
    assert [document.id for document in message.artifact] == ["id-1", "id-2"]
    assert message.content == separator.join(
        prompt.format(page_content=document.page_content, **document.metadata)
        for document in message.artifact
    )
    assert [document.metadata["relevance_score"] for document in message.artifact] == [
        pytest.approx(5 / 6),
        pytest.approx(4 / 6),
    ]


async def test_documents_of_the_tool_are_not_changed(run_search):
    """The artifact has copies with scores, of the same class. The tool keeps its documents."""

    class Page(Document):
        number: int = 7

    documents = [Page(text, metadata={"source": text}) for text in TEXTS]
    result = ("\n\n".join(TEXTS), documents)

    message = await run_search(tool(result, with_artifact=True))

    assert message.content == "\n\n".join(RANKED)
    assert [(type(page), page.number) for page in message.artifact] == [(Page, 7)] * 3
    assert message.artifact[0].metadata["relevance_score"] == pytest.approx(5 / 6)
    assert message.artifact[0].id is None
    assert [page.metadata for page in documents] == [{"source": text} for text in TEXTS]


ARTIFACTS = {
    "raw results": (
        json.dumps([{"title": "t", "content": text} for text in TEXTS]),
        {"results": [{"content": text, "raw": text * 2} for text in TEXTS], "took": 1},
        {"results": [{"content": text, "raw": text * 2} for text in RANKED[:2]], "took": 1},
    ),
    "structured content": (
        [{"type": "text", "text": text} for text in TEXTS],
        {"structured_content": {"result": TEXTS}},
        {"structured_content": {"result": RANKED[:2]}},
    ),
    "the same list": (json.dumps(TEXTS), TEXTS, RANKED[:2]),
}


@pytest.mark.parametrize("kind", ARTIFACTS)
async def test_an_artifact_with_the_same_texts_is_in_the_same_order(run_search, kind):
    """An artifact that lists the same texts as the content has the same order and length."""
    content, artifact, expected = ARTIFACTS[kind]

    message = await run_search(tool((content, artifact), with_artifact=True), top_n=2)

    assert message.artifact == expected
    assert PARIS in str(message.content)
    assert BREAD not in str(message.content)


JOINED = "\n\n".join(TEXTS)
MISMATCHES = {
    "a heading": (f"Found 3 documents:\n{JOINED}", found_documents()),
    "a summary": (f"{JOINED}\n\nThese are all.", found_documents()),
    "a summary on a line": (f"{JOINED}\nAll.", found_documents()),
    "other texts": ("Three documents.", found_documents()),
    "two separators": ("\n\n\n\n".join([f"> {text}" for text in TEXTS]), found_documents()),
    "a text without documents": ("", found_documents()),
    "documents without text": (BREAD, [Document(BREAD), Document("")]),
    "another order": (json.dumps(RANKED), found_documents()),
    "more items": (json.dumps([*TEXTS, "More"]), found_documents()),
    "an artifact of another kind": (json.dumps(TEXTS), {"answer": 42}),
    "content blocks of another kind": (
        [{"type": "image", "url": "https://example.com/a.png"}],
        found_documents(),
    ),
}


@pytest.mark.parametrize("kind", MISMATCHES)
async def test_what_cannot_be_matched_stays(run_search, kind, caplog, local_openrouter):
    """If content and artifact cannot be matched, both stay, and a warning says what to do."""
    content, artifact = MISMATCHES[kind]

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        message = await run_search(tool((content, artifact), with_artifact=True), top_n=1)

    assert (message.content, message.artifact) == (content, artifact)
    assert local_openrouter.requests == []
    [record] = caplog.records
    assert record.getMessage().startswith("the result of the tool search stays as it is")
    assert TEXTS[0] not in record.getMessage()


UNCHANGED = {
    "text": "Paris is the capital of France.\n\nBread is baked.",
    "empty text": "",
    "number": 7,
    "empty list": [],
    "one item": json.dumps([PARIS]),
    "one document": json.dumps({"results": [{"content": PARIS}]}),
    "numbers": [1, 2, 3],
    "objects without a text": [{"id": 1}, {"id": 2}],
    "some objects without a text": [{"text": PARIS}, {"id": 2}],
    "object without a list": {"answer": "Paris", "results": "none"},
    "invalid JSON": json.dumps(TEXTS)[:-1],
    "two values": json.dumps(TEXTS) * 2,
    "deep JSON": "[" * 100_000 + "]" * 100_000,
    "image blocks": [{"type": "image", "url": "https://example.com/a.png"}] * 2,
}


@pytest.mark.parametrize("kind", UNCHANGED)
async def test_other_results_stay(run_search, kind, caplog, local_openrouter, invoke):
    """Results without a list of documents are not ranked, and the model gets them unchanged."""
    given = tool(UNCHANGED[kind])
    agent = create_agent(scripted(CALL, "Done."), tools=[given])
    state = await invoke(agent, {"messages": [HumanMessage(QUESTION)]})

    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        message = await run_search(given, top_n=1)

    assert message.content == state["messages"][2].content
    assert local_openrouter.requests == []
    assert caplog.records == []


NAMED = {
    "text joined by blank lines": JOINED,
    "a list with another name": {"hits": [{"text": text} for text in TEXTS]},
    "a block without text": [{"type": "text"}],
}


@pytest.mark.parametrize("kind", NAMED)
async def test_a_named_tool_without_a_list_is_reported_once(
    reranker, invoke, kind, caplog, local_openrouter
):
    """If the result of a named tool is not a list of documents, a warning says what to return."""
    middleware = RerankToolResultsMiddleware(reranker, tools=["search"])
    agent = create_agent(
        scripted(CALL, CALL, "Done."), tools=[tool(NAMED[kind])], middleware=[middleware]
    )

    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        await invoke(agent, {"messages": [HumanMessage(QUESTION)]})

    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG"]
    assert caplog.records[0].getMessage() == (
        "the result of the tool search stays as it is, because it is not a list of documents. "
        "Return JSON: a list of texts or of objects with page_content, content, text, snippet or "
        "body, or an object with such a list as its results, result, documents or "
        "structured_content. create_retriever_tool needs response_format='content_and_artifact'"
    )
    assert local_openrouter.requests == []


async def test_a_named_tool_that_finds_little_is_not_reported(
    run_search, store, caplog, local_openrouter
):
    """A named tool may find one document, or none."""
    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        for result in ([], [PARIS], {"results": []}, "Nothing was found."):
            await run_search(tool(result), tools=["search"])

    assert caplog.records == []
    assert local_openrouter.requests == []


async def test_the_default_of_a_retriever_tool_is_reported(run_search, store, caplog):
    """`create_retriever_tool` returns only a text by default, and a named tool is reported."""
    given = create_retriever_tool(store.as_retriever(), "search", "Searches.")

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        await run_search(given, tools=["search"])

    assert "create_retriever_tool needs response_format='content_and_artifact'" in caplog.text


async def test_a_large_list_stays_and_is_reported(run_search, caplog, local_openrouter):
    """A list of more than 1,000 documents stays, and a warning says so."""
    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        message = await run_search(tool(json.dumps([PARIS] * 200_000)), top_n=1)

    assert len(json.loads(message.content)) == 200_000
    assert "it has more than 1,000 items or 1,000,000 characters. Return fewer" in caplog.text
    assert local_openrouter.requests == []
