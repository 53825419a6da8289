"""Defects that other rerankers for LangChain have had, and which this one does not have."""

import asyncio
import copy
import datetime as dt
import importlib
import json
import math
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from langchain_classic.retrievers.document_compressors import (
    DocumentCompressorPipeline,
    EmbeddingsFilter,
)
from langchain_community.document_transformers import EmbeddingsRedundantFilter
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.runnables import RunnableLambda
from langchain_openrouter_rerank import OpenRouterRerank, OpenRouterRerankRetriever
from openrouter_rerank.errors import (
    BadGatewayError,
    ConfigurationError,
    DeadlineExceededError,
    TooManyRequestsError,
)
from openrouter_rerank.local.stage import Fault, Reply, Stage, error, scores

from tests.starvation import repeat_if_starved

QUERY = "capital of France"
TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")


def make_documents(*texts):
    """Return documents with these texts, whose ids and metadata are their positions."""
    return [
        Document(text, id=str(position), metadata={"position": position})
        for position, text in enumerate(texts)
    ]


def texts_of(documents):
    """Return the texts of documents."""
    return [document.page_content for document in documents]


@pytest.mark.parametrize("name", ["base_url", "openrouter_api_base", "api_base"])
def test_another_endpoint_can_be_set(name):
    """Each name of the option for the base URL is accepted, and this URL is called."""
    with Stage() as service:
        reranker = OpenRouterRerank(**{"api_key": service.api_key, name: service.base_url})
        reranker.compress_documents(make_documents(*TEXTS), QUERY)

        assert len(service.requests) == 1


def test_a_failure_is_an_error_and_not_an_empty_result(make_reranker, local_openrouter):
    """A new reranker sends nothing, a failed call raises, and metadata do not replace the text."""
    local_openrouter.script(error(429, "slow down"))
    reranker = make_reranker(max_retries=0)
    documents = [Document(TEXTS[1], metadata={"text": "bread"}), Document(TEXTS[0])]
    assert local_openrouter.requests == []

    with pytest.raises(TooManyRequestsError):
        reranker.compress_documents(documents, QUERY)
    result = reranker.compress_documents(documents, QUERY)

    assert texts_of(result) == [TEXTS[1], TEXTS[0]]
    assert local_openrouter.requests[-1].documents == [TEXTS[1], TEXTS[0]]
    assert documents[0].metadata == {"text": "bread"}


def test_every_option_is_used_or_refused(make_reranker):
    """The reranker uses the HTTP client that it gets, and refuses an unknown option."""
    requests = []
    with httpx.Client(event_hooks={"request": [requests.append]}) as client:
        make_reranker(http_client=client).compress_documents(make_documents(*TEXTS), QUERY)

    assert len(requests) == 1
    with pytest.raises(ConfigurationError, match="top_k"):
        make_reranker(top_k=3)


def test_metadata_and_state_are_not_copied_deep(make_reranker):
    """Results keep ids, subclasses, the state of filters, and metadata that cannot be copied."""
    embeddings = DeterministicFakeEmbedding(size=8)
    lock = threading.Lock()
    documents = [Document(text, metadata={"lock": lock}) for text in TEXTS]
    filtered = EmbeddingsRedundantFilter(embeddings=embeddings).transform_documents(documents)
    with_ids = [
        document.model_copy(update={"id": str(position)})
        for position, document in enumerate(filtered)
    ]

    result = make_reranker().compress_documents(with_ids, QUERY)

    assert [document.id for document in result] == ["1", "2", "0"]
    assert all(document.metadata["lock"] is lock for document in result)
    assert {type(document) for document in result} == {type(filtered[0])}
    assert result[0].state is filtered[1].state


def test_a_filter_after_the_reranker_does_not_embed_again(make_reranker):
    """In a pipeline, a filter after the reranker uses the vectors of the filter before it."""
    embedded = []

    class RecordingEmbedding(DeterministicFakeEmbedding):
        def embed_documents(self, texts):
            embedded.append(texts)
            return super().embed_documents(texts)

    embeddings = RecordingEmbedding(size=8)
    pipeline = DocumentCompressorPipeline(
        transformers=[
            EmbeddingsRedundantFilter(embeddings=embeddings),
            make_reranker(),
            EmbeddingsFilter(embeddings=embeddings, k=3),
        ]
    )

    assert len(pipeline.compress_documents(make_documents(*TEXTS), QUERY)) == 3
    assert len(embedded) == 1


def test_the_new_score_replaces_the_earlier_score(make_reranker, local_openrouter):
    """The score of an earlier ranking is replaced. `score_threshold` applies before `top_n`."""
    local_openrouter.script(scores(0.2, 0.99, 0.8))
    documents = [Document(text, metadata={"relevance_score": -9.0}) for text in TEXTS]

    result = make_reranker(score_threshold=0.5, top_n=2).compress_documents(documents, QUERY)

    assert [document.metadata["relevance_score"] for document in result] == [0.99, 0.8]


def test_a_call_sends_the_options_of_the_constructor(make_reranker, local_openrouter):
    """A call sends `model` and `top_n` of the constructor, for all contents of the metadata."""
    documents = [Document("text", metadata={"day": dt.date(2024, 2, 29), "n": math.nan})]

    make_reranker(model="a/model", top_n=1).compress_documents([*documents, Document("b")], QUERY)

    assert local_openrouter.requests[0].model == "a/model"
    assert local_openrouter.requests[0].top_n == 1


def test_no_option_is_overwritten(make_reranker, local_openrouter):
    """The reranker keeps the options that it gets, and sends the model."""
    reranker = make_reranker(model="a/model", top_n=7, timeout=3)

    reranker.compress_documents(make_documents(*TEXTS), QUERY)

    assert (reranker.model, reranker.top_n, reranker.timeout) == ("a/model", 7, 3)
    assert local_openrouter.requests[0].model == "a/model"


@repeat_if_starved
def test_no_key_is_shown_and_every_call_ends(make_reranker, local_openrouter):
    """`repr` has no secrets, a call ends by its timeout, and an HTML error page is an error."""
    local_openrouter.script(Fault.hang(), Reply(status=502, body=b"<html>Bad gateway</html>"))
    reranker = make_reranker(timeout=0.3, max_retries=0, default_headers={"X-Token": "secret"})

    assert local_openrouter.api_key not in repr(reranker)
    assert "secret" not in repr(reranker)
    with pytest.raises(DeadlineExceededError):
        reranker.compress_documents(make_documents(*TEXTS), QUERY)
    with pytest.raises(BadGatewayError):
        reranker.compress_documents(make_documents(*TEXTS), QUERY)


def test_keys_are_sent_only_to_their_own_services(make_reranker, monkeypatch, local_openrouter):
    """The key of OpenAI is not used, and OpenRouter's key is not sent to another host."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another")
    monkeypatch.delenv("OPENROUTER_API_KEY")
    with pytest.raises(ConfigurationError, match="OPENROUTER_API_KEY"):
        make_reranker(api_key=None).compress_documents(make_documents(*TEXTS), QUERY)

    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-ours")
    with pytest.raises(ConfigurationError, match=r"example\.com"):
        make_reranker(api_key=None, base_url="https://example.com/v1").compress_documents(
            make_documents(*TEXTS), QUERY
        )
    assert local_openrouter.requests == []


def test_complete_documents_are_returned(make_reranker, local_openrouter, capfd):
    """All documents, blank ones too, keep metadata, ids and texts, and nothing is printed."""
    documents = make_documents(*TEXTS, "", " ")

    result = make_reranker().compress_documents(documents, QUERY)

    assert sorted(int(document.id) for document in result) == [0, 1, 2, 3, 4]
    assert all(document.metadata["position"] == int(document.id) for document in result)
    assert sorted(texts_of(result)) == sorted(texts_of(documents))
    local_openrouter.script(error(400, "no"))
    with pytest.raises(Exception, match="no"):
        make_reranker().compress_documents(documents, QUERY)
    assert capfd.readouterr() == ("", "")


def test_registries_can_import_the_class(local_openrouter):
    """A registry can import the class by its name, and make a reranker with its usual arguments."""
    module = importlib.import_module("langchain_openrouter_rerank")
    arguments = {
        "top_n": 1,
        "api_key": local_openrouter.api_key,
        "base_url": local_openrouter.base_url,
        "timeout": 10,
    }

    reranker = module.OpenRouterRerank(model="a/model", **arguments)

    assert texts_of(reranker.compress_documents(make_documents(*TEXTS), QUERY)) == [TEXTS[1]]


def test_top_n_must_be_positive(make_reranker):
    """`top_n` is at least 1. `None` and larger numbers return all documents."""
    for top_n in (0, -1):
        with pytest.raises(ConfigurationError, match="top_n"):
            make_reranker(top_n=top_n)
        with pytest.raises(ConfigurationError, match="top_n"):
            make_reranker().compress_documents(make_documents(*TEXTS), QUERY, top_n=top_n)

    assert (
        len(make_reranker(top_n=2).compress_documents(make_documents(*TEXTS), QUERY, top_n=None))
        == 3
    )
    assert len(make_reranker(top_n=99).compress_documents(make_documents(*TEXTS), QUERY)) == 3


RERANK_WITHOUT_ASSERTIONS = """
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.errors import InvalidResponseError

assert False, "this program runs without assertions"
reranker = OpenRouterRerank(max_retries=0)
for _ in range(4):
    try:
        print(reranker.compress_documents([Document("a"), Document("b")], "c"))
    except InvalidResponseError as error:
        print("refused")
"""


@pytest.mark.usefixtures("key_in_environment")
def test_responses_are_checked_without_assertions(local_openrouter):
    """An invalid index is an error with `python -O` too, and only `/rerank` is called."""
    for indexes in ([0, 2], [0, -1], [0, 0], [0]):
        results = [{"index": index, "relevance_score": 0.5} for index in indexes]
        local_openrouter.script(Reply(body=json.dumps({"results": results}).encode()))

    process = subprocess.run(
        [sys.executable, "-O", "-c", RERANK_WITHOUT_ASSERTIONS],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )

    assert process.stdout.split() == ["refused"] * 4
    assert [request.path for request in local_openrouter.requests] == ["/api/v1/rerank"] * 4


def test_the_documents_of_the_caller_are_not_changed(make_reranker):
    """The results are copies, and the documents of the caller keep their metadata."""
    documents = make_documents(*TEXTS)

    result = make_reranker().compress_documents(documents, QUERY)

    assert not {id(document) for document in result} & {id(document) for document in documents}
    assert documents == make_documents(*TEXTS)


def test_a_used_reranker_can_be_copied_and_pickled(make_reranker, monkeypatch, local_openrouter):
    """After sync and async calls, a reranker can be pickled and copied, and the copies work."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    reranker = make_reranker()
    reranker.compress_documents(make_documents(*TEXTS), QUERY)
    asyncio.run(reranker.acompress_documents(make_documents(*TEXTS), QUERY))

    for copied in (
        pickle.loads(pickle.dumps(reranker)),  # noqa: S301 - This test has made it
        copy.deepcopy(reranker),
        reranker.model_copy(deep=True),
    ):
        assert texts_of(copied.compress_documents(make_documents(*TEXTS), QUERY))[0] == TEXTS[1]


async def test_async_calls_do_not_wait_for_threads(make_reranker, local_openrouter):
    """200 async calls are in flight at the same time, although the event loop has one thread."""

    def release_all():
        local_openrouter.wait_until(lambda: local_openrouter.in_flight == 200, timeout=20)
        local_openrouter.release()

    with ThreadPoolExecutor(1) as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        local_openrouter.always(Fault.hang())
        reranker = make_reranker(max_concurrency=200)
        calls = [
            asyncio.create_task(reranker.acompress_documents(make_documents(*TEXTS), QUERY))
            for _ in range(200)
        ]
        release = threading.Thread(target=release_all)
        release.start()

        assert len(await asyncio.gather(*calls)) == 200
        release.join()


def test_a_retriever_returns_k_documents(make_reranker):
    """`k` limits the results of any base retriever, and a misspelt option is refused."""
    search = RunnableLambda(lambda _: make_documents(*TEXTS))

    assert len(make_reranker().as_retriever(search, k=2).invoke(QUERY)) == 2
    assert len(make_reranker().as_retriever(search).invoke(QUERY, k=1)) == 1
    with pytest.raises(ConfigurationError, match="kk"):
        OpenRouterRerankRetriever(base_retriever=search, reranker=make_reranker(), kk=3)
