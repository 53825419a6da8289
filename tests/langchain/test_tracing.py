"""The runs that LangChain's callback handlers and LangSmith get of a call."""

import asyncio
import base64
import json
from functools import partial

import pytest
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    CallbackManager,
    manager,
)
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda, ensure_config
from langchain_core.tracers import LangChainTracer
from langchain_openrouter_rerank._tracing import traced
from langgraph.graph import END, START, StateGraph
from openrouter_rerank.errors import InvalidRequestError, UnauthorizedError
from openrouter_rerank.local.stage import Fault, Reply, error
from PIL import Image
from typing_extensions import TypedDict

from tests.durations import shortest_duration
from tests.starvation import repeat_if_starved

QUERY = "capital of France"
TEXTS = ("Bread is baked.", "Paris is the capital of France.")
DOCUMENTS = [Document(text) for text in TEXTS]
BYTES = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PNG = base64.b64encode(BYTES).decode()
PNG_URI = f"data:image/png;base64,{PNG}"


class AsyncHandler(AsyncCallbackHandler):
    """An async callback handler that records the documents of each run."""

    def __init__(self):
        self.documents_of_runs = []

    async def on_retriever_end(self, documents, **_):
        """Record the documents."""
        self.documents_of_runs.append(documents)


async def test_a_call_is_a_run(reranker, compress, runs):
    """A call is the run of a retriever, with the query and the documents."""
    results = await compress(reranker, DOCUMENTS, QUERY, callbacks=[runs])

    run = runs.reranking
    assert (run.query, run.parent, run.error) == (QUERY, None, None)
    assert run.documents == results
    assert len(runs.by_id) == 1


async def test_the_run_has_model_usage_and_cost(reranker, compress, runs, local_openrouter):
    """The metadata have provider, model, usage and cost under the names that LangSmith reads."""
    await compress(reranker, DOCUMENTS, QUERY, callbacks=[runs])

    metadata = runs.reranking.metadata
    assert metadata["ls_provider"] == "openrouter"
    assert metadata["ls_model_name"] == "cohere/rerank-v3.5"
    assert metadata["usage_metadata"]["total_cost"] == 0.001
    assert metadata["generation_id"].startswith("gen-")
    assert metadata["served_by"] == "Stage"


async def test_the_run_has_the_model_that_was_used(reranker, compress, runs, local_openrouter):
    """After a fallback, the metadata have the model that returned the scores."""
    local_openrouter.script(error(404, "No endpoints found"))
    reranker.fallback_models = ("a/second",)

    await compress(reranker, DOCUMENTS, QUERY, callbacks=[runs])

    assert runs.reranking.metadata["ls_model_name"] == "a/second"


async def test_the_run_gets_tags_and_metadata_of_a_manager(reranker, mode, compress, runs):
    """If `callbacks` is a callback manager, the run has its tags and metadata."""
    manager = (CallbackManager if mode == "sync" else AsyncCallbackManager)([runs])
    manager.add_tags(["rag"])
    manager.add_metadata({"team": "search"})

    await compress(reranker, DOCUMENTS, QUERY, callbacks=manager)

    assert runs.reranking.tags == ["rag"]
    assert runs.reranking.metadata["team"] == "search"
    assert "ls_provider" not in manager.metadata


async def test_the_run_is_a_child_of_contextual_compression(reranker, invoke, runs, store):
    """In `ContextualCompressionRetriever`, the run is a sibling of the base retriever's run."""
    retriever = ContextualCompressionRetriever(
        base_compressor=reranker, base_retriever=store.as_retriever()
    )

    await invoke(retriever, QUERY, {"callbacks": [runs], "tags": ["rag"]})

    assert runs.parent_name(runs.reranking) == "ContextualCompressionRetriever"
    assert runs.reranking.tags == ["rag"]
    assert runs.names == [
        "ContextualCompressionRetriever",
        "VectorStoreRetriever",
        "OpenRouterRerank",
    ]


async def test_the_run_is_a_child_of_the_surrounding_run(reranker, invoke, runs):
    """Without callbacks, the run is a child of the surrounding run, if there is one."""

    def step(query):
        return reranker.compress_documents(DOCUMENTS, query)

    async def astep(query):
        return await reranker.acompress_documents(DOCUMENTS, query)

    chain = RunnableLambda(step, astep, name="step")
    await invoke(chain, QUERY, {"callbacks": [runs], "metadata": {"team": "search"}})

    assert runs.parent_name(runs.reranking) == "step"
    assert runs.reranking.metadata["team"] == "search"
    reranker.compress_documents(DOCUMENTS, QUERY)
    assert len(runs.by_id) == 2


async def test_a_step_of_a_chain_is_one_run(reranker, invoke, runs):
    """As a step of a chain, the reranker has one run, which is a child of the chain's run."""
    chain = RunnableLambda(lambda query: {"query": query, "documents": DOCUMENTS}) | reranker

    await invoke(chain, QUERY, {"callbacks": [runs]})

    assert runs.parent_name(runs.reranking) == "RunnableSequence"


async def test_a_call_of_rerank_is_a_run(reranker, rerank, runs):
    """A call of `rerank` is a run with cost and documents too."""
    await rerank(reranker, list(TEXTS), QUERY, callbacks=[runs])

    assert runs.reranking.metadata["usage_metadata"]["total_cost"] == 0.001
    assert [document.page_content for document in runs.reranking.documents] == [*reversed(TEXTS)]


class State(TypedDict, total=False):
    """The state of a graph."""

    query: str
    documents: list[Document]


async def test_the_run_is_a_child_of_the_node_of_a_graph(reranker, invoke, runs):
    """In a node of LangGraph that passes no callbacks, the run is a child of the node's run."""

    def rerank(state: State) -> State:
        return {"documents": reranker.compress_documents(state["documents"], state["query"])}

    async def arerank(state: State) -> State:
        documents = await reranker.acompress_documents(state["documents"], state["query"])
        return {"documents": documents}

    graph = StateGraph(State)
    graph.add_node("rerank", RunnableLambda(rerank, arerank))
    graph.add_edge(START, "rerank")
    graph.add_edge("rerank", END)

    state = await invoke(
        graph.compile(), {"query": QUERY, "documents": DOCUMENTS}, {"callbacks": [runs]}
    )

    assert state["documents"][0].page_content == TEXTS[1]
    assert runs.reranking.metadata["langgraph_node"] == "rerank"
    assert runs.reranking.parent in runs.by_id


async def test_a_failed_call_is_a_failed_run(reranker, compress, runs, local_openrouter):
    """The run of a failed call has the error that the call raises."""
    local_openrouter.script(error(401, "No auth credentials found"))

    with pytest.raises(UnauthorizedError) as raised:
        await compress(reranker, DOCUMENTS, QUERY, callbacks=[runs])
    assert runs.reranking.error is raised.value
    assert runs.reranking.documents is None


async def test_a_refused_call_is_a_failed_run(reranker, compress, runs):
    """The run of a call with invalid arguments has the error that the call raises."""
    with pytest.raises(InvalidRequestError):
        await compress(reranker, ["text"], QUERY, callbacks=[runs])
    assert isinstance(runs.reranking.error, InvalidRequestError)


async def test_a_cancelled_call_is_a_failed_run(
    reranker, runs, local_openrouter, wait_for_requests
):
    """The run of a cancelled call ends with `CancelledError`."""
    local_openrouter.script(Fault.hang())
    call = asyncio.create_task(reranker.acompress_documents(DOCUMENTS, QUERY, callbacks=[runs]))
    await wait_for_requests(1)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert isinstance(runs.reranking.error, asyncio.CancelledError)


async def test_the_run_has_a_failure_that_was_passed_through(
    reranker, compress, runs, local_openrouter
):
    """If a failure is passed through, the run succeeds, with a tag and the failure as metadata."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.max_retries = "passthrough", 0

    results = await compress(reranker, DOCUMENTS, QUERY, callbacks=[runs])

    assert results == DOCUMENTS
    assert runs.reranking.error is None
    assert "passed_through" in runs.reranking.tags
    assert runs.reranking.metadata["passed_through"].startswith("ServiceUnavailableError: down")
    assert "usage_metadata" not in runs.reranking.metadata


async def test_the_run_of_a_blank_query_has_no_cost(reranker, compress, runs):
    """If no request was sent, the metadata have only the provider and the model."""
    await compress(reranker, DOCUMENTS, " ", callbacks=[runs])

    assert runs.reranking.metadata == {
        "ls_provider": "openrouter",
        "ls_model_name": "cohere/rerank-v3.5",
    }


async def test_async_handlers_are_awaited(reranker):
    """An async call awaits async callback handlers."""
    handler = AsyncHandler()

    results = await reranker.acompress_documents(DOCUMENTS, QUERY, callbacks=[handler])

    assert handler.documents_of_runs == [results]


DOCUMENTS_WITH_IMAGES = {
    "base64 in the text": Document(PNG),
    "data URI": Document("A cat", metadata={"image": PNG_URI}),
    "PIL": Document("A cat", metadata={"image": Image.new("L", (8, 4))}),
}


@pytest.mark.parametrize(
    "document", DOCUMENTS_WITH_IMAGES.values(), ids=DOCUMENTS_WITH_IMAGES.keys()
)
async def test_images_are_left_out_of_runs(reranker, compress, runs, document):
    """Callback handlers get documents without images. The caller gets complete documents."""
    [result] = await compress(reranker, [document], "A cat", callbacks=[runs])

    [run_document] = runs.reranking.documents
    text = repr(run_document)
    assert PNG[:80] not in text
    assert "left out" in text
    assert len(text) < 400
    assert result.page_content == document.page_content
    assert result.metadata.items() >= document.metadata.items()


async def test_documents_without_images_are_not_copied_for_runs(reranker, compress, runs):
    """Callback handlers and the caller get the same object if a document has no image."""
    metadata = {
        "url": "https://example.com/" + "a" * 300,
        "text": "word " * 100,
        "vector": [0.1] * 100,
        "short": PNG[:40],
        "deep": {"a": [{"b": ("c", None)}]},
    }
    document = Document("word " * 100, metadata=metadata)

    [result] = await compress(reranker, [document], "word", callbacks=[runs])

    assert runs.reranking.documents[0] is result


async def test_langsmith_gets_usage_and_cost(reranker, compress, langsmith, langsmith_client):
    """LangSmith gets usage and cost in the fields that it reads, and gets no image."""
    tracer = LangChainTracer(client=langsmith_client, project_name="tests")
    documents = [*DOCUMENTS, Document("A cat", metadata={"image_base64": PNG})]

    await compress(reranker, documents, QUERY, callbacks=[tracer])
    langsmith_client.close()

    (_, started), (_, ended) = langsmith.received
    assert (started["run_type"], started["name"]) == ("retriever", "OpenRouterRerank")
    assert started["inputs"] == {"query": QUERY}
    metadata = ended["extra"]["metadata"]
    assert metadata["usage_metadata"] == {"total_cost": 0.001}
    assert (metadata["ls_provider"], metadata["ls_model_name"]) == (
        "openrouter",
        "cohere/rerank-v3.5",
    )
    assert ended["outputs"]["documents"][0]["page_content"] == TEXTS[1]
    assert PNG not in json.dumps(langsmith.received)


async def test_the_run_has_the_tokens_of_the_response(reranker, compress, runs, local_openrouter):
    """If the response has a number of tokens, the run has it too."""
    body = {
        "model": "m",
        "results": [{"index": 0, "relevance_score": 0.5}, {"index": 1, "relevance_score": 0.4}],
        "usage": {"cost": 0.002, "total_tokens": 150},
    }
    local_openrouter.script(Reply(body=json.dumps(body).encode()))

    await compress(reranker, DOCUMENTS, QUERY, callbacks=[runs])

    assert runs.reranking.metadata["usage_metadata"] == {"total_tokens": 150, "total_cost": 0.002}


class CountingMapping(dict):
    """A mapping that counts the calls of its method `values`."""

    reads = 0

    def values(self):
        """Count the call."""
        self.reads += 1
        return super().values()


@pytest.mark.parametrize("is_wrapped", [False, True])
async def test_without_handlers_documents_are_not_searched_for_images(
    reranker, compress, runs, monkeypatch, is_wrapped
):
    """The metadata are searched for images only if there is a callback handler."""
    if is_wrapped:
        # As Sentry does, which adds no handler while its integration is off.
        monkeypatch.setattr(manager, "_configure", partial(vars(manager)["_configure"]))
    mapping = CountingMapping(a=1)
    documents = [Document("A cat", metadata={"mapping": mapping})]

    await compress(reranker, documents, QUERY)
    reads_without_handler = mapping.reads
    await compress(reranker, documents, QUERY, callbacks=[runs])

    assert (reads_without_handler, mapping.reads) == (0, 1)


@repeat_if_starved
def test_without_handlers_tracing_takes_little_time(reranker):
    """Without handlers, tracing takes less than a tenth of the time of the fastest call."""

    def trace():
        with traced(QUERY, ensure_config(), name="a", model="a/model"):
            pass

    call = shortest_duration(lambda: reranker.compress_documents(DOCUMENTS, QUERY), repetitions=20)

    assert shortest_duration(trace, repetitions=20) < call / 10
