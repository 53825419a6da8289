"""LangChain's own parts around our reranker, against the local service."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_openrouter_rerank import OpenRouterRerank

# Nobody finds the second with embeddings that know nothing, so only reranking can put it first.
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
    """A small corpus, each document with an id and its place."""
    return [
        Document(id=f"id-{at}", page_content=text, metadata={"at": at})
        for at, text in enumerate(TEXTS)
    ]


@pytest.fixture
def embeddings():
    """Embeddings that know nothing."""
    return DeterministicFakeEmbedding(size=16)


@pytest.fixture
def reranker(local_openrouter):
    """A reranker that calls the local service."""
    return OpenRouterRerank(
        api_key=local_openrouter.api_key, base_url=local_openrouter.base_url, max_retries=0
    )


@pytest.fixture
def invoke(mode):
    """Invoke a Runnable in each mode of code."""

    async def invoke(runnable, given="capital of France", config=None, **kwargs):
        if mode == "sync":
            return runnable.invoke(given, config, **kwargs)
        return await runnable.ainvoke(given, config, **kwargs)

    return invoke


class NoThreads(ThreadPoolExecutor):
    """Refuses what LangChain hands to a thread because it knows no asynchronous way."""

    def submit(self, work, /, *args, **kwargs):
        """Run the work of others."""
        called = getattr(work, "args", None) or (work,)
        if called[0].__module__.startswith("lang"):
            raise AssertionError(f"{called[0]!r} was handed to a thread")
        return super().submit(work, *args, **kwargs)


@pytest.fixture
async def no_threads():
    """Fail when LangChain hands work of this event loop to a thread."""
    asyncio.get_running_loop().set_default_executor(NoThreads())


class Runs(BaseCallbackHandler):
    """Keeps the tree of the runs that a handler hears of."""

    def __init__(self):
        self.started, self.ended, self.failed = {}, [], []

    def _start(self, name, run_id, parent_run_id):
        self.started[run_id] = (name, parent_run_id)

    def on_retriever_start(self, serialized, query, *, run_id, parent_run_id=None, **kwargs):
        """Keep its name and its parent."""
        self._start(kwargs["name"], run_id, parent_run_id)

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, **kwargs):
        """Keep its name and its parent."""
        self._start(kwargs["name"], run_id, parent_run_id)

    def on_tool_start(self, serialized, input_str, *, run_id, parent_run_id=None, **kwargs):
        """Keep its name and its parent."""
        self._start(kwargs.get("name") or serialized["name"], run_id, parent_run_id)

    def on_retriever_end(self, documents, *, run_id, **kwargs):
        """Keep that it ended well."""
        self.ended.append(self.started[run_id][0])

    def on_retriever_error(self, error, *, run_id, **kwargs):
        """Keep that it failed."""
        self.failed.append(self.started[run_id][0])

    @property
    def tree(self):
        """Each run by name, with the name of the run around it."""
        names = {run: name for run, (name, _) in self.started.items()}
        return [(name, names.get(parent)) for name, parent in self.started.values()]


@pytest.fixture
def runs():
    """A handler that keeps the tree of runs."""
    return Runs()
