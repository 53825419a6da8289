"""Mistakes that rerankers for LangChain have made, each as a promise that ours does not."""

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
from pydantic import ValidationError

from tests.starvation import repeat_if_starved

QUERY = "capital of France"
TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")


@pytest.fixture
def make(local_openrouter):
    """Make a reranker that calls the local service."""

    def make(**options):
        options = {
            "api_key": local_openrouter.api_key,
            "base_url": local_openrouter.base_url,
        } | options
        return OpenRouterRerank(**options)

    return make


def found(*texts):
    """Return what a retriever has found."""
    return [Document(text, id=str(at), metadata={"at": at}) for at, text in enumerate(texts)]


def texts(documents):
    """Return the texts of documents."""
    return [document.page_content for document in documents]


@pytest.mark.parametrize("name", ["base_url", "openrouter_api_base", "api_base"])
def test_d1_another_endpoint_can_be_named(make, name):
    """Each name for the address of the service is accepted, and that address is called."""
    with Stage() as another:
        reranker = OpenRouterRerank(**{"api_key": another.api_key, name: another.base_url})
        reranker.compress_documents(found(*TEXTS), QUERY)

        assert len(another.requests) == 1


def test_d2_a_failure_is_never_an_empty_result(make, local_openrouter):
    """Making a reranker asks nothing; a refused call is an error, and metadata are no text."""
    local_openrouter.script(error(429, "slow down"))
    reranker = make(max_retries=0)
    documents = [Document(TEXTS[1], metadata={"text": "bread"}), Document(TEXTS[0])]
    assert local_openrouter.requests == []

    with pytest.raises(TooManyRequestsError):
        reranker.compress_documents(documents, QUERY)
    result = reranker.compress_documents(documents, QUERY)

    assert texts(result) == [TEXTS[1], TEXTS[0]]
    assert local_openrouter.requests[-1].documents == [TEXTS[1], TEXTS[0]]
    assert documents[0].metadata == {"text": "bread"}


def test_d3_what_is_passed_in_is_used(make):
    """A client that was passed in makes the calls, and an unknown option is never ignored."""
    seen = []
    with httpx.Client(event_hooks={"request": [seen.append]}) as client:
        make(http_client=client).compress_documents(found(*TEXTS), QUERY)

    assert len(seen) == 1
    with pytest.raises(ValidationError, match="top_k"):
        make(top_k=3)


def test_d4_metadata_are_not_copied_deep(make):
    """Metadata that cannot be copied, ids, subclasses and the state of filters come back."""
    embeddings = DeterministicFakeEmbedding(size=8)
    lock = threading.Lock()
    documents = [Document(text, metadata={"lock": lock}) for text in TEXTS]
    stateful = EmbeddingsRedundantFilter(embeddings=embeddings).transform_documents(documents)
    named = [document.model_copy(update={"id": str(at)}) for at, document in enumerate(stateful)]

    result = make().compress_documents(named, QUERY)

    assert [document.id for document in result] == ["1", "2", "0"]
    assert all(document.metadata["lock"] is lock for document in result)
    assert {type(document) for document in result} == {type(stateful[0])}
    assert result[0].state is stateful[1].state


def test_d4_filters_behind_do_not_embed_again(make):
    """In a pipeline, a filter behind the reranker finds the vectors of the one before."""
    calls = []

    class Counting(DeterministicFakeEmbedding):
        def embed_documents(self, texts):
            calls.append(texts)
            return super().embed_documents(texts)

    embeddings = Counting(size=8)
    pipeline = DocumentCompressorPipeline(
        transformers=[
            EmbeddingsRedundantFilter(embeddings=embeddings),
            make(),
            EmbeddingsFilter(embeddings=embeddings, k=3),
        ]
    )

    assert len(pipeline.compress_documents(found(*TEXTS), QUERY)) == 3
    assert len(calls) == 1


def test_d5_the_new_score_wins(make, local_openrouter):
    """A score of an earlier ranking is replaced, and the threshold counts before `top_n`."""
    local_openrouter.script(scores(0.2, 0.99, 0.8))
    documents = [Document(text, metadata={"relevance_score": -9.0}) for text in TEXTS]

    result = make(score_threshold=0.5, top_n=2).compress_documents(documents, QUERY)

    assert [document.metadata["relevance_score"] for document in result] == [0.99, 0.8]


def test_d6_the_options_of_the_constructor_hold(make, local_openrouter):
    """A call sends the model and the count of the constructor, with any metadata."""
    documents = [Document("text", metadata={"day": dt.date(2024, 2, 29), "n": math.nan})]

    make(model="a/model", top_n=1).compress_documents([*documents, Document("b")], QUERY)

    assert local_openrouter.requests[0].model == "a/model"
    assert local_openrouter.requests[0].top_n == 1


def test_d7_no_option_is_overwritten(make, local_openrouter):
    """What was passed is what the reranker has, and what it sends."""
    reranker = make(model="a/model", top_n=7, timeout=3)

    reranker.compress_documents(found(*TEXTS), QUERY)

    assert (reranker.model, reranker.top_n, reranker.timeout) == ("a/model", 7, 3)
    assert local_openrouter.requests[0].model == "a/model"


@repeat_if_starved
def test_d8_no_key_is_shown_and_no_call_is_endless(make, local_openrouter):
    """The key is in no `repr`, a silent service is given up, and any error body is an error."""
    local_openrouter.script(Fault.hang(), Reply(status=502, body=b"<html>Bad gateway</html>"))
    reranker = make(timeout=0.3, max_retries=0, default_headers={"X-Token": "secret"})

    assert local_openrouter.api_key not in repr(reranker)
    assert "secret" not in repr(reranker)
    with pytest.raises(DeadlineExceededError):
        reranker.compress_documents(found(*TEXTS), QUERY)
    with pytest.raises(BadGatewayError):
        reranker.compress_documents(found(*TEXTS), QUERY)


def test_d9_keys_of_others_are_left_alone(make, monkeypatch, local_openrouter):
    """The key of another service is not used, and ours is sent to no host it is not for."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another")
    with pytest.raises(ConfigurationError, match="OPENROUTER_API_KEY"):
        make(api_key=None).compress_documents(found(*TEXTS), QUERY)

    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-ours")
    with pytest.raises(ConfigurationError, match=r"example\.com"):
        make(api_key=None, base_url="https://example.com/v1").compress_documents(
            found(*TEXTS), QUERY
        )
    assert local_openrouter.requests == []


def test_d10_documents_come_back_whole(make, local_openrouter, capfd):
    """Metadata, ids and texts come back, blank documents too, and nothing is printed."""
    documents = found(*TEXTS, "", " ")

    result = make().compress_documents(documents, QUERY)

    assert sorted(int(document.id) for document in result) == [0, 1, 2, 3, 4]
    assert all(document.metadata["at"] == int(document.id) for document in result)
    assert sorted(texts(result)) == sorted(texts(documents))
    local_openrouter.script(error(400, "no"))
    with pytest.raises(Exception, match="no"):
        make().compress_documents(documents, QUERY)
    assert capfd.readouterr() == ("", "")


def test_d11_the_class_is_where_it_is_said_to_be(make, local_openrouter):
    """The name and the arguments that registries of rerankers use make one."""
    module = importlib.import_module("langchain_openrouter_rerank")
    arguments = {
        "top_n": 1,
        "api_key": local_openrouter.api_key,
        "base_url": local_openrouter.base_url,
        "timeout": 10,
    }

    reranker = module.OpenRouterRerank(model="a/model", **arguments)

    assert texts(reranker.compress_documents(found(*TEXTS), QUERY)) == [TEXTS[1]]


def test_d12_a_count_of_zero_is_refused(make):
    """`top_n` is at least 1; `None` is all, and more than there are is all as well."""
    for impossible in (0, -1):
        with pytest.raises(ValidationError, match="top_n"):
            make(top_n=impossible)
        with pytest.raises(ValidationError, match="top_n"):
            make().compress_documents(found(*TEXTS), QUERY, top_n=impossible)

    assert len(make(top_n=2).compress_documents(found(*TEXTS), QUERY, top_n=None)) == 3
    assert len(make(top_n=99).compress_documents(found(*TEXTS), QUERY)) == 3


OPTIMISED = """
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
def test_d13_answers_are_checked_whatever_python_is_told(local_openrouter):
    """An impossible index is an error without assertions too, and nobody else is called."""
    for indexes in ([0, 2], [0, -1], [0, 0], [0]):
        results = [{"index": index, "relevance_score": 0.5} for index in indexes]
        local_openrouter.script(Reply(body=json.dumps({"results": results}).encode()))

    done = subprocess.run(
        [sys.executable, "-O", "-c", OPTIMISED],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )

    assert done.stdout.split() == ["refused"] * 4
    assert [request.path for request in local_openrouter.requests] == ["/api/v1/rerank"] * 4


def test_d14_what_was_passed_in_is_not_touched(make):
    """The results are copies; the documents of the retriever keep their metadata."""
    documents = found(*TEXTS)

    result = make().compress_documents(documents, QUERY)

    assert not {id(document) for document in result} & {id(document) for document in documents}
    assert documents == found(*TEXTS)


def test_d15_it_can_be_copied_and_sent(make, monkeypatch, local_openrouter):
    """After calls of both modes, a reranker is pickled and copied deep, and still works."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    reranker = make()
    reranker.compress_documents(found(*TEXTS), QUERY)
    asyncio.run(reranker.acompress_documents(found(*TEXTS), QUERY))

    for made in (
        pickle.loads(pickle.dumps(reranker)),  # noqa: S301 - It is our own
        copy.deepcopy(reranker),
        reranker.model_copy(deep=True),
    ):
        assert texts(made.compress_documents(found(*TEXTS), QUERY))[0] == TEXTS[1]


async def test_d16_calls_do_not_queue_for_threads(make, local_openrouter):
    """Two hundred asynchronous calls are in flight together although there is one thread."""

    def release_all():
        local_openrouter.wait_until(lambda: local_openrouter.in_flight == 200, timeout=20)
        local_openrouter.release()

    with ThreadPoolExecutor(1) as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        local_openrouter.always(Fault.hang())
        reranker = make(max_concurrency=200)
        calls = [
            asyncio.create_task(reranker.acompress_documents(found(*TEXTS), QUERY))
            for _ in range(200)
        ]
        release = threading.Thread(target=release_all)
        release.start()

        assert len(await asyncio.gather(*calls)) == 200
        release.join()


def test_d17_a_retriever_returns_as_many_as_it_is_told(make):
    """`k` of the retriever counts, whoever finds the documents, and a misspelt one is refused."""
    search = RunnableLambda(lambda _: found(*TEXTS))

    assert len(make().as_retriever(search, k=2).invoke(QUERY)) == 2
    assert len(make().as_retriever(search).invoke(QUERY, k=1)) == 1
    with pytest.raises(ValidationError, match="kk"):
        OpenRouterRerankRetriever(base_retriever=search, reranker=make(), kk=3)
