"""Behind the vector stores and retrievers that people use, all of them on this machine."""

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
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_text_splitters import CharacterTextSplitter

from tests.scripted_chat import scripted


def in_memory(documents, embeddings):
    """LangChain's own store."""
    store = InMemoryVectorStore(embeddings)
    store.add_documents(documents)
    return store


def chroma(documents, embeddings):
    """Chroma, in this process."""
    import chromadb
    from langchain_chroma import Chroma

    settings = chromadb.Settings(anonymized_telemetry=False, allow_reset=True)
    client = chromadb.EphemeralClient(settings)
    client.reset()
    store = Chroma(client=client, embedding_function=embeddings)
    store.add_documents(documents, ids=[document.id for document in documents])
    return store


def qdrant(documents, embeddings):
    """Qdrant in its local mode, which knows no ids but UUIDs and numbers."""
    from langchain_qdrant import QdrantVectorStore

    return QdrantVectorStore.from_documents(
        documents, embeddings, location=":memory:", ids=list(range(len(documents)))
    )


def faiss(documents, embeddings):
    """FAISS, in this process."""
    from langchain_community.vectorstores import FAISS

    return FAISS.from_documents(documents, embeddings)


@pytest.fixture
def reranker(local_openrouter):
    """A reranker that tries again, for the stores in this process may hold up the event loop."""
    return OpenRouterRerank(api_key=local_openrouter.api_key, base_url=local_openrouter.base_url)


STORES = [in_memory, chroma, qdrant, faiss]


@pytest.fixture(params=STORES, ids=lambda store: store.__name__)
def store(request, documents, embeddings):
    """Each store in turn, with the corpus in it."""
    return request.param(documents, embeddings)


@pytest.fixture(params=["compression", "own"])
def wrap(request, reranker):
    """Put the reranker behind a retriever, with LangChain's wrapper and with ours."""

    def wrap(base):
        if request.param == "own":
            return reranker.as_retriever(base)
        return ContextualCompressionRetriever(base_compressor=reranker, base_retriever=base)

    return wrap


async def test_the_best_of_a_store_comes_first(store, wrap, invoke, documents):
    """All that a store finds comes back in its new order, with its metadata and its id."""
    base = store.as_retriever(search_kwargs={"k": len(documents)})
    before = {each.page_content: each for each in base.invoke("capital of France")}

    found = await invoke(wrap(base))

    assert [each.metadata["at"] for each in found[:2]] == [1, 2]
    assert found[0].metadata["relevance_score"] == 1.0
    assert len(found) == len(documents)
    for each in found:
        was = before[each.page_content]
        assert each.id == was.id
        assert each.metadata.items() >= was.metadata.items()


async def test_a_store_is_not_written_to(store, wrap, invoke):
    """What a store finds next time carries no score of the last time."""
    base = store.as_retriever()
    await invoke(wrap(base))

    found = await invoke(base)

    assert found
    assert [each for each in found if "relevance_score" in each.metadata] == []


async def test_a_store_is_asked_for_more_than_is_returned(store, reranker, invoke, documents):
    """`fetch_k` reaches the search of every store."""
    retriever = reranker.as_retriever(store.as_retriever(), fetch_k=len(documents), top_n=1)

    [best] = await invoke(retriever)

    assert best.metadata["at"] == 1


async def test_what_several_retrievers_found_is_ranked_once(
    wrap, invoke, documents, embeddings, local_openrouter
):
    """An ensemble's documents, each of them once, are put into one order."""
    halves = [in_memory(documents[:4], embeddings), in_memory(documents[2:], embeddings)]
    ensemble = EnsembleRetriever(
        retrievers=[half.as_retriever(search_kwargs={"k": 4}) for half in halves]
    )

    found = await invoke(wrap(ensemble))

    assert [each.id for each in found[:2]] == ["id-1", "id-2"]
    [request] = local_openrouter.requests
    assert sorted(request.documents) == sorted(each.page_content for each in documents)


async def test_the_whole_is_ranked_where_a_summary_was_found(
    wrap, invoke, documents, embeddings, local_openrouter
):
    """A multi-vector retriever searches summaries, and what is ranked are the documents."""
    summaries = [
        Document(f"Summary {at}", metadata={"doc_id": each.id}) for at, each in enumerate(documents)
    ]
    originals = InMemoryStore()
    originals.mset([(each.id, each) for each in documents])
    retriever = MultiVectorRetriever(
        vectorstore=in_memory(summaries, embeddings),
        docstore=originals,
        search_kwargs={"k": len(documents)},
    )

    found = await invoke(wrap(retriever))

    assert found[0].id == "id-1"
    assert not any("Summary" in text for text in local_openrouter.requests[0].documents)


async def test_the_parent_is_ranked_where_a_part_was_found(wrap, invoke, embeddings):
    """A parent document comes back whole, and once, however many of its parts were found."""
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

    found = await invoke(wrap(retriever))

    assert [each.page_content for each in found] == [
        parents[1].page_content,
        parents[0].page_content,
    ]


async def test_the_users_own_question_ranks_what_others_found(
    wrap, invoke, documents, embeddings, local_openrouter
):
    """A model words the question in several ways to find more; the original decides the order."""
    retriever = MultiQueryRetriever.from_llm(
        in_memory(documents, embeddings).as_retriever(search_kwargs={"k": 6}),
        scripted("Which city governs France?\nWhere is the seat of the French government?"),
    )

    found = await invoke(wrap(retriever))

    assert found[0].id == "id-1"
    assert [each.query for each in local_openrouter.requests] == ["capital of France"]
    assert len(local_openrouter.requests[0].documents) == len(documents)
