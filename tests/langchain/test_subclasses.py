"""Subclasses of `OpenRouterRerank` that override its methods, called in every way."""

import threading

import pytest
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.runnables import RunnableLambda
from langchain_openrouter_rerank import OpenRouterRerank

QUERY = "capital of France"


def marked(documents, mark):
    """Return the documents, each marked as having passed an overridden method."""
    for document in documents:
        document.metadata["marks"] = [*document.metadata.get("marks", ()), mark]
    return documents


class Sync(OpenRouterRerank):
    """A reranker that overrides the sync method, as LangChain's own compressors allow."""

    def compress_documents(self, documents, query, callbacks=None):
        """Mark what the superclass returns."""
        return marked(super().compress_documents(documents, query, callbacks), "sync")


class Async(OpenRouterRerank):
    """A reranker that overrides the async method."""

    async def acompress_documents(self, documents, query, callbacks=None):
        """Mark what the superclass returns."""
        return marked(await super().acompress_documents(documents, query, callbacks), "async")


class AsyncOfSync(Sync):
    """A subclass of `Sync` that overrides the async method."""

    async def acompress_documents(self, documents, query, callbacks=None):
        """Mark what the superclass returns."""
        return marked(await super().acompress_documents(documents, query, callbacks), "outer")


class BothOfSync(AsyncOfSync):
    """A subclass of `Sync` that overrides both methods."""

    def compress_documents(self, documents, query, callbacks=None):
        """Mark what the superclass returns."""
        return marked(super().compress_documents(documents, query, callbacks), "outer")

    async def acompress_documents(self, documents, query, callbacks=None):
        """Mark what the superclass returns."""
        return marked(await super().acompress_documents(documents, query, callbacks), "last")


class WithOption(OpenRouterRerank):
    """A subclass that overrides neither method."""

    note: str = "note"


class WithOptions(OpenRouterRerank):
    """A reranker whose overridden method takes the options of a call."""

    def compress_documents(self, documents, query, callbacks=None, **options):
        """Return the document that the superclass puts last, too."""
        kept = super().compress_documents(documents, query, callbacks, **options)
        return [*kept, documents[-1]]


@pytest.fixture
def make(local_openrouter):
    """Return a function that makes a reranker of a class."""

    def make(kind):
        return kind(api_key=local_openrouter.api_key, base_url=local_openrouter.base_url)

    return make


async def compressed(reranker, documents, mode):
    """Return what `compress_documents` or `acompress_documents` returns."""
    if mode == "sync":
        return reranker.compress_documents(documents, QUERY)
    return await reranker.acompress_documents(documents, QUERY)


async def invoked(runnable, value, mode, config=None, **options):
    """Return what `invoke` or `ainvoke` returns."""
    if mode == "sync":
        return runnable.invoke(value, config, **options)
    return await runnable.ainvoke(value, config, **options)


async def results_of_all_ways(reranker, documents, mode):
    """Return the results of each way to call a reranker in a pipeline."""
    question = {"query": QUERY, "documents": documents}
    search = RunnableLambda(lambda query: documents)
    batch = reranker.batch([question]) if mode == "sync" else await reranker.abatch([question])
    classic = ContextualCompressionRetriever(base_compressor=reranker, base_retriever=search)
    return [
        await compressed(reranker, documents, mode),
        await invoked(reranker, question, mode),
        *batch,
        await invoked(reranker.as_retriever(search), QUERY, mode),
        await invoked(classic, QUERY, mode),
    ]


MARKS = {
    Sync: {"sync": ["sync"], "async": ["sync"]},
    Async: {"sync": None, "async": ["async"]},
    AsyncOfSync: {"sync": ["sync"], "async": ["sync", "outer"]},
    BothOfSync: {"sync": ["sync", "outer"], "async": ["sync", "outer", "last"]},
    WithOption: {"sync": None, "async": None},
}


@pytest.mark.parametrize("kind", MARKS)
async def test_an_overridden_method_holds_in_every_way(
    make, kind, documents, mode, local_openrouter
):
    """Each way to call the reranker uses the overridden method once, and sends one request."""
    results = await results_of_all_ways(make(kind), documents, mode)

    assert [found[0].metadata.get("marks") for found in results] == [MARKS[kind][mode]] * 5
    assert [found[0].id for found in results] == ["id-1"] * 5
    assert len(local_openrouter.requests) == 5


async def test_the_run_of_an_overridden_method_is_reported_once(make, documents, mode, runs):
    """The reranker's run has the name, the tags and the place that the caller gives it."""
    question = {"query": QUERY, "documents": documents}
    chain = RunnableLambda(lambda query: question, name="search") | make(Sync).with_config(
        run_name="rerank", tags=["mine"]
    )

    await invoked(chain, QUERY, mode, {"callbacks": [runs]})

    assert runs.tree == [
        ("RunnableSequence", None),
        ("search", "RunnableSequence"),
        ("rerank", "RunnableSequence"),
    ]
    assert runs.ended == ["rerank"]
    [run] = [run for run in runs.by_id.values() if run.name == "rerank"]
    assert "mine" in run.tags


async def test_an_overridden_method_gets_the_options_of_the_call(make, documents, mode):
    """The options of a call reach an overridden method, in each way in that has options."""
    reranker, question = make(WithOptions), {"query": QUERY, "documents": documents}
    if mode == "sync":
        found = reranker.compress_documents(documents, QUERY, top_n=1)
    else:
        found = await reranker.acompress_documents(documents, QUERY, top_n=1)

    assert [document.id for document in found] == ["id-1", "id-5"]
    assert await invoked(reranker, question, mode, top_n=1) == found


async def test_an_overridden_sync_method_does_not_block_the_event_loop(make, documents):
    """An async call runs the overridden sync method in a thread."""
    threads = []

    class Recording(OpenRouterRerank):
        def compress_documents(self, documents, query, callbacks=None):
            threads.append(threading.current_thread())
            return super().compress_documents(documents, query, callbacks)

    await make(Recording).acompress_documents(documents, QUERY)

    assert threads != [threading.current_thread()]


async def test_other_subclasses_need_no_thread(make, documents, no_threads):
    """A subclass that does not override the sync method is as async as its superclass."""
    question = {"query": QUERY, "documents": documents}

    found = await make(Async).acompress_documents(documents, QUERY)

    assert found[0].metadata["marks"] == ["async"]
    assert len(await make(WithOption).ainvoke(question)) == 6
