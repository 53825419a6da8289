"""Each option of each class either takes a hostile value, or names itself in a typed error."""

import asyncio
import warnings

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from langchain_openrouter_rerank import OpenRouterRerankRetriever
from langchain_openrouter_rerank.middleware import (
    RerankToolResultsMiddleware,
    RerankToolSelectorMiddleware,
)
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank import (
    AsyncRerankClient,
    Budget,
    ConfigurationError,
    InvalidRequestError,
    OpenRouterRerankError,
    RerankClient,
    WindowRateLimiter,
)
from openrouter_rerank.client_options.fields import ClientOptions
from openrouter_rerank.client_options.keywords import REQUEST_OPTIONS
from openrouter_rerank.reranker import RerankOptions

from tests.hostile_values import ENDLESS, HOSTILE

SERVICE = {"base_url": "http://127.0.0.1:9/v1", "api_key": "none"}
SEARCH = RunnableLambda(lambda _: [Document("a")])
RERANKER = LangChainRerank(**SERVICE)
OF_CLIENT = sorted({*ClientOptions.model_fields, "http_client"})
OF_CALL = sorted({*REQUEST_OPTIONS, "model", "top_n", "query"})
CONSTRUCTORS = {
    "client": (lambda option: RerankClient(**SERVICE | option), OF_CLIENT),
    "asynchronous client": (lambda option: AsyncRerankClient(**SERVICE | option), OF_CLIENT),
    **{
        kind.__module__: (
            lambda option, kind=kind: kind(**SERVICE | option),
            sorted({*RerankOptions.model_fields, *vars(kind)["__annotations__"]}),
        )
        for kind in (LangChainRerank, LlamaIndexRerank)
    },
    "retriever": (
        lambda option: OpenRouterRerankRetriever(
            **{"base_retriever": SEARCH, "reranker": RERANKER} | option
        ),
        ["base_retriever", "reranker", "fetch_k", "top_n"],
    ),
    "tool selector": (
        lambda option: RerankToolSelectorMiddleware(
            **{"reranker": RERANKER, "max_tools": 2} | option
        ),
        ["reranker", "max_tools", "always_include", "min_score", "on_failure"],
    ),
    "tool results": (
        lambda option: RerankToolResultsMiddleware(**{"reranker": RERANKER} | option),
        ["reranker", "top_n", "tools"],
    ),
    "budget": (lambda option: Budget(**option), ["limit"]),
    "limiter": (lambda option: WindowRateLimiter(**option), ["requests", "seconds"]),
}
ROWS = [
    pytest.param(construct, name, id=f"{kind}-{name}")
    for kind, (construct, names) in CONSTRUCTORS.items()
    for name in names
]
RERANKERS = [LangChainRerank, LlamaIndexRerank]
each_reranker = pytest.mark.parametrize("kind", RERANKERS, ids=lambda kind: kind.__module__)


def problems(use, name):
    """Return what `use` raised for a hostile value and what is no typed error with the name."""
    found = {}
    for title, value in (HOSTILE | ENDLESS).items():
        try:
            with warnings.catch_warnings():
                # A timeout of some hours is one.
                warnings.simplefilter("ignore", UserWarning)
                use({name: value})
        except (ConfigurationError, InvalidRequestError) as error:
            text = error.message
            is_named = name in text or (name == "api_key" and "the API key" in text)
            if not is_named or len(text) > 500 or not text.isprintable():
                found[title] = text
        except OpenRouterRerankError:
            # It was sent, and the service refuses it.
            pass
        except Exception as error:  # noqa: BLE001 - what must not happen
            found[title] = repr(error)
    return found


@pytest.mark.parametrize(("construct", "name"), ROWS)
def test_an_option_refuses_a_hostile_value_with_its_name(construct, name):
    """A hostile value is accepted, or refused in one printable line that names the option."""
    assert problems(construct, name) == {}


@pytest.mark.parametrize("name", OF_CALL)
@pytest.mark.parametrize("kind", [RerankClient, AsyncRerankClient])
def test_a_call_refuses_a_hostile_argument_with_its_name(kind, name, stage):
    """A hostile argument of a call is sent, or refused in a line that names the argument."""
    client = kind(base_url=stage.base_url, api_key=stage.api_key)

    async def call(option):
        result = client.rerank(**{"query": "q", "documents": ["a"]} | option)
        return result if kind is RerankClient else await result

    assert problems(lambda option: asyncio.run(call(option)), name) == {}


@pytest.mark.parametrize("name", sorted({*OF_CALL, "score_threshold"}))
@each_reranker
def test_a_call_of_a_reranker_refuses_a_hostile_argument_with_its_name(kind, name, stage):
    """So do the calls of both framework classes."""
    reranker = kind(base_url=stage.base_url, api_key=stage.api_key)

    assert (
        problems(
            lambda option: reranker.rerank(**{"documents": ["a"], "query": "q"} | option), name
        )
        == {}
    )


@pytest.mark.parametrize("name", sorted(RerankOptions.model_fields))
@each_reranker
def test_an_assigned_option_refuses_a_hostile_value_with_its_name(kind, name):
    """An assigned value is checked like one of the constructor, and a refused one is not kept."""
    reranker = kind(**SERVICE)
    before = dict(vars(reranker))

    def assign(option):
        try:
            setattr(reranker, name, option[name])
        except ConfigurationError:
            assert vars(reranker)[name] is before[name]
            raise
        finally:
            vars(reranker).update(before)

    assert problems(assign, name) == {}


def test_documents_of_other_classes_are_ranked_by_their_content(stage):
    """Strings of other classes are sent as what they hold, even if their methods fail."""
    text = HOSTILE["failing text"]
    service = {"base_url": stage.base_url, "api_key": stage.api_key}

    RerankClient(**service).rerank(text, [text, {"text": text}, HOSTILE["NumPy text"], "b"])
    LangChainRerank(**service).rerank([text, "b"], text)
    LlamaIndexRerank(**service).rerank([text, "b"], text)

    assert [each.json["documents"] for each in stage.requests] == [["abc", "b"]] * 3
    assert [each.json["query"] for each in stage.requests] == ["abc"] * 3
