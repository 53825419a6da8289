"""The options of one call, in both framework packages: each has an effect on this call only."""

import inspect

import pytest
from langchain_core.documents import Document
from llama_index.core.schema import TextNode
from openrouter_rerank import Ranking
from openrouter_rerank.errors import (
    ConfigurationError,
    DeadlineExceededError,
    InvalidRequestError,
    OpenRouterRerankError,
    ServiceUnavailableError,
)
from openrouter_rerank.local.stage import Fault, error
from openrouter_rerank.reranker import CallOptions

from tests.secret_walker import HEADER, KEY, secrets_in_frames

TEXTS = ["Bread is baked.", "Paris is the capital of France.", "Rome is a capital."]
QUERY = "capital of France"
SENT = {
    "model": ("cohere/rerank-4-fast", "model", "cohere/rerank-4-fast"),
    "top_n": (1, "top_n", 1),
    "provider": ({"only": ("cohere",)}, "provider", {"only": ["cohere"]}),
    "user": ("user-1", "user", "user-1"),
    "trace": ({"trace_id": "t-1"}, "trace", {"trace_id": "t-1"}),
    "extra_body": ({"new": [1]}, "new", [1]),
    "session_id": ("session-1", "x-session-id", "session-1"),
    "app_url": ("https://app.example", "http-referer", "https://app.example"),
    "app_title": ("My app", "x-openrouter-title", "My app"),
    "app_categories": (["rag", "search"], "x-openrouter-categories", "rag,search"),
    "extra_headers": ({"X-Mine": "yes"}, "x-mine", "yes"),
}
"""The value of an option, the field of the body or the header that it sets, and what is sent."""


@pytest.fixture
def rerank(mode):
    """Return a function that calls `rerank` or `arerank`."""

    async def rerank(reranker, items=TEXTS, query=QUERY, **options):
        if mode == "sync":
            return reranker.rerank(items, query, **options)
        return await reranker.arerank(items, query, **options)

    return rerank


def sent(request, name):
    """Return a field of the body of a request, or a header."""
    return request.json.get(name) or request.headers.get(name)


@pytest.mark.parametrize("option", SENT)
async def test_an_option_of_a_call_is_sent(reranker, rerank, local_openrouter, option):
    """An option is sent with its call, and not with the next one."""
    value, name, expected = SENT[option]

    await rerank(reranker, **{option: value})
    await rerank(reranker)

    first, second = local_openrouter.requests
    assert sent(first, name) == expected
    assert sent(second, name) == ("cohere/rerank-v3.5" if option == "model" else None)


async def test_max_retries(reranker, rerank, local_openrouter):
    """A call makes at most `max_retries + 1` attempts."""
    local_openrouter.always(error(503, "down", retry_after=0))

    for retries in (0, 1):
        before = len(local_openrouter.requests)
        with pytest.raises(ServiceUnavailableError):
            await rerank(reranker, max_retries=retries)
        assert len(local_openrouter.requests) - before == 1 + retries


async def test_timeout(reranker, rerank, local_openrouter):
    """A call ends after `timeout` seconds."""
    local_openrouter.always(Fault.hang())

    with pytest.raises(DeadlineExceededError, match=r"within timeout=0\.2 s"):
        await rerank(reranker, timeout=0.2)


async def test_max_documents_per_request(reranker, rerank, local_openrouter):
    """A call sends at most this number of documents in a request."""
    ranking = await rerank(reranker, max_documents_per_request=1)

    assert len(local_openrouter.requests) == len(ranking.requests) == 3


async def test_long_documents(reranker, rerank, local_openrouter):
    """A call may rank long documents by passages of another length and number."""
    long = "".join(f"Paragraph {number} is of other things.\n\n" for number in range(600))
    options = {"long_documents": "split", "passage_tokens": 100, "max_passages": 3}

    split = await rerank(reranker, [long, "capital"], **options)
    whole = await rerank(reranker, [long, "capital"])

    first, second = local_openrouter.requests
    assert (len(first.texts), len(second.texts)) == (4, 2)
    assert (split.passages[0].is_cut, whole.passages) == (True, {})


async def test_score_threshold_and_fallback_models(reranker, rerank, local_openrouter):
    """A call can have a threshold or fallback models, and not both, as a reranker."""
    assert [each.index for each in await rerank(reranker, score_threshold=0.3)] == [1, 2]
    local_openrouter.script(error(404, "No endpoints found"))
    assert (await rerank(reranker, fallback_models=["a/b"])).model == "a/b"

    reranker.score_threshold = 0.3
    before = len(local_openrouter.requests)
    with pytest.raises(ConfigurationError, match="cannot be combined with"):
        await rerank(reranker, fallback_models=["a/b"])
    assert len(local_openrouter.requests) == before
    assert len(await rerank(reranker, fallback_models=["a/b"], score_threshold=None)) == 3
    assert len(await rerank(reranker, score_threshold=None, fallback_models=["a/b"])) == 3
    reranker = reranker.model_copy(update={"score_threshold": None, "fallback_models": ["a/b"]})
    for nothing in (None, (), []):
        ranking = await rerank(reranker, score_threshold=0.3, fallback_models=nothing)
        assert [each.index for each in ranking] == [1, 2]


def test_every_option_of_a_call_is_tested():
    """This module has a test of each option of a call."""
    tested = {"max_retries", "timeout", "max_documents_per_request", "score_threshold"}
    tested |= {"long_documents", "passage_tokens", "max_passages"}

    assert CallOptions.__annotations__.keys() == SENT.keys() | tested | {"fallback_models"}


async def test_none_means_the_option_of_the_reranker(framework, rerank, local_openrouter):
    """For options that a client has, `None` is the value of the reranker."""
    local_openrouter.always(error(503, "down", retry_after=0))
    reranker = framework.reranker_class(
        api_key=local_openrouter.api_key,
        base_url=local_openrouter.base_url,
        max_retries=0,
        app_title="mine",
    )

    with pytest.raises(ServiceUnavailableError):
        await rerank(reranker, max_retries=None, timeout=None, app_title=None, extra_headers=None)

    (request,) = local_openrouter.requests
    assert request.headers["x-openrouter-title"] == "mine"


async def test_calls_with_other_options_share_one_client(reranker, rerank, local_openrouter):
    """No value of an option of a call creates another client, so `max_concurrency` holds."""
    for number in range(1, 20):
        await rerank(
            reranker,
            timeout=number,
            max_retries=number,
            app_title=f"{number}",
            extra_headers={"X-Number": f"{number}"},
        )

    clients = reranker._clients  # noqa: SLF001 - no public name
    assert len(clients._sync) + len(clients._async) == 1  # noqa: SLF001 - no public name
    assert local_openrouter.connections == 1


INVALID = [
    ({"top_n": 0}, "top_n must be a whole number, 1 or more, or None, got 0"),
    ({"top_n": 1.0}, "top_n must be a whole number, 1 or more, or None, got 1.0"),
    ({"timeout": 0}, "timeout must be a positive number of seconds, got 0"),
    ({"max_retries": -1}, "max_retries must be a whole number, 0 or more, got -1"),
    ({"app_url": 5}, "app_url must be a string, or None, got 5"),
    ({"app_categories": ["a", 2]}, "app_categories[1] must be a string, got 2"),
    (
        {"extra_headers": "X-A: 1"},
        "extra_headers must be a mapping of header names to strings, or None",
    ),
    ({"extra_headers": {"Host": "a"}}, "extra_headers must not contain 'Host': the client sets it"),
    ({"trace": {"a": {1}}}, "trace['a'] must be a JSON value, got {1}"),
    ({"extra_body": {"a": b"b"}}, "extra_body['a'] must be a JSON value, got b'b'"),
]


@pytest.mark.parametrize(("options", "text"), INVALID, ids=lambda row: str(row)[:30])
async def test_a_bad_option_of_a_call_is_refused(reranker, rerank, local_openrouter, options, text):
    """A bad option is refused before anything is sent, also if nothing would be sent."""
    for items in (TEXTS, []):
        with pytest.raises(ConfigurationError) as caught:
            await rerank(reranker, items, **options)
        assert str(caught.value) == text
    assert local_openrouter.requests == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("topn", "Did you mean 'top_n'?"),
        ("headers", "Did you mean 'extra_headers'?"),
        ("default_headers", "Did you mean 'extra_headers'?"),
        ("retries", "Did you mean 'max_retries'?"),
        ("http_referer", "Did you mean 'app_url'?"),
        ("base_url", "'base_url': set it when you create the reranker"),
        ("server_url", "Did you mean 'base_url'? If so, set it when you create the reranker"),
        ("on_error", "'on_error': set it when you create the reranker"),
    ],
)
async def test_an_unknown_option_of_a_call_names_the_one_that_is_meant(
    reranker, rerank, name, text
):
    """An option that a call does not have is a `TypeError` that says what to pass instead."""
    with pytest.raises(TypeError) as caught:
        await rerank(reranker, **{name: KEY})

    assert str(caught.value).startswith("a call of OpenRouterRerank has no argument ")
    assert str(caught.value).endswith(text)
    assert secrets_in_frames(caught.value) == []


@pytest.mark.parametrize("reply", [error(403, f"no {HEADER}"), Fault.hang()], ids=["403", "hang"])
@pytest.mark.parametrize("options", [{}, {"top_n": 0}, {"max_retries": -1}], ids=str)
async def test_no_failure_of_a_call_shows_its_headers(
    reranker, rerank, local_openrouter, reply, options
):
    """No error of a call, and no frame of it, has the value of a header of the call."""
    local_openrouter.always(reply)

    with pytest.raises(OpenRouterRerankError) as caught:
        await rerank(reranker, extra_headers={"X-A": HEADER}, timeout=0.3, **options)

    assert HEADER not in str(caught.value) + repr(vars(caught.value))
    assert secrets_in_frames(caught.value) == []


async def test_scores_of_all_kinds_of_items(reranker, rerank, framework):
    """Texts, mappings and documents of the framework are ranked together, and only scored."""
    document = Document(TEXTS[1]) if "LangChain" in str(framework) else TextNode(text=TEXTS[1])

    ranking = await rerank(reranker, [TEXTS[0], document, {"text": TEXTS[2]}, ""])

    assert isinstance(ranking, Ranking)
    assert [(each.index, each.relevance_score) for each in ranking] == [
        (1, 1.0),
        (2, pytest.approx(1 / 3)),
        (0, 0.0),
    ]


async def test_rerank_raises_every_failure(reranker, rerank, local_openrouter):
    """There is no ranking without scores, so failures and blank queries are always raised."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.max_retries = "passthrough", 0

    with pytest.raises(ServiceUnavailableError):
        await rerank(reranker)
    with pytest.raises(InvalidRequestError, match="query is blank"):
        await rerank(reranker, TEXTS, " ")
    with pytest.raises(InvalidRequestError, match=r"documents is of type str: pass a list"):
        await rerank(reranker, "text")
    assert reranker.on_error == "passthrough"


def test_the_same_method_in_both_packages(framework):
    """`rerank` and `arerank` have the same documents, query and options in both packages."""
    for name in ("rerank", "arerank"):
        parameters = inspect.signature(getattr(framework.reranker_class, name)).parameters
        assert [*parameters][:3] == ["self", "documents", "query"]
        assert [*parameters][-1] == "options"


def test_the_docstring_of_rerank_names_every_option(framework):
    """`help()` shows which options a call has."""
    text = framework.reranker_class.rerank.__doc__

    assert [name for name in CallOptions.__annotations__ if f"`{name}`" not in text] == []
