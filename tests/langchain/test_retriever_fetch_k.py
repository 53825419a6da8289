"""`fetch_k` of `OpenRouterRerankRetriever`, passed to LangChain's own retrievers of many kinds."""

import logging
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_classic.retrievers import (
    ContextualCompressionRetriever,
    EnsembleRetriever,
    MergerRetriever,
    MultiQueryRetriever,
    MultiVectorRetriever,
    ParentDocumentRetriever,
    SelfQueryRetriever,
    TimeWeightedVectorStoreRetriever,
)
from langchain_classic.retrievers.multi_vector import SearchType
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    ConfigurableField,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
)
from langchain_core.stores import InMemoryStore
from langchain_core.structured_query import StructuredQuery, Visitor
from langchain_core.vectorstores import InMemoryVectorStore, VectorStoreRetriever
from langchain_openrouter_rerank import OpenRouterRerankRetriever
from langchain_text_splitters import CharacterTextSplitter
from pydantic import Field

# Newer releases warn that the package is no longer maintained.
with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
    from langchain_community.retrievers import BM25Retriever, KNNRetriever

SIZE = 12


class FirstDocuments:
    """A BM25 index that returns its first documents; the real one is in another package."""

    def get_top_n(self, query, documents, n):
        """Return the first `n` documents."""
        return documents[:n]


class Fixed(BaseRetriever):
    """A retriever whose number of documents cannot be set."""

    documents: list[Document]

    def _get_relevant_documents(self, query, *, run_manager):
        return self.documents


class Hybrid(BaseRetriever):
    """A retriever that passes its `k` to its store, together with its `search_kwargs`."""

    store: InMemoryVectorStore
    k: int = 2
    search_kwargs: dict = Field(default_factory=dict)
    lanes: dict[str, BaseRetriever] = Field(default_factory=dict)

    def _get_relevant_documents(self, query, *, run_manager):
        found = self.store.similarity_search(query, k=self.k, **self.search_kwargs)
        for lane in self.lanes.values():
            found += lane.invoke(query)
        return found


class StrictVectorStoreRetriever(VectorStoreRetriever):
    """A retriever of a vector store that accepts no keywords in a call."""

    def _get_relevant_documents(self, query, *, run_manager):
        return self.vectorstore.similarity_search(query, **self.search_kwargs)

    async def _aget_relevant_documents(self, query, *, run_manager):
        return self.vectorstore.similarity_search(query, **self.search_kwargs)


class KeepAll(BaseDocumentCompressor):
    """A compressor that keeps all documents."""

    def compress_documents(self, documents, query, callbacks=None):
        """Return the documents."""
        return documents


class NoFilter(Visitor):
    """A translator of queries without filters."""

    def visit_operation(self, operation):
        """Not called."""

    def visit_comparison(self, comparison):
        """Not called."""

    def visit_structured_query(self, structured_query):
        """Return the query without a filter."""
        return structured_query.query, {}


def documents_of(prefix):
    """Return documents with texts that differ by a number."""
    return [
        Document(f"{prefix} {number}", metadata={"doc_id": f"{prefix} {number}"})
        for number in range(SIZE)
    ]


@pytest.fixture
def full_store(embeddings):
    """A vector store with more documents than any test fetches."""
    store = InMemoryVectorStore(embeddings)
    store.add_documents(documents_of("stored"))
    return store


def bm25():
    """Return a retriever with a field `k`."""
    return BM25Retriever(vectorizer=FirstDocuments(), docs=documents_of("listed"))


def parents(store):
    """Return the store of the documents that the chunks in `store` belong to."""
    docstore = InMemoryStore()
    docstore.mset([(each.metadata["doc_id"], each) for each in documents_of("stored")])
    return docstore


def time_weighted(store):
    """Return a retriever with documents that have dates."""
    retriever = TimeWeightedVectorStoreRetriever(
        vectorstore=InMemoryVectorStore(store.embeddings), k=2
    )
    # Its own store has no relevance scores: the last documents are found by their dates.
    retriever.vectorstore.similarity_search_with_relevance_scores = lambda *_, **__: []

    async def nothing(*_, **__):
        return []

    retriever.vectorstore.asimilarity_search_with_relevance_scores = nothing
    retriever.add_documents(documents_of("dated"))
    return retriever


RETRIEVERS = {
    "BM25": lambda store: bm25(),
    "KNN": lambda store: KNNRetriever.from_texts(
        [f"near {number}" for number in range(SIZE)], store.embeddings
    ),
    "ParentDocument": lambda store: ParentDocumentRetriever(
        vectorstore=store, docstore=parents(store), child_splitter=CharacterTextSplitter()
    ),
    "MultiVector": lambda store: MultiVectorRetriever(vectorstore=store, docstore=parents(store)),
    "MultiVector with MMR": lambda store: MultiVectorRetriever(
        vectorstore=store,
        docstore=parents(store),
        search_type=SearchType.mmr,
        search_kwargs={"k": 2, "fetch_k": 3},
    ),
    "Merger": lambda store: MergerRetriever(retrievers=[bm25(), store.as_retriever()]),
    "Merger of Mergers": lambda store: MergerRetriever(
        retrievers=[MergerRetriever(retrievers=[bm25()])]
    ),
    "Ensemble": lambda store: EnsembleRetriever(retrievers=[bm25(), store.as_retriever()]),
    "Ensemble of Runnables": lambda store: EnsembleRetriever(
        retrievers=[bm25().with_config(run_name="words"), store.as_retriever().with_retry()]
    ),
    "MultiQuery": lambda store: MultiQueryRetriever(
        retriever=store.as_retriever(),
        llm_chain=RunnableLambda(lambda given: [given["question"]]),
    ),
    "ContextualCompression": lambda store: ContextualCompressionRetriever(
        base_compressor=KeepAll(), base_retriever=bm25()
    ),
    "SelfQuery": lambda store: SelfQueryRetriever(
        vectorstore=store,
        query_constructor=RunnableLambda(
            lambda given: StructuredQuery(query=given["query"], filter=None, limit=None)
        ),
        structured_query_translator=NoFilter(),
    ),
    "TimeWeighted": time_weighted,
    "fields k and search_kwargs": lambda store: Hybrid(store=store),
    "field k and k in search_kwargs": lambda store: MergerRetriever(
        retrievers=[Hybrid(store=store, lanes={"words": bm25()})]
    ),
    "vector store without keywords": lambda store: StrictVectorStoreRetriever(vectorstore=store),
    "with fallbacks": lambda store: bm25().with_fallbacks([store.as_retriever()]),
    "fallback in use": lambda store: RunnableLambda(lambda query: 1 / 0).with_fallbacks(
        [store.as_retriever()]
    ),
    "with a step behind": lambda store: bm25() | RunnableLambda(lambda found: found),
    "with a step before": lambda store: RunnableLambda(str.strip) | store.as_retriever(),
    "with k bound to another number": lambda store: store.as_retriever().bind(k=1),
    "in parallel": lambda store: (
        RunnableParallel(words=bm25(), vectors=store.as_retriever())
        | RunnableLambda(lambda found: found["words"] + found["vectors"])
    ),
    "in a branch": lambda store: RunnableBranch(
        (lambda query: not query, store.as_retriever()), bm25()
    ),
    "configurable": lambda store: bm25().configurable_fields(docs=ConfigurableField("docs")),
    "alternatives": lambda store: bm25().configurable_alternatives(
        ConfigurableField("search"), default_key="words", vectors=store.as_retriever()
    ),
    "reranking retriever": lambda store: MergerRetriever(
        retrievers=[OpenRouterRerankRetriever(base_retriever=bm25(), fetch_k=8, top_n=2)]
    ),
}


def fields_of(retriever):
    """Return all fields of a retriever, without the dates that a search may change."""
    return re.sub(r"datetime\([^)]*\)", "", repr(retriever))


@pytest.fixture(params=RETRIEVERS)
def base(request, full_store, key_in_environment):
    """Each kind of retriever in turn. By itself it finds at most 4 documents of each kind."""
    return RETRIEVERS[request.param](full_store)


async def test_fetch_k_reaches_the_retriever(reranker, base, invoke, caplog, local_openrouter):
    """`fetch_k` documents are reranked, none is logged, and the retriever is not changed."""
    before = fields_of(base)
    retriever = reranker.as_retriever(base, fetch_k=7)

    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        results = await invoke(retriever, "stored 3")

    assert len(results) == len(local_openrouter.requests[-1].documents) == 7
    assert "fetch_k" not in caplog.text
    assert fields_of(base) == before


async def test_the_configuration_of_a_call_selects_an_alternative(reranker, full_store, invoke):
    """An alternative that the configuration selects finds `fetch_k` documents too."""
    base = RETRIEVERS["alternatives"](full_store)
    chain = reranker.as_retriever(base, fetch_k=7) | RunnableLambda(lambda found: found)

    results = await invoke(chain, config={"configurable": {"search": "vectors"}})

    assert len(results) == 7
    assert all(result.page_content.startswith("stored") for result in results)


@pytest.mark.parametrize("inner", [{}, {"fetch_k": 11, "top_n": 2}])
async def test_fetch_k_reaches_the_search_of_a_reranking_retriever(
    reranker, full_store, invoke, local_openrouter, inner
):
    """The search inside a reranking retriever finds as many documents, or more if it is set to."""
    base = reranker.as_retriever(full_store.as_retriever(), **inner)

    for each in (base, base.with_config(run_name="inner")):
        assert len(await invoke(reranker.as_retriever(each, fetch_k=9))) == 9

    counts = [len(request.documents) for request in local_openrouter.requests]
    assert counts == [inner.get("fetch_k", 9), 9] * 2


async def test_a_changed_retriever_is_used_as_it_is_now(reranker, invoke):
    """Documents that the retriever gets after a call are found by the next call."""
    base = bm25()
    retriever = reranker.as_retriever(base, fetch_k=SIZE + 5)

    assert len(await invoke(retriever)) == SIZE
    base.docs = [*base.docs, Document("added")]
    assert len(await invoke(retriever)) == SIZE + 1


def test_concurrent_calls_have_their_own_number(reranker):
    """Concurrent calls with different numbers share a retriever, and each gets its own number."""
    base = bm25()
    retriever = reranker.as_retriever(base)
    numbers = [1 + turn % SIZE for turn in range(48)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: len(retriever.invoke("x", fetch_k=number)), numbers))

    assert found == numbers
    assert base.k == 4


def unreachable(name):
    """Return a retriever of a new class, because a situation is logged once in a process."""
    few = documents_of("fixed")[:3]
    return type(name, (Fixed,), {})(documents=few)


async def test_a_number_that_cannot_be_passed_is_logged(reranker, invoke, mode, caplog):
    """If the number cannot be passed, a warning says so once, and what to do; later it is DEBUG."""
    name = f"Fixed{mode.title()}"
    retriever = reranker.as_retriever(unreachable(name), fetch_k=50)

    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        for _ in range(2):
            await invoke(retriever)

    records = [record for record in caplog.records if "fetch_k" in record.getMessage()]
    assert [record.levelname for record in records] == ["WARNING", "DEBUG"]
    assert records[0].getMessage() == (
        f"fetch_k had no effect on {name}, which accepts no k in a call and has no field k, "
        "top_k, top_k_results or search_kwargs: fetch_k=50 found=3. Set the number on the base "
        "retriever itself"
    )


async def test_the_log_names_the_retrievers_inside(reranker, invoke, mode, caplog):
    """The warning names the retrievers that did not get the number, and not those that did."""
    names = [f"Inner{mode.title()}", f"Second{mode.title()}"]
    base = MergerRetriever(retrievers=[bm25(), *map(unreachable, names)])

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        results = await invoke(reranker.as_retriever(base, fetch_k=50))

    assert f"fetch_k had no effect on {names[0]}, {names[1]}, which" in caplog.text
    assert len(results) == SIZE + 6


async def test_the_log_names_a_function(reranker, invoke, mode, caplog):
    """The warning names a Runnable in which there is no retriever."""
    few = documents_of("fixed")[:3]
    base = RunnableLambda(lambda query: few, name=f"function of {mode}")

    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        await invoke(reranker.as_retriever(base, fetch_k=50))

    assert f"fetch_k had no effect on function of {mode}, which" in caplog.text


async def test_enough_documents_are_cut_and_not_logged(reranker, invoke, mode, caplog):
    """If there are at least `fetch_k` documents, the rest is cut, and there is nothing to log."""
    base = unreachable(f"Enough{mode.title()}")

    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        assert len(await invoke(reranker.as_retriever(base, fetch_k=2))) == 2

    assert "fetch_k" not in caplog.text


async def test_a_retriever_may_contain_itself(reranker, full_store, invoke):
    """A retriever that holds itself, through others, gets the number once."""

    class Related(EnsembleRetriever):
        related: list[BaseRetriever] = Field(default_factory=list)

    base = Related(retrievers=[full_store.as_retriever()])
    base.related.append(base)

    assert len(await invoke(reranker.as_retriever(base, fetch_k=7))) == 7
