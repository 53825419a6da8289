"""`OpenRouterRerank` as a document compressor, alone and in retrievers and pipelines."""

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
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError
from openrouter_rerank.local.stage import Fault

QUERY = "capital of France"
VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


def test_the_reranker_is_a_document_compressor(reranker):
    """The reranker is an instance of LangChain's base class of compressors."""
    assert isinstance(reranker, BaseDocumentCompressor)


def test_the_reranker_has_few_base_classes():
    """The reranker inherits from at most three classes of this project."""
    # Pydantic's variants of generic classes, whose names have brackets, count as classes of the
    # module that uses them.
    bases = [base for base in OpenRouterRerank.__mro__[1:] if "[" not in base.__name__]
    own_bases = [base for base in bases if "openrouter_rerank" in base.__module__]

    assert 1 <= len(own_bases) <= 3


async def test_contextual_compression_returns_the_best_documents(reranker, invoke, store):
    """`ContextualCompressionRetriever` returns the best documents of a store, with their ids."""
    retriever = ContextualCompressionRetriever(
        base_compressor=reranker, base_retriever=store.as_retriever(search_kwargs={"k": 6})
    )
    reranker.top_n = 2

    results = await invoke(retriever)

    assert [document.id for document in results] == ["id-1", "id-2"]
    assert results[0].metadata == {"position": 1, "relevance_score": 1.0}
    assert results[1].metadata == {"position": 2, "relevance_score": pytest.approx(2 / 3)}


async def test_contextual_compression_does_not_change_the_store(reranker, invoke, store):
    """The documents in the store get no scores."""
    retriever = ContextualCompressionRetriever(
        base_compressor=reranker, base_retriever=store.as_retriever()
    )
    await invoke(retriever)

    stored = await invoke(store.as_retriever())

    assert [document.metadata.keys() for document in stored] == [{"position"}] * 4


async def test_contextual_compression_of_an_empty_store(
    reranker, invoke, embeddings, local_openrouter
):
    """If the store is empty, no request is sent."""
    retriever = ContextualCompressionRetriever(
        base_compressor=reranker, base_retriever=InMemoryVectorStore(embeddings).as_retriever()
    )

    assert await invoke(retriever) == []
    assert local_openrouter.requests == []


class EmbeddedDocument(Document):
    """A document with its embedding, for the next filter in a pipeline."""

    state: list[float]


class Embedder(BaseDocumentTransformer):
    """A step of a pipeline that adds embeddings to documents, as LangChain's filters do."""

    def transform_documents(self, documents, **kwargs):
        """Embed the documents."""
        vectors = DeterministicFakeEmbedding(size=16).embed_documents(
            [document.page_content for document in documents]
        )
        return [
            EmbeddedDocument(**document.model_dump(), state=vector)
            for document, vector in zip(documents, vectors, strict=True)
        ]


async def test_results_in_a_pipeline_keep_their_subclass_and_state(reranker, compress):
    """After a splitter and a step with its own class of documents, results keep class and state."""
    splitter = CharacterTextSplitter(separator=". ", chunk_size=40, chunk_overlap=0)
    pipeline = DocumentCompressorPipeline(transformers=[splitter, Embedder(), reranker])

    results = await compress(pipeline, [Document("Bread is baked. Paris is the capital of France")])

    assert [(result.page_content, result.metadata["relevance_score"]) for result in results] == [
        ("Paris is the capital of France", 1.0),
        ("Bread is baked", 0.0),
    ]
    assert [len(result.state) for result in results] == [16, 16]


@pytest.mark.parametrize(
    "callbacks", [None, [BaseCallbackHandler()], CallbackManager([BaseCallbackHandler()])]
)
async def test_callbacks_are_accepted_in_every_form(reranker, compress, callbacks):
    """`callbacks` can be handlers, a manager or `None`, as LangChain passes them."""
    [document] = await compress(reranker, [Document("capital")], callbacks=callbacks)

    assert document.metadata["relevance_score"] == pytest.approx(1 / 3)


async def test_texts_and_images_are_ranked_in_one_request(reranker, compress, local_openrouter):
    """One request contains texts, images, and a document with both."""
    reranker.model = VISION_MODEL
    reranker.image_key = "photo"
    documents = [
        Document("The capital", metadata={"image": "https://example.com/thumbnail.png"}),
        Document(PNG),
        Document("", metadata={"image_url": "https://example.com/paris.png"}),
        Document("A photo of Paris", metadata={"photo": PNG}),
        Document(""),
    ]

    results = await compress(reranker, documents)

    assert local_openrouter.requests[0].documents == [
        "The capital",
        {"image": PNG},
        {"image": "https://example.com/paris.png"},
        {"text": "A photo of Paris", "image": PNG},
    ]
    assert len(results) == 5
    assert "relevance_score" not in results[-1].metadata


async def test_a_text_model_gets_no_images(reranker, compress, local_openrouter):
    """If the model accepts only texts, documents are ranked by their texts, and images are kept."""
    reranker.image_key = ["image"]
    documents = [Document(PNG), Document("Paris, the capital", metadata={"image": PNG})]

    results = await compress(reranker, documents)

    assert local_openrouter.requests[0].documents == ["Paris, the capital"]
    assert [document.page_content for document in results] == ["Paris, the capital", PNG]


async def test_the_score_is_in_the_field_of_score_key(reranker, compress):
    """With another `score_key`, the field `relevance_score` is not changed."""
    reranker.score_key = "rerank_score"

    [document] = await compress(
        reranker, [Document("capital", metadata={"relevance_score": "high"})]
    )

    assert document.metadata == {"relevance_score": "high", "rerank_score": pytest.approx(1 / 3)}


async def test_results_can_be_dumped(reranker, compress):
    """LangChain can dump the results, so LangGraph can store them."""
    results = await compress(reranker, [Document("capital", id="a")])

    assert '"relevance_score": 0.33' in dumps(results)


async def test_metadata_that_cannot_be_copied_are_kept(reranker, compress):
    """Results have the objects in the metadata: a generator, a number that is NaN, a class."""
    values = {"generator": (letter for letter in "abc"), "nan": math.nan, "type": type}

    [document] = await compress(reranker, [Document("capital", metadata=values)])

    assert all(document.metadata[key] is value for key, value in values.items())


@pytest.mark.parametrize("item", ["a string", {"page_content": "a mapping"}, None])
async def test_an_item_that_is_not_a_document_is_refused(reranker, compress, item):
    """An item of another type is an error that has its position and says what to do."""
    with pytest.raises(InvalidRequestError, match=r"documents\[1\] .* Document\(page_content="):
        await compress(reranker, [Document("a"), item])


def test_an_empty_score_key_is_refused():
    """`score_key` must not be empty."""
    with pytest.raises(ConfigurationError, match="score_key"):
        OpenRouterRerank(score_key="")


async def test_the_list_may_change_during_a_call(reranker, local_openrouter, wait_for_requests):
    """A call ranks the documents that were in the list when it started."""
    local_openrouter.script(Fault.hang())
    documents = [Document("bread"), Document("capital")]
    call = asyncio.create_task(reranker.acompress_documents(documents, QUERY))
    await wait_for_requests(1)

    documents.clear()
    local_openrouter.release()

    assert [document.page_content for document in await call] == ["capital", "bread"]


async def test_a_cancelled_call_ends_its_request(reranker, local_openrouter, wait_for_requests):
    """If a call is cancelled, its request ends, and the next call works."""
    local_openrouter.script(Fault.hang())
    call = asyncio.create_task(reranker.acompress_documents([Document("capital")], QUERY))
    await wait_for_requests(1)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    await wait_for_requests(0)
    assert len(await reranker.acompress_documents([Document("capital")], QUERY)) == 1


async def test_async_calls_do_not_wait_for_threads(
    make_reranker, local_openrouter, wait_for_requests
):
    """With `max_concurrency=100`, 100 async calls are in flight at the same time."""
    local_openrouter.always(Fault.hang())
    reranker = make_reranker(max_concurrency=100)
    calls = [
        asyncio.create_task(reranker.acompress_documents([Document("capital")], QUERY))
        for _ in range(100)
    ]

    await wait_for_requests(100)
    local_openrouter.release()

    assert len(await asyncio.gather(*calls)) == 100


@pytest.mark.parametrize("name", ["compress_documents", "acompress_documents"])
def test_type_hints_are_available_at_run_time(name):
    """Libraries can read the types of the arguments at run time, for example to make tools."""
    hints = get_type_hints(getattr(OpenRouterRerank, name))

    assert {"documents", "query", "callbacks", "return"} <= hints.keys()
    assert hints["return"] == list[Document]
