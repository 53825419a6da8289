"""Reranking after common vector stores and retrievers, which all run in this process."""

import pytest
from langchain_classic.retrievers import (
    ContextualCompressionRetriever,
    EnsembleRetriever,
    MultiQueryRetriever,
    MultiVectorRetriever,
    ParentDocumentRetriever,
)
from langchain_classic.storage import InMemoryStore
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_text_splitters import CharacterTextSplitter

from tests.scripted_chat import scripted


def in_memory(documents, embeddings):
    """LangChain's own vector store."""
    store = InMemoryVectorStore(embeddings)
    store.add_documents(documents)
    return store


def chroma(documents, embeddings):
    """Chroma in memory."""
    import chromadb
    from langchain_chroma import Chroma

    settings = chromadb.Settings(anonymized_telemetry=False, allow_reset=True)
    client = chromadb.EphemeralClient(settings)
    client.reset()
    store = Chroma(client=client, embedding_function=embeddings)
    store.add_documents(documents, ids=[document.id for document in documents])
    return store


def qdrant(documents, embeddings):
    """Qdrant in memory, which accepts only UUIDs and numbers as ids."""
    from langchain_qdrant import QdrantVectorStore

    return QdrantVectorStore.from_documents(
        documents, embeddings, location=":memory:", ids=list(range(len(documents)))
    )


def faiss(documents, embeddings):
    """FAISS in memory."""
    from langchain_community.vectorstores import FAISS

    return FAISS.from_documents(documents, embeddings)


@pytest.fixture(params=[in_memory, chroma, qdrant, faiss], ids=lambda make: make.__name__)
def any_store(request, documents, embeddings):
    """Each vector store in turn, with the six documents."""
    return request.param(documents, embeddings)


@pytest.fixture(params=["ContextualCompressionRetriever", "as_retriever"])
def reranking_retriever(request, reranker):
    """Return a function that makes a retriever which reranks the documents of another one."""

    def reranking_retriever(base):
        if request.param == "as_retriever":
            return reranker.as_retriever(base)
        return ContextualCompressionRetriever(base_compressor=reranker, base_retriever=base)

    return reranking_retriever


async def test_the_best_document_of_a_store_comes_first(
    any_store, reranking_retriever, invoke, documents
):
    """All documents of a store are returned, best first, with their metadata and ids."""
    base = any_store.as_retriever(search_kwargs={"k": len(documents)})
    originals = {original.page_content: original for original in base.invoke("capital of France")}

    results = await invoke(reranking_retriever(base))

    assert [result.metadata["position"] for result in results[:2]] == [1, 2]
    assert results[0].metadata["relevance_score"] == 1.0
    assert len(results) == len(documents)
    for result in results:
        original = originals[result.page_content]
        assert result.id == original.id
        assert result.metadata.items() >= original.metadata.items()


async def test_a_store_is_not_changed(any_store, reranking_retriever, invoke):
    """The documents in a store get no scores."""
    base = any_store.as_retriever()
    await invoke(reranking_retriever(base))

    stored = await invoke(base)

    assert stored
    assert [document for document in stored if "relevance_score" in document.metadata] == []


async def test_a_store_returns_fetch_k_candidates(any_store, reranker, invoke, documents):
    """Every store gets the number of candidates from `fetch_k`."""
    retriever = reranker.as_retriever(any_store.as_retriever(), fetch_k=len(documents), top_n=1)

    [best] = await invoke(retriever)

    assert best.metadata["position"] == 1


async def test_the_documents_of_an_ensemble_are_ranked_together(
    reranking_retriever, invoke, documents, embeddings, local_openrouter
):
    """The documents of several retrievers are ranked in one request, each once."""
    halves = [in_memory(documents[:4], embeddings), in_memory(documents[2:], embeddings)]
    ensemble = EnsembleRetriever(
        retrievers=[half.as_retriever(search_kwargs={"k": 4}) for half in halves]
    )

    results = await invoke(reranking_retriever(ensemble))

    assert [result.id for result in results[:2]] == ["id-1", "id-2"]
    [request] = local_openrouter.requests
    assert sorted(request.documents) == sorted(document.page_content for document in documents)


async def test_documents_are_ranked_in_place_of_their_summaries(
    reranking_retriever, invoke, documents, embeddings, local_openrouter
):
    """A multi-vector retriever searches summaries, and the documents themselves are ranked."""
    summaries = [
        Document(f"Summary {number}", metadata={"doc_id": document.id})
        for number, document in enumerate(documents)
    ]
    originals = InMemoryStore()
    originals.mset([(document.id, document) for document in documents])
    retriever = MultiVectorRetriever(
        vectorstore=in_memory(summaries, embeddings),
        docstore=originals,
        search_kwargs={"k": len(documents)},
    )

    results = await invoke(reranking_retriever(retriever))

    assert results[0].id == "id-1"
    assert not any("Summary" in text for text in local_openrouter.requests[0].documents)


async def test_parent_documents_are_ranked_in_place_of_their_parts(
    reranking_retriever, invoke, embeddings
):
    """A parent document is returned complete and once, however many of its parts were found."""
    parents = [
        Document("Bread is baked. Bakers rise early."),
        Document("Paris is large. It is the capital of France."),
    ]
    retriever = ParentDocumentRetriever(
        vectorstore=InMemoryVectorStore(embeddings),
        docstore=InMemoryStore(),
        child_splitter=CharacterTextSplitter(separator=". ", chunk_size=20, chunk_overlap=0),
        search_kwargs={"k": 10},
    )
    retriever.add_documents(parents, ids=["bread", "paris"])

    results = await invoke(reranking_retriever(retriever))

    assert [result.page_content for result in results] == [
        parents[1].page_content,
        parents[0].page_content,
    ]


async def test_documents_are_ranked_by_the_original_question(
    reranking_retriever, invoke, documents, embeddings, local_openrouter
):
    """If a model rewrites the question to find more documents, the original question ranks them."""
    retriever = MultiQueryRetriever.from_llm(
        in_memory(documents, embeddings).as_retriever(search_kwargs={"k": 6}),
        scripted("Which city governs France?\nWhere is the seat of the French government?"),
    )

    results = await invoke(reranking_retriever(retriever))

    assert results[0].id == "id-1"
    assert [request.query for request in local_openrouter.requests] == ["capital of France"]
    assert len(local_openrouter.requests[0].documents) == len(documents)
