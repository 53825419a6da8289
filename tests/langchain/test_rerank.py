"""`OpenRouterRerank` in the retrievers and pipelines of LangChain, against a local service."""

import asyncio
import base64
import math
from typing import get_type_hints

import pytest
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_classic.retrievers.document_compressors import DocumentCompressorPipeline
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.documents import BaseDocumentCompressor, BaseDocumentTransformer, Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.load import dumps
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_text_splitters import CharacterTextSplitter
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.local.stage import Fault
from pydantic import ValidationError

QUERY = "capital of France"
TEXTS = (
    "Bread is baked every morning.",
    "Paris is the capital of France.",
    "Berlin is the capital of Germany.",
    "France has many rivers.",
)
VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


@pytest.fixture
def reranker(local_openrouter):
    """A reranker that calls the local service."""
    return OpenRouterRerank(api_key=local_openrouter.api_key, base_url=local_openrouter.base_url)


@pytest.fixture
def compress(mode):
    """Rerank in each mode of code."""

    async def compress(compressor, documents, query=QUERY, **arguments):
        if mode == "sync":
            return compressor.compress_documents(documents, query, **arguments)
        return await compressor.acompress_documents(documents, query, **arguments)

    return compress


@pytest.fixture
def retrieve(mode):
    """Invoke a retriever in each mode of code."""

    async def retrieve(retriever, query=QUERY):
        return retriever.invoke(query) if mode == "sync" else await retriever.ainvoke(query)

    return retrieve


@pytest.fixture
def store():
    """A vector store with embeddings that know nothing, so that only reranking can help."""
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=16))
    ids = [f"id-{at}" for at in range(len(TEXTS))]
    store.add_texts(TEXTS, metadatas=[{"at": at} for at in range(len(TEXTS))], ids=ids)
    return store


def test_it_is_a_document_compressor(reranker):
    """It is accepted wherever LangChain wants a compressor."""
    assert isinstance(reranker, BaseDocumentCompressor)


def test_few_classes_are_above_it():
    """It inherits from at most three classes of this project."""
    # Pydantic's variants of generic classes count as defined here; their names have brackets.
    above = [each for each in OpenRouterRerank.__mro__[1:] if "[" not in each.__name__]
    ours = [each for each in above if "openrouter_rerank" in each.__module__]

    assert 1 <= len(ours) <= 3


async def test_contextual_compression_retrieves_the_best(reranker, retrieve, store):
    """Behind a vector store, the documents of the store come back best first, ids and all."""
    retriever = ContextualCompressionRetriever(
        base_compressor=reranker, base_retriever=store.as_retriever(search_kwargs={"k": 4})
    )
    reranker.top_n = 2

    found = await retrieve(retriever)

    assert [document.id for document in found] == ["id-1", "id-2"]
    assert found[0].metadata == {"at": 1, "relevance_score": 1.0}
    assert found[1].metadata == {"at": 2, "relevance_score": pytest.approx(2 / 3)}


async def test_contextual_compression_leaves_the_store_alone(reranker, retrieve, store):
    """A second question is not answered with traces of the first."""
    retriever = ContextualCompressionRetriever(
        base_compressor=reranker, base_retriever=store.as_retriever()
    )
    await retrieve(retriever)

    stored = await retrieve(store.as_retriever())

    assert [document.metadata.keys() for document in stored] == [{"at"}] * 4


async def test_contextual_compression_of_nothing(reranker, retrieve, local_openrouter):
    """An empty store asks nothing."""
    empty = InMemoryVectorStore(DeterministicFakeEmbedding(size=16))
    retriever = ContextualCompressionRetriever(
        base_compressor=reranker, base_retriever=empty.as_retriever()
    )

    assert await retrieve(retriever) == []
    assert local_openrouter.requests == []


class Embedded(Document):
    """A document that carries its embedding, for the next filter in a pipeline."""

    state: list[float]


class Embedder(BaseDocumentTransformer):
    """A step of a pipeline that attaches embeddings, as LangChain's filters do."""

    def transform_documents(self, documents, **kwargs):
        """Embed the documents."""
        vectors = DeterministicFakeEmbedding(size=16).embed_documents(
            [document.page_content for document in documents]
        )
        return [
            Embedded(**document.model_dump(), state=vector)
            for document, vector in zip(documents, vectors, strict=True)
        ]


async def test_pipelines_keep_what_their_steps_attach(reranker, compress):
    """Behind a splitter and a step with documents of its own, the copies are still such ones."""
    splitter = CharacterTextSplitter(separator=". ", chunk_size=40, chunk_overlap=0)
    pipeline = DocumentCompressorPipeline(transformers=[splitter, Embedder(), reranker])

    found = await compress(pipeline, [Document("Bread is baked. Paris is the capital of France")])

    assert [(each.page_content, each.metadata["relevance_score"]) for each in found] == [
        ("Paris is the capital of France", 1.0),
        ("Bread is baked", 0.0),
    ]
    assert [len(each.state) for each in found] == [16, 16]


@pytest.mark.parametrize(
    "callbacks", [None, [BaseCallbackHandler()], CallbackManager([BaseCallbackHandler()])]
)
async def test_callbacks_are_accepted_in_every_form(reranker, compress, callbacks):
    """LangChain's callers pass handlers, a manager or nothing, always by name."""
    [document] = await compress(reranker, [Document("capital")], callbacks=callbacks)

    assert document.metadata["relevance_score"] == pytest.approx(1 / 3)


async def test_texts_and_images_are_ranked_together(reranker, compress, local_openrouter):
    """One request carries texts, images, and both in one document, each in its own form."""
    reranker.model = VISION_MODEL
    reranker.image_key = "photo"
    documents = [
        Document("The capital", metadata={"image": "https://example.com/thumbnail.png"}),
        Document(PNG),
        Document("", metadata={"image_url": "https://example.com/paris.png"}),
        Document("A photo of Paris", metadata={"photo": PNG}),
        Document(""),
    ]

    found = await compress(reranker, documents)

    assert local_openrouter.requests[0].documents == [
        "The capital",
        {"image": PNG},
        {"image": "https://example.com/paris.png"},
        {"text": "A photo of Paris", "image": PNG},
    ]
    assert len(found) == 5
    assert "relevance_score" not in found[-1].metadata


async def test_a_text_model_gets_no_images(reranker, compress, local_openrouter):
    """Where the model is known to read text alone, a caption is ranked and an image is kept."""
    reranker.image_key = ["image"]
    documents = [Document(PNG), Document("Paris, the capital", metadata={"image": PNG})]

    found = await compress(reranker, documents)

    assert local_openrouter.requests[0].documents == ["Paris, the capital"]
    assert [document.page_content for document in found] == ["Paris, the capital", PNG]


async def test_the_score_goes_where_it_is_wanted(reranker, compress):
    """With another `score_key`, a field named `relevance_score` is left to its owner."""
    reranker.score_key = "rerank_score"

    [document] = await compress(
        reranker, [Document("capital", metadata={"relevance_score": "high"})]
    )

    assert document.metadata == {"relevance_score": "high", "rerank_score": pytest.approx(1 / 3)}


async def test_results_are_plain_values(reranker, compress):
    """What comes back can be dumped by LangChain and stored by LangGraph."""
    found = await compress(reranker, [Document("capital", id="a")])

    assert '"relevance_score": 0.33' in dumps(found)


async def test_metadata_that_cannot_be_copied_survives(reranker, compress):
    """Metadata values are passed on as they are: a lock, a generator, a number that is none."""
    values = {"generator": (each for each in "abc"), "nan": math.nan, "type": type}

    [document] = await compress(reranker, [Document("capital", metadata=values)])

    assert all(document.metadata[key] is value for key, value in values.items())


@pytest.mark.parametrize("item", ["a string", {"page_content": "a mapping"}, None])
async def test_what_is_no_document_is_named(reranker, compress, item):
    """An item of another type is an error that says which one and what to do."""
    with pytest.raises(InvalidRequestError, match=r"documents\[1\] .* Document\(page_content="):
        await compress(reranker, [Document("a"), item])


def test_a_field_without_a_name_cannot_hold_the_score():
    """An empty `score_key` is a mistake."""
    with pytest.raises(ValidationError, match="score_key"):
        OpenRouterRerank(score_key="")


async def test_the_list_may_change_while_an_answer_is_awaited(reranker, local_openrouter):
    """What counts is the list at the time of the call."""
    local_openrouter.script(Fault.hang())
    documents = [Document("bread"), Document("capital")]
    call = asyncio.create_task(reranker.acompress_documents(documents, QUERY))
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 1)

    documents.clear()
    local_openrouter.release()

    assert [document.page_content for document in await call] == ["capital", "bread"]


async def test_a_cancelled_call_leaves_nothing_behind(reranker, local_openrouter):
    """Cancelling hangs up at once, and the next call works."""
    local_openrouter.script(Fault.hang())
    call = asyncio.create_task(reranker.acompress_documents([Document("capital")], QUERY))
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 1)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 0)
    assert len(await reranker.acompress_documents([Document("capital")], QUERY)) == 1


async def test_calls_do_not_wait_for_threads(local_openrouter):
    """A hundred calls are in flight together: no pool of threads is between them."""
    local_openrouter.always(Fault.hang())
    reranker = OpenRouterRerank(
        api_key=local_openrouter.api_key, base_url=local_openrouter.base_url, max_concurrency=100
    )
    calls = [
        asyncio.create_task(reranker.acompress_documents([Document("capital")], QUERY))
        for _ in range(100)
    ]

    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 100)
    local_openrouter.release()

    assert len(await asyncio.gather(*calls)) == 100


@pytest.mark.parametrize("name", ["compress_documents", "acompress_documents"])
def test_what_the_calls_take_can_be_asked_for(name):
    """Libraries that read the types of arguments at run time, as makers of tools do, find them."""
    hints = get_type_hints(getattr(OpenRouterRerank, name))

    assert {"documents", "query", "callbacks", "return"} <= hints.keys()
    assert hints["return"] == list[Document]
