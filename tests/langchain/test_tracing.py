"""What LangChain's handlers and LangSmith see of a call."""

import asyncio
import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
)
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.runnables import RunnableLambda, ensure_config
from langchain_core.tracers import LangChainTracer
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_openrouter_rerank._tracing import traced
from langgraph.graph import END, START, StateGraph
from langsmith import Client
from openrouter_rerank.errors import InvalidRequestError, UnauthorizedError
from openrouter_rerank.local.stage import Fault, Reply, error
from PIL import Image
from typing_extensions import TypedDict

from tests.starvation import repeat_if_starved

QUERY = "capital of France"
TEXTS = ("Bread is baked.", "Paris is the capital of France.")
DOCUMENTS = [Document(text) for text in TEXTS]
BYTES = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PNG = base64.b64encode(BYTES).decode()
PNG_URI = f"data:image/png;base64,{PNG}"


class Run:
    """One run, as a handler has seen it."""

    def __init__(self, name, query, parent, metadata, tags):
        self.name, self.query, self.parent = name, query, parent
        self.metadata, self.tags = metadata, tags
        self.documents = self.error = None


class Runs(BaseCallbackHandler):
    """Notes all runs."""

    def __init__(self):
        self.runs = {}

    def named(self, name="OpenRouterRerank"):
        """Return the only run of a name."""
        [run] = [run for run in self.runs.values() if run.name == name]
        return run

    def parent_of(self, run):
        """Return the name of the run around a run."""
        return self.runs[run.parent].name if run.parent else None

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id, name=None, **_):
        """Note a chain."""
        self.runs[run_id] = Run(name, None, parent_run_id, {}, [])

    def on_retriever_start(
        self, serialized, query, *, run_id, parent_run_id, metadata, tags, name, **_
    ):
        """Note a retriever."""
        self.runs[run_id] = Run(name, query, parent_run_id, metadata, tags)

    def on_retriever_end(self, documents, *, run_id, tags, **_):
        """Note its documents."""
        self.runs[run_id].documents, self.runs[run_id].tags = documents, tags

    def on_retriever_error(self, error, *, run_id, **_):
        """Note its failure."""
        self.runs[run_id].error = error


class AsyncRuns(AsyncCallbackHandler):
    """Notes the ends of runs, as asynchronous handlers do."""

    def __init__(self):
        self.ends = []

    async def on_retriever_end(self, documents, **_):
        """Note an end."""
        self.ends.append(documents)


@pytest.fixture
def runs():
    """A handler that notes all runs."""
    return Runs()


@pytest.fixture
def reranker(local_openrouter):
    """A reranker that calls the local service."""
    return OpenRouterRerank(api_key=local_openrouter.api_key, base_url=local_openrouter.base_url)


@pytest.fixture
def call(mode):
    """Call a method in each mode of code."""

    async def call(owner, name, *arguments, **options):
        if mode == "sync":
            return getattr(owner, name)(*arguments, **options)
        asynchronous = {"as_node": "a_as_node"}.get(name, f"a{name}")
        return await getattr(owner, asynchronous)(*arguments, **options)

    return call


@pytest.fixture
def store():
    """A vector store with embeddings that know nothing."""
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=16))
    store.add_texts(TEXTS)
    return store


async def test_a_plain_call_is_a_run(reranker, call, runs):
    """A call with a list of handlers is a retriever's run with its query and documents."""
    found = await call(reranker, "compress_documents", DOCUMENTS, QUERY, callbacks=[runs])

    run = runs.named()
    assert (run.query, run.parent, run.error) == (QUERY, None, None)
    assert run.documents == found
    assert len(runs.runs) == 1


async def test_the_run_has_model_usage_and_cost(reranker, call, runs, local_openrouter):
    """The metadata tell provider, model, usage and cost under the names that LangSmith reads."""
    await call(reranker, "compress_documents", DOCUMENTS, QUERY, callbacks=[runs])

    metadata = runs.named().metadata
    assert metadata["ls_provider"] == "openrouter"
    assert metadata["ls_model_name"] == "cohere/rerank-v3.5"
    assert metadata["usage_metadata"]["total_cost"] == 0.001
    assert metadata["generation_id"].startswith("gen-")
    assert metadata["served_by"] == "Stage"


async def test_the_run_has_the_model_that_answered(reranker, call, runs, local_openrouter):
    """After a fallback, the metadata name the model whose scores these are."""
    local_openrouter.script(error(404, "No endpoints found"))
    reranker.fallback_models = ("a/second",)

    await call(reranker, "compress_documents", DOCUMENTS, QUERY, callbacks=[runs])

    assert runs.named().metadata["ls_model_name"] == "a/second"


async def test_a_manager_is_taken_too(reranker, mode, call, runs):
    """A callback manager, as LangChain's retrievers pass it, makes the run a child."""
    manager = (CallbackManager if mode == "sync" else AsyncCallbackManager)([runs])
    manager.add_tags(["rag"])
    manager.add_metadata({"team": "search"})

    await call(reranker, "compress_documents", DOCUMENTS, QUERY, callbacks=manager)

    assert runs.named().tags == ["rag"]
    assert runs.named().metadata["team"] == "search"
    assert "ls_provider" not in manager.metadata


async def test_contextual_compression_has_a_child(reranker, call, runs, store):
    """In a retriever that compresses, reranking is a run beside that of the base retriever."""
    retriever = ContextualCompressionRetriever(
        base_compressor=reranker, base_retriever=store.as_retriever()
    )

    await call(retriever, "invoke", QUERY, {"callbacks": [runs], "tags": ["rag"]})

    assert runs.parent_of(runs.named()) == "ContextualCompressionRetriever"
    assert runs.named().tags == ["rag"]
    assert [run.name for run in runs.runs.values()] == [
        "ContextualCompressionRetriever",
        "VectorStoreRetriever",
        "OpenRouterRerank",
    ]


async def test_a_function_in_a_chain_has_a_child(reranker, call, runs):
    """Without callbacks a call belongs to the run around it, and never to another."""

    def step(query):
        return reranker.compress_documents(DOCUMENTS, query)

    async def astep(query):
        return await reranker.acompress_documents(DOCUMENTS, query)

    chain = RunnableLambda(step, astep, name="step")
    await call(chain, "invoke", QUERY, {"callbacks": [runs], "metadata": {"team": "search"}})

    assert runs.parent_of(runs.named()) == "step"
    assert runs.named().metadata["team"] == "search"
    reranker.compress_documents(DOCUMENTS, QUERY)
    assert len(runs.runs) == 2


async def test_a_step_of_a_chain_has_a_child(reranker, call, runs):
    """As a step of a chain, reranking is one run, not two."""
    chain = RunnableLambda(lambda query: {"query": query, "documents": DOCUMENTS}) | reranker

    await call(chain, "invoke", QUERY, {"callbacks": [runs]})

    assert runs.parent_of(runs.named()) == "RunnableSequence"


async def test_scores_alone_are_a_run_too(reranker, call, runs):
    """`rerank` is reported as `compress_documents` is."""
    await call(reranker, "rerank", list(TEXTS), QUERY, callbacks=[runs])

    assert runs.named().metadata["usage_metadata"]["total_cost"] == 0.001
    assert [document.page_content for document in runs.named().documents] == [*reversed(TEXTS)]


class State(TypedDict, total=False):
    """The state of a graph."""

    query: str
    documents: list[Document]


async def test_a_node_of_a_graph_has_a_child(reranker, call, runs):
    """In a LangGraph node that passes nothing on, the run belongs to the node."""

    def rerank(state: State) -> State:
        return {"documents": reranker.compress_documents(state["documents"], state["query"])}

    async def arerank(state: State) -> State:
        found = await reranker.acompress_documents(state["documents"], state["query"])
        return {"documents": found}

    graph = StateGraph(State)
    graph.add_node("rerank", RunnableLambda(rerank, arerank))
    graph.add_edge(START, "rerank")
    graph.add_edge("rerank", END)

    result = await call(
        graph.compile(), "invoke", {"query": QUERY, "documents": DOCUMENTS}, {"callbacks": [runs]}
    )

    assert result["documents"][0].page_content == TEXTS[1]
    assert runs.named().metadata["langgraph_node"] == "rerank"
    assert runs.named().parent in runs.runs


async def test_failures_are_recorded(reranker, call, runs, local_openrouter):
    """A failed call ends its run with the error that is raised."""
    local_openrouter.script(error(401, "No auth credentials found"))

    with pytest.raises(UnauthorizedError) as raised:
        await call(reranker, "compress_documents", DOCUMENTS, QUERY, callbacks=[runs])
    assert runs.named().error is raised.value
    assert runs.named().documents is None


async def test_mistakes_are_recorded(reranker, call, runs):
    """A call that was refused before anything was sent is a failed run as well."""
    with pytest.raises(InvalidRequestError):
        await call(reranker, "compress_documents", ["text"], QUERY, callbacks=[runs])
    assert isinstance(runs.named().error, InvalidRequestError)


async def test_a_cancelled_call_ends_its_run(reranker, runs, local_openrouter):
    """A run is not left open by cancelling."""
    local_openrouter.script(Fault.hang())
    task = asyncio.create_task(reranker.acompress_documents(DOCUMENTS, QUERY, callbacks=[runs]))
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(runs.named().error, asyncio.CancelledError)


async def test_a_failure_passed_through_is_visible(reranker, call, runs, local_openrouter):
    """The run succeeds, and a tag and its metadata tell that nothing was reranked, and why."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.max_retries = "passthrough", 0

    found = await call(reranker, "compress_documents", DOCUMENTS, QUERY, callbacks=[runs])

    assert found == DOCUMENTS
    assert runs.named().error is None
    assert "passed_through" in runs.named().tags
    assert runs.named().metadata["passed_through"].startswith("ServiceUnavailableError: down")
    assert "usage_metadata" not in runs.named().metadata


async def test_a_blank_query_is_a_run_without_cost(reranker, call, runs):
    """When nothing was asked, the run has neither usage nor a mark."""
    await call(reranker, "compress_documents", DOCUMENTS, " ", callbacks=[runs])

    assert runs.named().metadata == {
        "ls_provider": "openrouter",
        "ls_model_name": "cohere/rerank-v3.5",
    }


async def test_asynchronous_handlers_are_awaited(reranker):
    """Handlers of asynchronous code are told too."""
    handler = AsyncRuns()

    found = await reranker.acompress_documents(DOCUMENTS, QUERY, callbacks=[handler])

    assert handler.ends == [found]


LARGE = {
    "base64 in the text": Document(PNG),
    "data URI": Document("A cat", metadata={"image": PNG_URI}),
    "PIL": Document("A cat", metadata={"image": Image.new("L", (8, 4))}),
}


@pytest.mark.parametrize("document", LARGE.values(), ids=LARGE)
async def test_images_are_left_out_of_traces(reranker, call, runs, document):
    """Handlers get documents without images, and the caller gets them with all they had."""
    [found] = await call(reranker, "compress_documents", [document], "A cat", callbacks=[runs])

    [traced] = runs.named().documents
    text = repr(traced)
    assert PNG[:80] not in text
    assert "left out" in text
    assert len(text) < 400
    assert found.page_content == document.page_content
    assert found.metadata.items() >= document.metadata.items()


async def test_what_is_no_image_is_traced_as_it_is(reranker, call, runs):
    """Documents without images are shown themselves."""
    metadata = {
        "url": "https://example.com/" + "a" * 300,
        "text": "word " * 100,
        "vector": [0.1] * 100,
        "short": PNG[:40],
        "deep": {"a": [{"b": ("c", None)}]},
    }
    document = Document("word " * 100, metadata=metadata)

    [found] = await call(reranker, "compress_documents", [document], "word", callbacks=[runs])

    assert runs.named().documents[0] is found


class LangSmith(BaseHTTPRequestHandler):
    """Notes what LangSmith's client sends."""

    def do_POST(self):
        """Note it, and agree."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_PATCH(self):
        """Note it, and agree."""
        self.do_POST()

    def log_message(self, *arguments):
        """Be quiet."""


@pytest.fixture
def langsmith():
    """A server that takes LangSmith's traces."""
    with ThreadingHTTPServer(("127.0.0.1", 0), LangSmith) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_langsmith_gets_usage_and_cost(reranker, call, langsmith):
    """LangSmith's own tracer sends them where its costs are read from, and sends no image."""
    client = Client(
        api_url=f"http://127.0.0.1:{langsmith.server_port}",
        api_key="a key",
        auto_batch_tracing=False,
        info={},
    )
    tracer = LangChainTracer(client=client, project_name="tests")
    documents = [*DOCUMENTS, Document("A cat", metadata={"image_base64": PNG})]

    await call(reranker, "compress_documents", documents, QUERY, callbacks=[tracer])
    client.close()

    (_, started), (_, ended) = langsmith.seen
    assert (started["run_type"], started["name"]) == ("retriever", "OpenRouterRerank")
    assert started["inputs"] == {"query": QUERY}
    metadata = ended["extra"]["metadata"]
    assert metadata["usage_metadata"] == {"total_cost": 0.001}
    assert (metadata["ls_provider"], metadata["ls_model_name"]) == (
        "openrouter",
        "cohere/rerank-v3.5",
    )
    assert ended["outputs"]["documents"][0]["page_content"] == TEXTS[1]
    assert PNG not in json.dumps(langsmith.seen)


async def test_tokens_are_reported_where_the_service_does(reranker, call, runs, local_openrouter):
    """A model that is billed by tokens has them in its run."""
    body = {
        "model": "m",
        "results": [{"index": 0, "relevance_score": 0.5}, {"index": 1, "relevance_score": 0.4}],
        "usage": {"cost": 0.002, "total_tokens": 150},
    }
    local_openrouter.script(Reply(body=json.dumps(body).encode()))

    await call(reranker, "compress_documents", DOCUMENTS, QUERY, callbacks=[runs])

    assert runs.named().metadata["usage_metadata"] == {"total_tokens": 150, "total_cost": 0.002}


class Watched(dict):
    """Metadata of metadata that note whether anybody has looked into them."""

    reads = 0

    def values(self):
        """Note a look."""
        self.reads += 1
        return super().values()


async def test_without_handlers_nothing_is_prepared_for_them(reranker, call, runs):
    """Documents are searched for images to leave out only when somebody listens."""
    watched = Watched(a=1)
    documents = [Document("A cat", metadata={"watched": watched})]

    await call(reranker, "compress_documents", documents, QUERY)
    silent = watched.reads
    await call(reranker, "compress_documents", documents, QUERY, callbacks=[runs])

    assert (silent, watched.reads) == (0, 1)


def best(work, repetitions=20):
    """Return the shortest time of several."""

    def once():
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return min(once() for _ in range(repetitions))


@repeat_if_starved
def test_without_handlers_a_run_costs_little(reranker):
    """Asking whether anybody listens takes a small part of the fastest call there can be."""

    def listen():
        with traced(QUERY, ensure_config(), name="a", model="a/model"):
            pass

    whole = best(lambda: reranker.compress_documents(DOCUMENTS, QUERY))

    assert best(listen) < whole / 10
