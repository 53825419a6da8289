"""Retrievers of LangChain and LlamaIndex, in functions of three lines."""

import zlib

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.schema import TextNode
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.collection.retriever import awith_candidates, with_candidates

DEPTH = 20


def vector(text):
    """Return the counts of the words of a text, each in one of 64 places."""
    counts = [0.0] * 64
    for word in text.lower().split():
        counts[zlib.crc32(word.encode()) % 64] += 1.0
    return counts


class LangChainWords(Embeddings):
    """Counts words."""

    def embed_documents(self, texts):
        """Return the counts of each text."""
        return list(map(vector, texts))

    def embed_query(self, text):
        """Return the counts of a text."""
        return vector(text)


class LlamaIndexWords(BaseEmbedding):
    """Counts words."""

    def _get_query_embedding(self, query):
        return vector(query)

    async def _aget_query_embedding(self, query):
        return vector(query)

    def _get_text_embedding(self, text):
        return vector(text)


@pytest.fixture(scope="module")
def langchain_store(towns):
    """A vector store of LangChain with the documents of the small collection."""
    store = InMemoryVectorStore(LangChainWords())
    store.add_documents(
        [Document(id=id_, page_content=text) for id_, text in towns.documents.items()]
    )
    return store


@pytest.fixture(scope="module")
def llamaindex_retriever(towns):
    """A retriever of LlamaIndex over the documents of the small collection."""
    nodes = [TextNode(id_=id_, text=text) for id_, text in towns.documents.items()]
    return VectorStoreIndex(nodes, embed_model=LlamaIndexWords()).as_retriever(
        similarity_top_k=DEPTH
    )


def read_run(folder, run, found):
    """Return the candidates that are read from a run with these ids and scores."""
    run.write_text(
        "".join(
            f"{question} Q0 {id_} {rank} {score!r} tag\n"
            for question, items in found.items()
            for rank, (id_, score) in enumerate(items)
        )
    )
    return Collection.from_beir(folder, run=run).candidates


def test_a_retriever_of_langchain_gives_the_candidates_of_the_equal_run(
    towns, towns_folder, langchain_store, tmp_path
):
    """The function finds what a run has that was written with the ids and scores of the store."""
    retriever = langchain_store.as_retriever(search_kwargs={"k": DEPTH})

    def retrieve(question):
        return [(d.id or d.metadata["id"], d.page_content) for d in retriever.invoke(question)]

    found = {
        id_: [
            (document.id, float(score))
            for document, score in langchain_store.similarity_search_with_score(text, DEPTH)
        ]
        for id_, text in towns.questions.items()
    }
    candidates = with_candidates(towns, retrieve, DEPTH).candidates

    assert candidates == read_run(towns_folder, tmp_path / "run.trec", found)
    assert {len(ids) for ids in candidates.values()} == {DEPTH}


async def test_an_async_retriever_of_langchain_gives_the_same(towns, langchain_store):
    """The function may await the retriever."""
    retriever = langchain_store.as_retriever(search_kwargs={"k": DEPTH})

    def retrieve(question):
        return [(d.id, d.page_content) for d in retriever.invoke(question)]

    async def aretrieve(question):
        return [(d.id, d.page_content) for d in await retriever.ainvoke(question)]

    awaited = await awith_candidates(towns, aretrieve, DEPTH)

    assert awaited.candidates == with_candidates(towns, retrieve, DEPTH).candidates


def test_ids_in_the_metadata_of_langchain_are_used(towns):
    """Documents without an id of the store may have one in their metadata."""
    documents = [Document(text, metadata={"id": id_}) for id_, text in towns.documents.items()]

    def retrieve(question):
        return [(d.id or d.metadata["id"], d.page_content) for d in documents]

    found = with_candidates(towns, retrieve, 3)

    assert set(found.candidates.values()) == {tuple(towns.documents)[:3]}


def test_a_retriever_of_llamaindex_gives_the_candidates_of_the_equal_run(
    towns, towns_folder, llamaindex_retriever, tmp_path
):
    """The function finds what a run has that was written with the ids and scores of the nodes."""

    def retrieve(question):
        return [(n.node_id, n.get_content()) for n in llamaindex_retriever.retrieve(question)]

    found = {
        id_: [(node.node_id, float(node.score)) for node in llamaindex_retriever.retrieve(text)]
        for id_, text in towns.questions.items()
    }
    candidates = with_candidates(towns, retrieve, DEPTH).candidates

    assert candidates == read_run(towns_folder, tmp_path / "run.trec", found)
    assert {len(ids) for ids in candidates.values()} == {DEPTH}


async def test_an_async_retriever_of_llamaindex_gives_the_same(towns, llamaindex_retriever):
    """The function may await the retriever."""

    def retrieve(question):
        return [(n.node_id, n.get_content()) for n in llamaindex_retriever.retrieve(question)]

    async def aretrieve(question):
        nodes = await llamaindex_retriever.aretrieve(question)
        return [(n.node_id, n.get_content()) for n in nodes]

    awaited = await awith_candidates(towns, aretrieve, DEPTH)

    assert awaited.candidates == with_candidates(towns, retrieve, DEPTH).candidates
