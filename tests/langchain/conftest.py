"""Fixtures of the tests of the LangChain package: rerankers, documents, stores and recorders."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_openrouter_rerank.middleware import RerankToolResultsMiddleware
from langsmith import Client

from tests.scripted_chat import scripted
from tests.search_tools import CALL, QUESTION

QUERY = "capital of France"
TEXTS = (
    "Bread is baked every morning.",
    "Paris is the capital of France.",
    "Berlin is the capital of Germany.",
    "France has many rivers.",
    "Cats sleep most of the day.",
    "The tallest trees are redwoods.",
)


@pytest.fixture
def documents():
    """Six documents with ids and positions. The second one answers the query."""
    return [
        Document(id=f"id-{position}", page_content=text, metadata={"position": position})
        for position, text in enumerate(TEXTS)
    ]


@pytest.fixture
def embeddings():
    """Embeddings without meaning, so that only reranking can find the best document."""
    return DeterministicFakeEmbedding(size=16)


@pytest.fixture
def store(documents, embeddings):
    """A vector store with the six documents."""
    store = InMemoryVectorStore(embeddings)
    store.add_documents(documents)
    return store


@pytest.fixture
def make_reranker(local_openrouter):
    """Return a function that makes a reranker of the local service with the given options."""

    def make_reranker(**options):
        connection = {"api_key": local_openrouter.api_key, "base_url": local_openrouter.base_url}
        return OpenRouterRerank(**(connection | options))

    return make_reranker


@pytest.fixture
def reranker(make_reranker):
    """A reranker of the local service with the default options."""
    return make_reranker()


@pytest.fixture
def compress(mode):
    """Return a function that calls `compress_documents` or `acompress_documents`."""

    async def compress(compressor, documents, query=QUERY, *callbacks, **options):
        if mode == "sync":
            return compressor.compress_documents(documents, query, *callbacks, **options)
        return await compressor.acompress_documents(documents, query, *callbacks, **options)

    return compress


@pytest.fixture
def rerank(mode):
    """Return a function that calls `rerank` or `arerank`."""

    async def rerank(reranker, items, query=QUERY, **options):
        if mode == "sync":
            return reranker.rerank(items, query, **options)
        return await reranker.arerank(items, query, **options)

    return rerank


@pytest.fixture
def invoke(mode):
    """Return a function that calls `invoke` or `ainvoke` of a Runnable."""

    async def invoke(runnable, value=QUERY, config=None, **options):
        if mode == "sync":
            return runnable.invoke(value, config, **options)
        return await runnable.ainvoke(value, config, **options)

    return invoke


@pytest.fixture
def run_search(reranker, invoke):
    """Return a function that runs an agent with one tool, and returns the tool's message."""

    async def run_search(given, *, tools=None, top_n=None, question=QUESTION, **options):
        agent = create_agent(
            scripted(CALL, "Paris."),
            tools=[given],
            middleware=[RerankToolResultsMiddleware(reranker, top_n=top_n, tools=tools)],
        )
        state = await invoke(agent, {"messages": [HumanMessage(question)]}, **options)
        [message] = [each for each in state["messages"] if isinstance(each, ToolMessage)]
        assert message.tool_call_id == "call-0"
        assert message.name == given.name
        return message

    return run_search


@pytest.fixture
def wait_for_requests(local_openrouter):
    """Return a function that waits until `count` requests are in flight, or fails."""

    async def wait_for_requests(count, *, seconds=5):
        await asyncio.to_thread(
            local_openrouter.wait_until,
            lambda: local_openrouter.in_flight == count,
            timeout=seconds,
        )

    return wait_for_requests


class NoLangChainThreads(ThreadPoolExecutor):
    """An executor that refuses functions of LangChain, which calls sync code in threads."""

    def submit(self, function, /, *args, **kwargs):
        """Run a function of another package."""
        called = getattr(function, "args", None) or (function,)
        if called[0].__module__.startswith("lang"):
            raise AssertionError(f"{called[0]!r} was called in a thread")
        return super().submit(function, *args, **kwargs)


@pytest.fixture
async def no_threads():
    """Fail if LangChain calls a function of this event loop in a thread."""
    asyncio.get_running_loop().set_default_executor(NoLangChainThreads())


class Run:
    """A run, as a callback handler gets it."""

    def __init__(self, name, parent, query=None, metadata=None, tags=None):
        self.name, self.parent, self.query = name, parent, query
        self.metadata, self.tags = metadata, tags
        self.documents = self.error = None


class RecordedRuns(BaseCallbackHandler):
    """A callback handler that records runs, and how the runs of retrievers ended."""

    def __init__(self):
        self.by_id, self.ended, self.failed = {}, [], []

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, name=None, **_):
        """Record the run of a chain."""
        self.by_id[run_id] = Run(name, parent_run_id)

    def on_tool_start(self, serialized, input_str, *, run_id, parent_run_id=None, name=None, **_):
        """Record the run of a tool."""
        self.by_id[run_id] = Run(name or serialized["name"], parent_run_id)

    def on_retriever_start(
        self, serialized, query, *, run_id, parent_run_id=None, name, metadata, tags, **_
    ):
        """Record the run of a retriever."""
        self.by_id[run_id] = Run(name, parent_run_id, query, metadata, tags)

    def on_retriever_end(self, documents, *, run_id, tags, **_):
        """Record the documents and the final tags of a run."""
        run = self.by_id[run_id]
        run.documents, run.tags = documents, tags
        self.ended.append(run.name)

    def on_retriever_error(self, error, *, run_id, **_):
        """Record the error of a run."""
        run = self.by_id[run_id]
        run.error = error
        self.failed.append(run.name)

    @property
    def names(self):
        """The names of all runs, in the order of their starts."""
        return [run.name for run in self.by_id.values()]

    @property
    def tree(self):
        """The name of each run together with the name of its parent."""
        return [(run.name, self.parent_name(run)) for run in self.by_id.values()]

    @property
    def reranking(self):
        """The only run of a reranker."""
        [run] = [run for run in self.by_id.values() if run.name == "OpenRouterRerank"]
        return run

    def parent_name(self, run):
        """Return the name of the parent of `run`, or `None` if it has no recorded parent."""
        parent = self.by_id.get(run.parent)
        return parent and parent.name


@pytest.fixture
def runs():
    """A callback handler that records runs."""
    return RecordedRuns()


class LangSmith(BaseHTTPRequestHandler):
    """A LangSmith server that records the method and the body of each request."""

    def do_POST(self):
        """Record the request and accept it."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.received.append((self.command, json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_PATCH(self):
        """Record the request and accept it."""
        self.do_POST()

    def log_message(self, *arguments):
        """Print nothing."""


@pytest.fixture
def langsmith():
    """A LangSmith server in this process."""
    with ThreadingHTTPServer(("127.0.0.1", 0), LangSmith) as server:
        server.received = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def langsmith_client(langsmith):
    """A client of the LangSmith server that sends each event before it returns."""
    client = Client(
        api_url=f"http://127.0.0.1:{langsmith.server_port}",
        api_key="a key",
        auto_batch_tracing=False,
        info={},
    )
    yield client
    client.close()
