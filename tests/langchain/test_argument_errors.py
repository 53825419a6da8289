"""Arguments that cannot be ranked are named before anything is sent."""

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.runnables import RunnableLambda
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerankRetriever
from openrouter_rerank import ConfigurationError, InvalidRequestError

from .conftest import QUERY

DOCUMENT = Document(page_content="Paris is the capital of France.")
ONE_LIST = "pass a list, with one item for each document"
SCORED = (
    "documents[0] is a tuple (Document, score), as similarity_search_with_score returns: pass only "
    "the documents, [document for document, score in found]"
)
DOCUMENTS = [
    (DOCUMENT, f"documents is of type Document: {ONE_LIST}"),
    (None, f"documents is of type NoneType: {ONE_LIST}"),
    ([(DOCUMENT, 0.5)], SCORED),
]
QUERIES = [(["a"], "list"), ({"query": "a"}, "dict"), (None, "NoneType")]
RETRIEVER_OPTIONS = [
    ({"topk": 3}, "OpenRouterRerankRetriever has no option 'topk'. Did you mean 'top_n'?"),
    ({"top_n": 1, "k": 1}, "top_n and k are two names of one option: pass one of them"),
    ({"fetch_k": True}, "fetch_k must be a whole number, 1 or more, or None, got True"),
    (
        {"reranker": {"top_k": 3}},
        "reranker: OpenRouterRerank has no option 'top_k'. Did you mean 'top_n'?",
    ),
    (
        {"reranker": "cohere"},
        "reranker: pass an object of type OpenRouterRerank, or a mapping of its options",
    ),
    ({"base_retriever": 3}, "base_retriever must be an object of type Runnable, got 3"),
    (
        {"base_retriever": InMemoryVectorStore(DeterministicFakeEmbedding(size=4))},
        "base_retriever is of type InMemoryVectorStore: pass store.as_retriever()",
    ),
    (
        {"base_retriever": lambda query: [DOCUMENT]},
        "base_retriever is of type function: wrap it: RunnableLambda(f)",
    ),
]
RETRIEVED = [
    (
        None,
        "base_retriever returned an object of type NoneType: it must return a list of documents",
    ),
    ([(DOCUMENT, 0.5)], SCORED),
]


@pytest.mark.parametrize(("documents", "text"), DOCUMENTS, ids=["one", "none", "scored"])
async def test_documents_that_are_no_list_of_documents(
    reranker, compress, local_openrouter, documents, text
):
    """One document, `None` and tuples with scores are named, with what to pass instead."""
    with pytest.raises(InvalidRequestError) as compressed:
        await compress(reranker, documents)
    with pytest.raises(InvalidRequestError) as ranked:
        reranker.rerank(documents, QUERY)
    with pytest.raises(InvalidRequestError) as invoked:
        reranker.invoke({"query": QUERY, "documents": documents})

    assert str(compressed.value) == str(ranked.value) == str(invoked.value) == text
    assert local_openrouter.requests == []


@pytest.mark.parametrize(("query", "kind"), QUERIES, ids=["list", "mapping", "none"])
@pytest.mark.parametrize("documents", [[], [DOCUMENT]], ids=["no documents", "one document"])
async def test_a_query_that_is_no_string(reranker, compress, documents, query, kind):
    """A query of another type is named, also if there are no documents."""
    with pytest.raises(InvalidRequestError) as caught:
        await compress(reranker, documents, query)

    assert str(caught.value) == (
        f"query must be a string, got an object of type {kind}: pass the question as text"
    )


async def test_an_unknown_option_of_a_call_is_a_type_error(reranker, compress):
    """A call names the option that is meant, or says where the option belongs."""
    with pytest.raises(TypeError) as misspelt:
        await compress(reranker, [DOCUMENT], topn=1)
    with pytest.raises(TypeError) as elsewhere:
        reranker.invoke({"query": QUERY, "documents": [DOCUMENT]}, on_error="raise")

    assert str(misspelt.value) == (
        "a call of OpenRouterRerank has no argument 'topn'. Did you mean 'top_n'?"
    )
    assert str(elsewhere.value) == (
        "a call of OpenRouterRerank has no argument 'on_error': set it when you create the reranker"
    )


@pytest.mark.parametrize(("options", "text"), RETRIEVER_OPTIONS)
def test_a_bad_option_of_a_retriever(reranker, options, text):
    """A retriever refuses a bad option with the value and what to pass."""
    search = RunnableLambda(lambda _: [DOCUMENT])

    with pytest.raises(ConfigurationError) as caught:
        OpenRouterRerankRetriever(**{"base_retriever": search, "reranker": reranker} | options)

    assert str(caught.value) == text


def test_a_retriever_without_a_base_retriever_is_refused(reranker):
    """The error says which option is missing, and what it is."""
    with pytest.raises(ConfigurationError) as caught:
        OpenRouterRerankRetriever(reranker=reranker)

    assert str(caught.value) == (
        "OpenRouterRerankRetriever needs base_retriever: Finds the candidates: a retriever, or any "
        "Runnable from a query to documents."
    )


def test_a_bad_option_that_is_assigned_to_a_retriever(reranker):
    """An option that is assigned is checked like a new one."""
    retriever = reranker.as_retriever(RunnableLambda(lambda _: [DOCUMENT]))

    with pytest.raises(ConfigurationError, match=r"top_n must be a whole number.*got 0"):
        retriever.top_n = 0
    with pytest.raises(ConfigurationError, match=r"has no option 'top_k'\. Did you mean 'top_n'"):
        retriever.top_k = 3


@pytest.mark.parametrize(("found", "text"), RETRIEVED, ids=["none", "scored"])
def test_what_a_base_retriever_returns_is_checked(reranker, local_openrouter, found, text):
    """A base retriever that returns no documents is named before anything is sent."""
    retriever = reranker.as_retriever(RunnableLambda(lambda _: found))

    with pytest.raises(InvalidRequestError) as caught:
        retriever.invoke(QUERY)
    with pytest.raises(InvalidRequestError, match=r"query must be a string, got .*list"):
        retriever.invoke([QUERY])

    assert str(caught.value) == text
    assert local_openrouter.requests == []
