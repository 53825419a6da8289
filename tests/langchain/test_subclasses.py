"""Subclasses of `OpenRouterRerank` that override its methods, called in every way."""

import asyncio
import threading
from uuid import uuid4

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


class Twice(OpenRouterRerank):
    """A reranker that calls another Runnable, and reranks twice."""

    def compress_documents(self, documents, query, callbacks=None):
        """Return what the superclass returns in the second call."""
        RunnableLambda(lambda value: value, name="inner").invoke(1)
        first = super().compress_documents(documents, query, callbacks)
        return super().compress_documents(first, query, callbacks)


class TwiceAsync(OpenRouterRerank):
    """The same as `Twice`, in async calls."""

    async def acompress_documents(self, documents, query, callbacks=None):
        """Return what the superclass returns in the second call."""
        await RunnableLambda(lambda value: value, name="inner").ainvoke(1)
        first = await super().acompress_documents(documents, query, callbacks)
        return await super().acompress_documents(first, query, callbacks)


class ByInvoke(OpenRouterRerank):
    """A reranker whose overridden method calls the method that calls it."""

    def compress_documents(self, documents, query, callbacks=None):
        """Call `invoke` of the superclass."""
        return super().invoke({"query": query, "documents": documents})


class ByInvokeAsync(OpenRouterRerank):
    """The same as `ByInvoke`, in async calls."""

    async def acompress_documents(self, documents, query, callbacks=None):
        """Call `ainvoke` of the superclass."""
        return await super().ainvoke({"query": query, "documents": documents})


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


@pytest.mark.parametrize("kind", [Twice, TwiceAsync])
async def test_only_one_run_has_the_id_and_the_name_of_the_caller(
    make, documents, mode, runs, kind
):
    """The first call of the superclass has them; no other run has them."""
    question, run_id = {"query": QUERY, "documents": documents}, uuid4()
    config = {"callbacks": [runs], "run_id": run_id, "run_name": "mine"}

    await invoked(make(kind), question, mode, config)

    if (kind, mode) == (TwiceAsync, "sync"):
        assert runs.names == ["mine"]
    else:
        assert runs.names == ["inner", "mine", kind.__name__]
    assert [run.name for id_, run in runs.by_id.items() if id_ == run_id] == ["mine"]


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (ByInvoke, lambda each, given: each.invoke(given)),
        (ByInvoke, lambda each, given: each.compress_documents(given["documents"], QUERY)),
        (ByInvoke, lambda each, given: asyncio.run(each.ainvoke(given))),
        (ByInvokeAsync, lambda each, given: asyncio.run(each.ainvoke(given))),
    ],
)
def test_an_overridden_method_cannot_call_invoke(make, documents, kind, call, local_openrouter):
    """The error says what to call instead, and nothing is sent."""
    with pytest.raises(RecursionError) as caught:
        call(make(kind), {"query": QUERY, "documents": documents})

    assert str(caught.value) == (
        f"invoke and ainvoke call the method that {kind.__name__} overrides, so this method cannot "
        "call them: call super().compress_documents or super().acompress_documents there"
    )
    assert local_openrouter.requests == []


async def test_a_task_of_an_overridden_method_can_call_invoke_later(make, documents):
    """A task that outlives the overridden method calls the reranker as any other code does."""
    question, tasks, go = {"query": QUERY, "documents": documents}, [], asyncio.Event()

    class Starting(OpenRouterRerank):
        async def acompress_documents(self, documents, query, callbacks=None):
            async def later():
                await go.wait()
                return await self.ainvoke(question)

            if not tasks:
                tasks.append(asyncio.create_task(later()))
            return await super().acompress_documents(documents, query, callbacks)

    found = await make(Starting).ainvoke(question)
    go.set()

    assert await tasks[0] == found
