"""`OpenRouterRerank` as a Runnable: a step of LangChain's chains."""

import pytest
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import (
    ConfigurableField,
    Runnable,
    RunnableLambda,
    RunnablePassthrough,
)
from langchain_core.vectorstores import InMemoryVectorStore
from openrouter_rerank.errors import (
    ConfigurationError,
    InvalidRequestError,
    ServiceUnavailableError,
    TooManyRequestsError,
)
from openrouter_rerank.local.stage import error

QUERY = "capital of France"
TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")
DOCUMENTS = [Document(text, id=str(position)) for position, text in enumerate(TEXTS)]
INPUT = {"query": QUERY, "documents": DOCUMENTS}
BEST_FIRST = ["1", "2", "0"]


@pytest.fixture
def ids_from(invoke):
    """Return a function that invokes a Runnable and returns the ids of the resulting documents."""

    async def ids_from(runnable, value=INPUT, config=None, **options):
        return [document.id for document in await invoke(runnable, value, config, **options)]

    return ids_from


@pytest.fixture
def base(embeddings):
    """A retriever that returns three documents of a vector store."""
    store = InMemoryVectorStore(embeddings)
    store.add_documents(DOCUMENTS)
    return store.as_retriever()


def test_the_reranker_is_a_runnable_and_a_compressor(reranker, base):
    """The reranker can be a step of a chain, and the compressor of a retriever."""
    retriever = ContextualCompressionRetriever(base_compressor=reranker, base_retriever=base)

    assert isinstance(reranker, Runnable)
    assert isinstance(reranker, BaseDocumentCompressor)
    assert retriever.base_compressor is reranker


async def test_the_documents_of_a_mapping_are_reranked(reranker, ids_from):
    """The input has a query and documents. The output is the documents, best first."""
    assert await ids_from(reranker) == BEST_FIRST


async def test_a_call_can_override_options(reranker, ids_from):
    """`invoke` and `bind` can override options for one call."""
    assert await ids_from(reranker, top_n=1) == ["1"]
    assert await ids_from(reranker.bind(score_threshold=0.3)) == ["1", "2"]
    assert await ids_from(reranker) == BEST_FIRST


async def test_the_reranker_is_a_step_of_a_chain(reranker, ids_from, base):
    """A chain can have steps before and after the reranker."""
    chain = {"query": RunnablePassthrough(), "documents": base} | reranker
    longer_chain = chain | RunnableLambda(lambda documents: documents[:1])

    assert await ids_from(chain, QUERY) == BEST_FIRST
    assert await ids_from(longer_chain, QUERY) == ["1"]


async def test_a_batch_has_a_result_for_each_input(reranker, mode):
    """With `return_exceptions=True`, the result of an input is its documents or its error."""
    inputs = [INPUT, {"query": "bread", "documents": DOCUMENTS}, {"query": "?", "documents": [1]}]

    if mode == "sync":
        results = reranker.batch(inputs, {"max_concurrency": 2}, return_exceptions=True)
    else:
        results = await reranker.abatch(inputs, {"max_concurrency": 2}, return_exceptions=True)

    assert [document.id for document in results[0]] == BEST_FIRST
    assert results[1][0].id == "0"
    assert isinstance(results[2], InvalidRequestError)


async def test_a_stream_has_one_chunk(reranker):
    """A stream has one chunk with all documents. Its events are those of a retriever."""
    assert [len(chunk) for chunk in reranker.stream(INPUT)] == [3]
    assert [len(chunk) async for chunk in reranker.astream(INPUT)] == [3]

    events = [event async for event in reranker.astream_events(INPUT, version="v2")]

    assert [event["event"] for event in events] == ["on_retriever_start", "on_retriever_end"]
    assert events[0]["name"] == "OpenRouterRerank"
    assert [document.id for document in events[1]["data"]["output"]] == BEST_FIRST


async def test_with_retry_repeats_failed_calls(reranker, ids_from, local_openrouter):
    """`with_retry` repeats a call that fails."""
    reranker.max_retries = 0
    local_openrouter.script(error(429, "slow down"), error(503, "down"))
    with_retries = reranker.with_retry(
        retry_if_exception_type=(TooManyRequestsError, ServiceUnavailableError),
        wait_exponential_jitter=False,
        stop_after_attempt=3,
    )

    assert await ids_from(with_retries) == BEST_FIRST
    assert len(local_openrouter.requests) == 3


async def test_with_fallbacks_continues_after_a_failure(reranker, ids_from, local_openrouter):
    """If the reranker fails, `with_fallbacks` invokes the next Runnable."""
    local_openrouter.always(error(503, "down"))
    reranker.max_retries = 0
    fallback = RunnableLambda(lambda value: value["documents"])

    assert await ids_from(reranker.with_fallbacks([fallback])) == ["0", "1", "2"]


async def test_fields_are_configurable(reranker, ids_from, local_openrouter):
    """The configuration of a call can set options. The key and the connections stay."""
    configurable = reranker.configurable_fields(
        top_n=ConfigurableField("rerank_top_n"), model=ConfigurableField("rerank_model")
    )

    assert await ids_from(configurable) == BEST_FIRST
    config = {"configurable": {"rerank_top_n": 1, "rerank_model": "a/model"}}
    assert await ids_from(configurable, config=config) == ["1"]
    assert [request.model for request in local_openrouter.requests] == [reranker.model, "a/model"]
    assert local_openrouter.connections == 1
    with pytest.raises(ConfigurationError, match="top_n"):
        await ids_from(configurable, config={"configurable": {"rerank_top_n": 0}})


async def test_alternatives_are_configurable(reranker, ids_from, local_openrouter):
    """The configuration of a call can select one of several rerankers."""
    best = reranker.model_copy(update={"top_n": 1})
    configurable = reranker.configurable_alternatives(ConfigurableField("rerank"), best=best)

    assert await ids_from(configurable) == BEST_FIRST
    assert await ids_from(configurable, config={"configurable": {"rerank": "best"}}) == ["1"]


def test_input_and_output_have_json_schemas(reranker):
    """The input and the output have JSON schemas, for servers and tools."""
    schema = reranker.get_input_jsonschema()
    fields = schema["$defs"]["RerankInput"]["properties"]

    assert fields["query"]["type"] == "string"
    assert fields["documents"]["items"] == {"$ref": "#/$defs/Document"}
    assert reranker.get_output_jsonschema()["items"] == {"$ref": "#/$defs/Document"}
    assert reranker.get_input_schema().model_validate(INPUT)


@pytest.mark.parametrize(
    "value",
    ["a question", None, DOCUMENTS, {}, {"query": QUERY}, {"question": "?", "documents": []}],
)
async def test_an_invalid_input_is_refused(reranker, invoke, value):
    """An input without a query and documents is an error with its type or its keys."""
    with pytest.raises(InvalidRequestError, match="mapping with query and documents, got"):
        await invoke(reranker, value)


async def test_other_keys_of_the_input_are_ignored(reranker, ids_from):
    """The input may have the keys of other steps of a chain."""
    ids = await ids_from(reranker, {**INPUT, "chat_history": [], "top_n": 0})

    assert ids == await ids_from(reranker, INPUT)


@pytest.mark.parametrize("documents", [None, 17, "a text", {"a": 1}])
async def test_invalid_documents_are_refused(reranker, invoke, documents):
    """A value of `documents` that is not a list is an error with its type."""
    with pytest.raises(InvalidRequestError, match=r"documents is of type \w+: pass a list"):
        await invoke(reranker, {"query": QUERY, "documents": documents})


async def test_the_configuration_describes_the_run(reranker, invoke, runs):
    """The run has the name, the id, the tags and the metadata of the configuration."""
    run_id = "11111111-1111-4111-8111-111111111111"
    config = {
        "callbacks": [runs],
        "run_name": "sort",
        "run_id": run_id,
        "tags": ["rag"],
        "metadata": {"team": "search"},
    }

    await invoke(reranker, INPUT, config)
    reranker.name = "my reranker"
    await invoke(reranker, INPUT, {"callbacks": [runs]})

    (first_id, first), (_, second) = runs.by_id.items()
    assert (first.name, first.tags, first.metadata["team"]) == ("sort", ["rag"], "search")
    assert str(first_id) == run_id
    assert second.name == "my reranker"


def test_as_retriever_makes_a_retriever(reranker, base):
    """`as_retriever` makes a retriever that returns the best documents of another retriever."""
    retriever = reranker.as_retriever(base, top_n=1)

    assert [document.id for document in retriever.invoke(QUERY)] == ["1"]
