"""`OpenRouterRerank` as a step of LangChain's chains."""

import pytest
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.runnables import (
    ConfigurableField,
    Runnable,
    RunnableLambda,
    RunnablePassthrough,
)
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.errors import (
    InvalidRequestError,
    ServiceUnavailableError,
    TooManyRequestsError,
)
from openrouter_rerank.local.stage import error
from pydantic import ValidationError

QUERY = "capital of France"
TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")
DOCUMENTS = [Document(text, id=str(at)) for at, text in enumerate(TEXTS)]
INPUT = {"query": QUERY, "documents": DOCUMENTS}
BEST_FIRST = ["1", "2", "0"]


@pytest.fixture
def reranker(local_openrouter):
    """A reranker that calls the local service."""
    return OpenRouterRerank(api_key=local_openrouter.api_key, base_url=local_openrouter.base_url)


@pytest.fixture
def invoke(mode):
    """Invoke a Runnable in each mode of code, and return the ids of what comes back."""

    async def invoke(runnable, given=INPUT, config=None, **options):
        if mode == "sync":
            found = runnable.invoke(given, config, **options)
        else:
            found = await runnable.ainvoke(given, config, **options)
        return [document.id for document in found]

    return invoke


@pytest.fixture
def store():
    """A vector store with embeddings that know nothing."""
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=16))
    store.add_documents(DOCUMENTS)
    return store


def test_it_is_a_runnable_and_a_compressor(reranker, store):
    """It is a step of a chain, and still accepted wherever a compressor is."""
    retriever = ContextualCompressionRetriever(
        base_compressor=reranker, base_retriever=store.as_retriever()
    )

    assert isinstance(reranker, Runnable)
    assert isinstance(reranker, BaseDocumentCompressor)
    assert retriever.base_compressor is reranker


async def test_a_mapping_is_reranked(reranker, invoke):
    """The input has a query and documents; the output is documents, best first."""
    assert await invoke(reranker) == BEST_FIRST


async def test_options_of_one_call(reranker, invoke):
    """Options pass through `invoke` and `bind`, for that call alone."""
    assert await invoke(reranker, top_n=1) == ["1"]
    assert await invoke(reranker.bind(score_threshold=0.3)) == ["1", "2"]
    assert await invoke(reranker) == BEST_FIRST


async def test_a_chain_retrieves_reranks_and_reads(reranker, invoke, store):
    """A pipe takes a question to the best documents."""
    chain = {"query": RunnablePassthrough(), "documents": store.as_retriever()} | reranker
    last = chain | RunnableLambda(lambda documents: documents[:1])

    assert await invoke(chain, QUERY) == BEST_FIRST
    assert await invoke(last, QUERY) == ["1"]


async def test_batches(reranker, mode):
    """A batch answers each input, and returns failures where that is asked for."""
    inputs = [INPUT, {"query": "bread", "documents": DOCUMENTS}, {"query": "?", "documents": [1]}]

    if mode == "sync":
        results = reranker.batch(inputs, {"max_concurrency": 2}, return_exceptions=True)
    else:
        results = await reranker.abatch(inputs, {"max_concurrency": 2}, return_exceptions=True)

    assert [document.id for document in results[0]] == BEST_FIRST
    assert results[1][0].id == "0"
    assert isinstance(results[2], InvalidRequestError)


async def test_streams_and_events(reranker):
    """A stream has the documents in one piece, and the events of a retriever."""
    assert [len(chunk) for chunk in reranker.stream(INPUT)] == [3]
    assert [len(chunk) async for chunk in reranker.astream(INPUT)] == [3]

    events = [event async for event in reranker.astream_events(INPUT, version="v2")]

    assert [event["event"] for event in events] == ["on_retriever_start", "on_retriever_end"]
    assert events[0]["name"] == "OpenRouterRerank"
    assert [document.id for document in events[1]["data"]["output"]] == BEST_FIRST


async def test_retries_of_the_chain(reranker, invoke, local_openrouter):
    """`with_retry` tries again what has failed."""
    reranker.max_retries = 0
    local_openrouter.script(error(429, "slow down"), error(503, "down"))
    patient = reranker.with_retry(
        retry_if_exception_type=(TooManyRequestsError, ServiceUnavailableError),
        wait_exponential_jitter=False,
        stop_after_attempt=3,
    )

    assert await invoke(patient) == BEST_FIRST
    assert len(local_openrouter.requests) == 3


async def test_fallbacks_of_the_chain(reranker, invoke, local_openrouter):
    """`with_fallbacks` goes on with another reranker, or with anything else."""
    local_openrouter.always(error(503, "down"))
    reranker.max_retries = 0
    as_found = RunnableLambda(lambda given: given["documents"])

    assert await invoke(reranker.with_fallbacks([as_found])) == ["0", "1", "2"]


async def test_fields_are_configurable(reranker, invoke, local_openrouter):
    """A call's configuration changes options, and the key and connections stay."""
    flexible = reranker.configurable_fields(
        top_n=ConfigurableField("rerank_top_n"), model=ConfigurableField("rerank_model")
    )

    assert await invoke(flexible) == BEST_FIRST
    configured = {"configurable": {"rerank_top_n": 1, "rerank_model": "a/model"}}
    assert await invoke(flexible, config=configured) == ["1"]
    assert [request.model for request in local_openrouter.requests] == [reranker.model, "a/model"]
    assert local_openrouter.connections == 1
    with pytest.raises(ValidationError, match="top_n"):
        await invoke(flexible, config={"configurable": {"rerank_top_n": 0}})


async def test_alternatives_are_configurable(reranker, invoke, local_openrouter):
    """A call's configuration chooses between rerankers."""
    best = reranker.model_copy(update={"top_n": 1})
    either = reranker.configurable_alternatives(ConfigurableField("rerank"), best=best)

    assert await invoke(either) == BEST_FIRST
    assert await invoke(either, config={"configurable": {"rerank": "best"}}) == ["1"]


def test_schemas(reranker):
    """Input and output are described as JSON schemas, for servers and tools."""
    given = reranker.get_input_jsonschema()
    fields = given["$defs"]["RerankInput"]["properties"]

    assert fields["query"]["type"] == "string"
    assert fields["documents"]["items"] == {"$ref": "#/$defs/Document"}
    assert reranker.get_output_jsonschema()["items"] == {"$ref": "#/$defs/Document"}
    assert reranker.get_input_schema().model_validate(INPUT)


@pytest.mark.parametrize(
    "given",
    ["a question", None, DOCUMENTS, {}, {"query": QUERY}, {"question": "?", "documents": []}],
)
async def test_another_input_is_named(reranker, invoke, given):
    """An input without a query and documents is an error that says what it was."""
    with pytest.raises(InvalidRequestError, match="mapping with query and documents, got"):
        await invoke(reranker, given)


async def test_what_a_chain_carries_along_is_left_alone(reranker, invoke):
    """A chain may add documents to an input that has more than the query."""
    ranked = await invoke(reranker, {**INPUT, "chat_history": [], "top_n": 0})

    assert ranked == await invoke(reranker, INPUT)


@pytest.mark.parametrize("documents", [None, 17, "a text", {"a": 1}])
async def test_other_documents_are_named(reranker, invoke, documents):
    """What is no list of documents is an error that says what it was."""
    with pytest.raises(InvalidRequestError, match=r"documents is of type \w+: pass a list"):
        await invoke(reranker, {"query": QUERY, "documents": documents})


class Names(BaseCallbackHandler):
    """Notes the names, tags and metadata of runs."""

    def __init__(self):
        self.seen = []

    def on_retriever_start(self, serialized, query, *, run_id, tags, metadata, name, **_):
        """Note them."""
        self.seen.append((name, tags, metadata.get("team"), str(run_id)))


async def test_the_configuration_names_the_run(reranker, invoke):
    """Name, id, tags and metadata of the run are those of the configuration."""
    handler = Names()
    run_id = "11111111-1111-4111-8111-111111111111"
    config = {
        "callbacks": [handler],
        "run_name": "sort",
        "run_id": run_id,
        "tags": ["rag"],
        "metadata": {"team": "search"},
    }

    await invoke(reranker, config=config)
    reranker.name = "my reranker"
    await invoke(reranker, config={"callbacks": [handler]})

    assert handler.seen[0] == ("sort", ["rag"], "search", run_id)
    assert handler.seen[1][0] == "my reranker"


def test_as_retriever_puts_it_behind_a_retriever(reranker, store):
    """`as_retriever` makes a retriever that returns the best of another one."""
    retriever = reranker.as_retriever(store.as_retriever(), top_n=1)

    assert [document.id for document in retriever.invoke(QUERY)] == ["1"]
