"""`OpenRouterRerankRetriever` with base retrievers of several kinds."""

import logging

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_openrouter_rerank import OpenRouterRerank, OpenRouterRerankRetriever
from openrouter_rerank import ConfigurationError
from openrouter_rerank.errors import InvalidRequestError, ServiceUnavailableError
from openrouter_rerank.local.stage import error


class FixedRetriever(BaseRetriever):
    """A retriever that returns all its documents, and does not accept `k` in a call."""

    documents: list[Document]

    def _get_relevant_documents(self, query, *, run_manager):
        return self.documents

    async def _aget_relevant_documents(self, query, *, run_manager):
        return self.documents


class LimitedRetriever(BaseRetriever):
    """A retriever that accepts `k` in a call, as LangChain's standard tests require."""

    documents: list[Document]
    k: int = 1

    def _get_relevant_documents(self, query, *, run_manager, k=None):
        return self.documents[: k or self.k]

    async def _aget_relevant_documents(self, query, *, run_manager, k=None):
        return self.documents[: k or self.k]


@pytest.fixture
def base(documents):
    """A base retriever that returns the six documents."""
    return FixedRetriever(documents=documents)


@pytest.fixture
def retriever(reranker, base):
    """A retriever that returns the six documents in the order of their scores."""
    return OpenRouterRerankRetriever(base_retriever=base, reranker=reranker)


def ids(documents):
    """Return the ids of documents."""
    return [document.id for document in documents]


async def test_the_retriever_returns_the_most_relevant_documents(reranker, base, invoke):
    """The retriever returns the best documents, with ids, metadata and scores."""
    retriever = OpenRouterRerankRetriever(base_retriever=base, reranker=reranker, top_n=2)

    results = await invoke(retriever)

    assert ids(results) == ["id-1", "id-2"]
    assert results[0].metadata == {"position": 1, "relevance_score": 1.0}
    assert all("relevance_score" not in document.metadata for document in base.documents)


@pytest.mark.parametrize("name", ["top_n", "k"])
async def test_top_n_is_also_called_k(reranker, base, invoke, name):
    """The number of results can be set as `top_n` or `k`, the name that retrievers use."""
    retriever = OpenRouterRerankRetriever(base_retriever=base, reranker=reranker, **{name: 3})

    assert len(await invoke(retriever)) == 3


@pytest.mark.parametrize("name", ["top_n", "k"])
async def test_a_call_can_override_top_n(reranker, base, invoke, name):
    """A call can override the number of results for itself."""
    retriever = OpenRouterRerankRetriever(base_retriever=base, reranker=reranker, top_n=1)

    assert len(await invoke(retriever, **{name: 4})) == 4
    assert len(await invoke(retriever)) == 1


@pytest.mark.parametrize(
    ("top_ns", "expected"),
    [
        ((None, None, None), 6),
        ((3, None, None), 3),
        ((3, 2, None), 2),
        ((3, 4, None), 4),
        ((3, 2, 5), 5),
    ],
)
async def test_the_top_n_of_the_call_comes_first(reranker, base, invoke, top_ns, expected):
    """The call's `top_n` overrides the retriever's, which overrides the reranker's."""
    reranker_top_n, retriever_top_n, call_top_n = top_ns
    reranker.top_n = reranker_top_n
    retriever = OpenRouterRerankRetriever(
        base_retriever=base, reranker=reranker, top_n=retriever_top_n
    )

    assert len(await invoke(retriever, top_n=call_top_n)) == expected
    assert reranker.top_n == reranker_top_n


BASE_RETRIEVERS = {
    "vector store": lambda base, store: store.as_retriever(search_kwargs={"k": 2}),
    "vector store with MMR": lambda base, store: store.as_retriever(
        search_type="mmr", search_kwargs={"k": 2, "fetch_k": 3}
    ),
    "with a run name": lambda base, store: store.as_retriever().with_config(run_name="search"),
    "with retries": lambda base, store: store.as_retriever().with_retry(),
    "configurable": lambda base, store: store.as_retriever().configurable_fields(
        search_kwargs=ConfigurableField("search")
    ),
    "retriever that accepts k": lambda base, store: LimitedRetriever(documents=base.documents),
    "retriever that does not accept k": lambda base, store: base,
    "function": lambda base, store: RunnableLambda(
        lambda query: base.documents, afunc=base.ainvoke
    ),
}


@pytest.fixture(params=BASE_RETRIEVERS)
def any_base(request, base, store):
    """Each kind of base retriever in turn."""
    return BASE_RETRIEVERS[request.param](base, store)


async def test_fetch_k_is_the_number_of_candidates(reranker, any_base, invoke, local_openrouter):
    """With every kind of base retriever, `fetch_k` candidates are reranked."""
    retriever = OpenRouterRerankRetriever(
        base_retriever=any_base, reranker=reranker, fetch_k=5, top_n=1
    )

    results = await invoke(retriever)

    assert len(results) == 1
    assert len(local_openrouter.requests[0].documents) == 5


async def test_a_call_can_override_fetch_k(reranker, store, invoke, local_openrouter):
    """A call can override the number of candidates for itself."""
    retriever = OpenRouterRerankRetriever(
        base_retriever=store.as_retriever(), reranker=reranker, fetch_k=2
    )

    results = await invoke(retriever, fetch_k=6, k=1)

    assert ids(results) == ["id-1"]
    assert len(local_openrouter.requests[0].documents) == 6


async def test_without_fetch_k_all_results_of_the_base_are_reranked(
    reranker, store, invoke, local_openrouter
):
    """Without `fetch_k`, the base retriever decides how many candidates it returns."""
    base = store.as_retriever(search_kwargs={"k": 3})

    await invoke(OpenRouterRerankRetriever(base_retriever=base, reranker=reranker))

    assert len(local_openrouter.requests[0].documents) == 3


async def test_the_base_can_be_another_reranking_retriever(
    reranker, store, invoke, local_openrouter
):
    """The outer retriever's `fetch_k` is the number of results of the inner retriever."""
    inner = OpenRouterRerankRetriever(
        base_retriever=store.as_retriever(), reranker=reranker, fetch_k=6
    )
    outer = OpenRouterRerankRetriever(base_retriever=inner, reranker=reranker, fetch_k=2, top_n=1)

    assert ids(await invoke(outer)) == ["id-1"]
    assert [len(request.documents) for request in local_openrouter.requests] == [6, 2]


async def test_other_keywords_are_passed_to_the_base_retriever(reranker, store, invoke):
    """A call can have keywords of the base retriever, such as the filter of a vector store."""
    retriever = OpenRouterRerankRetriever(base_retriever=store.as_retriever(), reranker=reranker)

    results = await invoke(retriever, filter=lambda document: document.metadata["position"] > 3)

    assert sorted(ids(results)) == ["id-4", "id-5"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 2, "top_n": 2}, "k=2 and top_n=2 mean the same: pass one of them"),
        ({"fetch_k": 0}, "fetch_k must be a whole number, 1 or more, or None, got 0"),
        ({"top_n": 0}, "top_n must be a whole number, 1 or more, or None, got 0"),
        ({"k": -1}, "k must be a whole number, 1 or more, or None, got -1"),
    ],
)
async def test_invalid_options_of_a_call_are_refused(
    retriever, invoke, options, message, local_openrouter
):
    """An invalid number, or both `k` and `top_n`, is an error, and no request is sent."""
    with pytest.raises(InvalidRequestError, match=message):
        await invoke(retriever, **options)
    assert local_openrouter.requests == []


@pytest.mark.parametrize("option", [{"topn": 3}, {"top_n": 0}, {"fetch_k": 0}])
def test_invalid_options_are_refused(reranker, base, option):
    """A misspelt option, or an invalid value, is an error when the retriever is made."""
    with pytest.raises(ConfigurationError):
        OpenRouterRerankRetriever(base_retriever=base, reranker=reranker, **option)


async def test_without_candidates_no_request_is_sent(reranker, invoke, local_openrouter):
    """If the base retriever returns no documents, no request is sent."""
    base = FixedRetriever(documents=[])
    retriever = OpenRouterRerankRetriever(base_retriever=base, reranker=reranker)

    assert await invoke(retriever) == []
    assert local_openrouter.requests == []


async def test_runs_are_nested(retriever, invoke, runs):
    """The runs of the base retriever and of the reranker are inside the run of the retriever."""
    await invoke(retriever, config={"callbacks": [runs], "run_name": "search"})

    assert runs.tree == [
        ("search", None),
        ("FixedRetriever", "search"),
        ("OpenRouterRerank", "search"),
    ]
    assert runs.ended == ["FixedRetriever", "OpenRouterRerank", "search"]


async def test_a_failure_is_raised_and_reported(
    reranker, retriever, invoke, runs, local_openrouter
):
    """If reranking fails, the retriever raises, and callback handlers get the error."""
    local_openrouter.always(error(503, "down"))
    reranker.max_retries = 0

    with pytest.raises(ServiceUnavailableError):
        await invoke(retriever, config={"callbacks": [runs]})

    assert runs.failed == ["OpenRouterRerank", "OpenRouterRerankRetriever"]


async def test_a_failure_can_be_passed_through(reranker, base, invoke, caplog, local_openrouter):
    """With `on_error="passthrough"`, the first documents of the base retriever are returned."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.max_retries = "passthrough", 0
    retriever = OpenRouterRerankRetriever(base_retriever=base, reranker=reranker, top_n=2)

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        results = await invoke(retriever)

    assert ids(results) == ["id-0", "id-1"]
    assert "ServiceUnavailableError" in caplog.text


async def test_options_are_configurable_fields(retriever, invoke):
    """The configuration of a call can set the retriever's options."""
    configurable = retriever.configurable_fields(top_n=ConfigurableField("results"))

    assert len(await invoke(configurable, config={"configurable": {"results": 2}})) == 2
    assert len(await invoke(configurable)) == 6


async def test_the_base_retriever_gets_the_configuration_of_a_chain(reranker, store, invoke):
    """Inside a chain, the configuration of a call can set options of the base retriever."""
    base = store.as_retriever().configurable_fields(search_kwargs=ConfigurableField("search"))
    chain = OpenRouterRerankRetriever(base_retriever=base, reranker=reranker) | len

    count = await invoke(chain, config={"configurable": {"search": {"k": 5}}})

    assert count == 5


async def test_a_batch_keeps_the_order_of_its_queries(reranker, base, mode):
    """The results of a batch are in the order of its queries."""
    retriever = OpenRouterRerankRetriever(base_retriever=base, reranker=reranker, top_n=1)
    queries = ["capital of Germany", "many rivers"]

    results = retriever.batch(queries) if mode == "sync" else await retriever.abatch(queries)

    assert [ids(documents) for documents in results] == [["id-2"], ["id-3"]]


async def test_as_retriever_makes_a_retriever(reranker, store, invoke, local_openrouter):
    """`as_retriever` makes a retriever that uses the reranker and a base retriever."""
    retriever = reranker.as_retriever(store.as_retriever(), fetch_k=6, top_n=2)

    assert isinstance(retriever, OpenRouterRerankRetriever)
    assert retriever.reranker is reranker
    assert ids(await invoke(retriever)) == ["id-1", "id-2"]
    assert len(local_openrouter.requests[0].documents) == 6


async def test_async_calls_need_no_thread(reranker, base, no_threads):
    """Async retrieval and reranking do not use threads."""
    retriever = OpenRouterRerankRetriever(base_retriever=base, reranker=reranker, fetch_k=5)

    assert len(await retriever.ainvoke("capital of France")) == 5


@pytest.mark.usefixtures("key_in_environment")
async def test_the_reranker_is_optional(base, invoke):
    """Without a reranker, the retriever makes one that takes its key from the environment."""
    results = await invoke(OpenRouterRerankRetriever(base_retriever=base, top_n=1))

    assert ids(results) == ["id-1"]


def test_the_key_is_not_shown(base):
    """`repr` and `str` of a retriever do not show the key of its reranker."""
    retriever = OpenRouterRerankRetriever(
        base_retriever=base, reranker=OpenRouterRerank(api_key="sk-or-v1-secret")
    )

    assert "secret" not in repr(retriever) + str(retriever)
