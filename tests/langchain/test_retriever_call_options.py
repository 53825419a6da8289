"""The options of one call of a retriever: which the reranker gets, and which its base retriever."""

import asyncio

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from openrouter_rerank.errors import (
    ConfigurationError,
    DeadlineExceededError,
    ServiceUnavailableError,
)
from openrouter_rerank.local.stage import Fault, error
from openrouter_rerank.reranker import CallOptions
from pydantic import Field

from tests.secret_walker import HEADER, secrets_in, secrets_in_frames

OPTIONS = {
    "model": "cohere/rerank-4-fast",
    "fallback_models": ["cohere/rerank-4-pro"],
    "top_n": 2,
    "score_threshold": None,
    "provider": {"only": ["cohere"]},
    "session_id": "session-1",
    "user": "user-1",
    "trace": {"a": 1},
    "extra_body": {"new": 1},
    "max_documents_per_request": 100,
    "long_documents": "truncate",
    "passage_tokens": 64,
    "max_passages": 3,
    "timeout": 20,
    "max_retries": 0,
    "app_url": "https://example.com",
    "app_title": "My app",
    "app_categories": ["rag"],
    "extra_headers": {"X-Tenant": HEADER},
}


class Recorder(BaseRetriever):
    """A retriever that records the keywords of its calls."""

    documents: list[Document]
    calls: list[dict] = Field(default_factory=list)

    def _get_relevant_documents(self, query, *, run_manager, **keywords):
        self.calls.append(keywords)
        return self.documents

    async def _aget_relevant_documents(self, query, *, run_manager, **keywords):
        self.calls.append(keywords)
        return self.documents


@pytest.fixture
def base(documents):
    """A base retriever that records the keywords of its calls."""
    return Recorder(documents=documents)


@pytest.fixture
def retriever(reranker, base):
    """A retriever over the base retriever."""
    return reranker.as_retriever(base)


async def test_the_reranker_gets_its_options(retriever, base, invoke, local_openrouter):
    """All options of a call reach the reranker, and none of them the base retriever."""
    assert OPTIONS.keys() == CallOptions.__annotations__.keys()

    results = await invoke(retriever, filter={"a": 1}, **OPTIONS)
    await invoke(retriever.bind(filter=None, **OPTIONS))
    await asyncio.to_thread(retriever.batch, ["capital of France"], **OPTIONS)
    await invoke(retriever)

    assert len(results) == 2
    assert base.calls == [{"filter": {"a": 1}}, {"filter": None}, {}, {}]
    *requests, without = local_openrouter.requests
    assert len(requests) == 3
    for request in requests:
        assert request.json["model"] == OPTIONS["model"]
        assert (request.json["user"], request.json["new"]) == ("user-1", 1)
        assert request.json["provider"] == OPTIONS["provider"]
        assert request.headers["x-session-id"] == "session-1"
        assert request.headers["x-openrouter-title"] == "My app"
        assert request.headers["x-tenant"] == HEADER
    assert without.json.keys() == {"model", "query", "documents"}


async def test_similar_names_stay_with_the_base_retriever(retriever, base, invoke):
    """A keyword that is not an option of the reranker is passed on, even if its name is similar."""
    keywords = {"time_out": 5, "users": 1, "headers": {}, "on_error": "raise", "score": 0.5}

    await invoke(retriever, **keywords)

    assert base.calls == [keywords]


async def test_a_timeout_of_a_call_holds(reranker, store, invoke, local_openrouter):
    """The timeout of a call ends the rerank call, also over a vector store."""
    local_openrouter.always(Fault.hang())
    retriever = reranker.as_retriever(store.as_retriever(), fetch_k=5)

    with pytest.raises(DeadlineExceededError, match=r"timeout=0\.2 s"):
        await invoke(retriever, timeout=0.2)


async def test_an_invalid_option_is_refused(retriever, invoke, local_openrouter):
    """An option that the reranker refuses is refused in a call of the retriever."""
    with pytest.raises(ConfigurationError, match="timeout must be a positive number"):
        await invoke(retriever, timeout=-1)
    with pytest.raises(ConfigurationError, match="extra_headers must be a mapping") as caught:
        await invoke(retriever, extra_headers=[HEADER])

    assert secrets_in_frames(caught.value) == []
    assert local_openrouter.requests == []


async def test_headers_are_not_shown(retriever, invoke, runs, local_openrouter):
    """The headers of a call are in no frame of an error, in no run, and in no `repr`."""
    local_openrouter.always(error(503, "down"))
    options = {"extra_headers": {"X-Tenant": HEADER}, "max_retries": 0}
    bound = retriever.bind(**options)

    with pytest.raises(ServiceUnavailableError) as called:
        await invoke(retriever, config={"callbacks": [runs]}, **options)
    with pytest.raises(ServiceUnavailableError) as of_bound:
        await invoke(bound, config={"callbacks": [runs]})

    assert secrets_in_frames(called.value) + secrets_in_frames(of_bound.value) == []
    assert secrets_in([vars(run) for run in runs.by_id.values()]) == []
    assert HEADER not in repr(bound)
    assert [request.headers["x-tenant"] for request in local_openrouter.requests] == [HEADER] * 2
