"""`OpenRouterRerankRetriever` over retrievers of every kind."""

import logging

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank, OpenRouterRerankRetriever
from openrouter_rerank.errors import InvalidRequestError, ServiceUnavailableError
from openrouter_rerank.local.stage import error
from pydantic import ValidationError


class Shelf(BaseRetriever):
    """A retriever that knows no number of results."""

    documents: list[Document]

    def _get_relevant_documents(self, query, *, run_manager):
        return self.documents

    async def _aget_relevant_documents(self, query, *, run_manager):
        return self.documents


class Catalogue(BaseRetriever):
    """A retriever that takes `k` in a call, as LangChain's standard tests want it."""

    documents: list[Document]
    k: int = 1

    def _get_relevant_documents(self, query, *, run_manager, k=None):
        return self.documents[: k or self.k]

    async def _aget_relevant_documents(self, query, *, run_manager, k=None):
        return self.documents[: k or self.k]


@pytest.fixture
def shelf(documents):
    """A retriever that finds all there is."""
    return Shelf(documents=documents)


@pytest.fixture
def store(documents, embeddings):
    """A vector store of the corpus."""
    store = InMemoryVectorStore(embeddings)
    store.add_documents(documents)
    return store


@pytest.fixture
def wrapped(reranker, shelf):
    """A retriever that returns all there is, in another order."""
    return OpenRouterRerankRetriever(base_retriever=shelf, reranker=reranker)


def ids(documents):
    """The ids of `documents`, in their order."""
    return [document.id for document in documents]


async def test_it_returns_the_most_relevant(reranker, shelf, invoke):
    """Of all that the base retriever finds, the best come back, with ids, metadata and scores."""
    retriever = OpenRouterRerankRetriever(base_retriever=shelf, reranker=reranker, top_n=2)

    found = await invoke(retriever)

    assert ids(found) == ["id-1", "id-2"]
    assert found[0].metadata == {"at": 1, "relevance_score": 1.0}
    assert all("relevance_score" not in document.metadata for document in shelf.documents)


@pytest.mark.parametrize("name", ["top_n", "k"])
async def test_how_many_is_said_when_it_is_made(reranker, shelf, invoke, name):
    """The number of results has the name of rerankers and that of LangChain's retrievers."""
    retriever = OpenRouterRerankRetriever(base_retriever=shelf, reranker=reranker, **{name: 3})

    assert len(await invoke(retriever)) == 3


@pytest.mark.parametrize("name", ["top_n", "k"])
async def test_how_many_is_said_in_a_call(reranker, shelf, invoke, name):
    """A call's own number wins, and counts for that call alone."""
    retriever = OpenRouterRerankRetriever(base_retriever=shelf, reranker=reranker, top_n=1)

    assert len(await invoke(retriever, **{name: 4})) == 4
    assert len(await invoke(retriever)) == 1


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((None, None, None), 6),
        ((3, None, None), 3),
        ((3, 2, None), 2),
        ((3, 4, None), 4),
        ((3, 2, 5), 5),
    ],
)
async def test_the_nearest_number_wins(reranker, shelf, invoke, numbers, expected):
    """A call's number comes before the retriever's, and that before the reranker's."""
    of_reranker, of_retriever, of_call = numbers
    reranker.top_n = of_reranker
    retriever = OpenRouterRerankRetriever(
        base_retriever=shelf, reranker=reranker, top_n=of_retriever
    )

    assert len(await invoke(retriever, top_n=of_call)) == expected
    assert reranker.top_n == of_reranker


BASES = {
    "a vector store": lambda shelf, store: store.as_retriever(search_kwargs={"k": 2}),
    "its mmr": lambda shelf, store: store.as_retriever(
        search_type="mmr", search_kwargs={"k": 2, "fetch_k": 3}
    ),
    "with a name": lambda shelf, store: store.as_retriever().with_config(run_name="search"),
    "with retries": lambda shelf, store: store.as_retriever().with_retry(),
    "configurable": lambda shelf, store: store.as_retriever().configurable_fields(
        search_kwargs=ConfigurableField("search")
    ),
    "one that takes k": lambda shelf, store: Catalogue(documents=shelf.documents),
    "one that takes no k": lambda shelf, store: shelf,
    "a function": lambda shelf, store: RunnableLambda(
        lambda query: shelf.documents, afunc=shelf.ainvoke
    ),
}


@pytest.fixture(params=BASES)
def base(request, shelf, store):
    """Each kind of base retriever in turn."""
    return BASES[request.param](shelf, store)


async def test_fetch_k_is_how_many_are_reranked(reranker, base, invoke, local_openrouter):
    """Whatever kind the base retriever is of, `fetch_k` candidates are found and reranked."""
    retriever = OpenRouterRerankRetriever(
        base_retriever=base, reranker=reranker, fetch_k=5, top_n=1
    )

    found = await invoke(retriever)

    assert len(found) == 1
    assert len(local_openrouter.requests[0].documents) == 5


async def test_fetch_k_is_said_in_a_call(reranker, store, invoke, local_openrouter):
    """A call may look further than others."""
    retriever = OpenRouterRerankRetriever(
        base_retriever=store.as_retriever(), reranker=reranker, fetch_k=2
    )

    found = await invoke(retriever, fetch_k=6, k=1)

    assert ids(found) == ["id-1"]
    assert len(local_openrouter.requests[0].documents) == 6


async def test_without_fetch_k_the_base_decides(reranker, store, invoke, local_openrouter):
    """The base retriever's own number is how many candidates there are."""
    base = store.as_retriever(search_kwargs={"k": 3})

    await invoke(OpenRouterRerankRetriever(base_retriever=base, reranker=reranker))

    assert len(local_openrouter.requests[0].documents) == 3


async def test_it_stands_on_another_of_its_kind(reranker, store, invoke, local_openrouter):
    """A cheap reranker may choose for a dear one: `fetch_k` of this one is `k` of that one."""
    coarse = OpenRouterRerankRetriever(
        base_retriever=store.as_retriever(), reranker=reranker, fetch_k=6
    )
    fine = OpenRouterRerankRetriever(base_retriever=coarse, reranker=reranker, fetch_k=2, top_n=1)

    assert ids(await invoke(fine)) == ["id-1"]
    assert [len(each.documents) for each in local_openrouter.requests] == [6, 2]


async def test_other_keywords_are_for_the_base_retriever(reranker, store, invoke):
    """A filter of the vector store can be said in a call."""
    retriever = OpenRouterRerankRetriever(base_retriever=store.as_retriever(), reranker=reranker)

    found = await invoke(retriever, filter=lambda document: document.metadata["at"] > 3)

    assert sorted(ids(found)) == ["id-4", "id-5"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 2, "top_n": 2}, "k=2 and top_n=2 mean the same: pass one of them"),
        ({"fetch_k": 0}, "fetch_k must be at least 1, got 0"),
        ({"top_n": 0}, "top_n must be at least 1, got 0"),
        ({"k": -1}, "k must be at least 1, got -1"),
    ],
)
async def test_a_call_that_makes_no_sense_is_refused(
    wrapped, invoke, options, message, local_openrouter
):
    """A number that means nothing, or two for one thing, are told instead of ignored."""
    with pytest.raises(InvalidRequestError, match=message):
        await invoke(wrapped, **options)
    assert local_openrouter.requests == []


@pytest.mark.parametrize("option", [{"topn": 3}, {"top_n": 0}, {"fetch_k": 0}])
def test_options_that_make_no_sense_are_refused(reranker, shelf, option):
    """A misspelt option is refused when the retriever is made, and so is one without a meaning."""
    with pytest.raises(ValidationError):
        OpenRouterRerankRetriever(base_retriever=shelf, reranker=reranker, **option)


async def test_nothing_found_asks_nothing(reranker, invoke, local_openrouter):
    """Where the base retriever finds nothing, nothing is sent."""
    retriever = OpenRouterRerankRetriever(base_retriever=Shelf(documents=[]), reranker=reranker)

    assert await invoke(retriever) == []
    assert local_openrouter.requests == []


async def test_runs_are_nested(wrapped, invoke, runs):
    """Handlers see the retriever, and inside it both the search and the reranking."""
    await invoke(wrapped, config={"callbacks": [runs], "run_name": "search"})

    assert runs.tree == [("search", None), ("Shelf", "search"), ("OpenRouterRerank", "search")]
    assert runs.ended == ["Shelf", "OpenRouterRerank", "search"]


async def test_a_failure_is_raised_and_recorded(wrapped, invoke, runs, local_openrouter):
    """An outage is an error, of the call and of its run."""
    local_openrouter.always(error(503, "down"))

    with pytest.raises(ServiceUnavailableError):
        await invoke(wrapped, config={"callbacks": [runs]})

    assert runs.failed == ["OpenRouterRerank", "OpenRouterRerankRetriever"]


async def test_a_failure_may_pass(reranker, shelf, invoke, caplog, local_openrouter):
    """Where the reranker lets outages pass, the order of the base retriever is kept and cut."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error = "passthrough"
    retriever = OpenRouterRerankRetriever(base_retriever=shelf, reranker=reranker, top_n=2)

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        found = await invoke(retriever)

    assert ids(found) == ["id-0", "id-1"]
    assert "ServiceUnavailableError" in caplog.text


async def test_it_is_configured_while_it_runs(wrapped, invoke):
    """Its options can be fields of a chain's configuration."""
    configurable = wrapped.configurable_fields(top_n=ConfigurableField("results"))

    assert len(await invoke(configurable, config={"configurable": {"results": 2}})) == 2
    assert len(await invoke(configurable)) == 6


async def test_the_configuration_of_a_chain_reaches_the_base(reranker, store, invoke):
    """Inside a chain, a configurable base retriever hears what is configured."""
    base = store.as_retriever().configurable_fields(search_kwargs=ConfigurableField("search"))
    chain = OpenRouterRerankRetriever(base_retriever=base, reranker=reranker) | len

    found = await invoke(chain, config={"configurable": {"search": {"k": 5}}})

    assert found == 5


async def test_several_questions_are_answered_together(reranker, shelf, mode):
    """A batch keeps the order of its questions."""
    retriever = OpenRouterRerankRetriever(base_retriever=shelf, reranker=reranker, top_n=1)
    questions = ["capital of Germany", "many rivers"]

    found = retriever.batch(questions) if mode == "sync" else await retriever.abatch(questions)

    assert [ids(each) for each in found] == [["id-2"], ["id-3"]]


async def test_a_reranker_makes_one(reranker, store, invoke, local_openrouter):
    """`as_retriever` wraps a retriever in one line."""
    retriever = reranker.as_retriever(store.as_retriever(), fetch_k=6, top_n=2)

    assert isinstance(retriever, OpenRouterRerankRetriever)
    assert retriever.reranker is reranker
    assert ids(await invoke(retriever)) == ["id-1", "id-2"]
    assert len(local_openrouter.requests[0].documents) == 6


async def test_asynchronous_calls_need_no_thread(reranker, shelf, no_threads):
    """Neither the search nor the reranking waits in a thread."""
    retriever = OpenRouterRerankRetriever(base_retriever=shelf, reranker=reranker, fetch_k=5)

    assert len(await retriever.ainvoke("capital of France")) == 5


async def test_the_environment_is_enough(shelf, invoke, local_openrouter, monkeypatch):
    """Without a reranker it makes one, which takes its key from the environment."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)

    found = await invoke(OpenRouterRerankRetriever(base_retriever=shelf, top_n=1))

    assert ids(found) == ["id-1"]


def test_it_never_shows_the_key(shelf):
    """Whoever prints a retriever does not see the key of its reranker."""
    retriever = OpenRouterRerankRetriever(
        base_retriever=shelf, reranker=OpenRouterRerank(api_key="sk-or-v1-secret")
    )

    assert "secret" not in repr(retriever) + str(retriever)
