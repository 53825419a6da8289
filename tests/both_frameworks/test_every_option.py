"""Every option has an effect, in both framework packages, in sync and async."""

import asyncio

import httpx
import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import WindowRateLimiter
from openrouter_rerank.errors import (
    BudgetExceededError,
    ConfigurationError,
    DeadlineExceededError,
    InternalServerError,
    InvalidRequestError,
)
from openrouter_rerank.local.stage import Fault, Stage, error
from openrouter_rerank.reranker import RerankOptions

from tests.held_replies import released_in_batches

TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")
VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)

CHECKS = {}
"""A check for each option, which fails if the option has no effect."""


def checks_option(check):
    """Add `check` as the check for the option with its name."""
    CHECKS[check.__name__] = check
    return check


async def request_with(pipeline, **options):
    """Rerank with these options, and return the request that the service received."""
    await pipeline.rerank(pipeline.reranker(**options), pipeline.items(*TEXTS))
    return pipeline.service.requests[-1]


def check_body(option, value):
    """Add a check that the option is sent in the body under its name."""

    async def check(pipeline, folder):
        assert (await request_with(pipeline)).json.get(option) != value
        assert (await request_with(pipeline, **{option: value})).json[option] == value

    CHECKS[option] = check


def check_header(option, value, header, header_value):
    """Add a check that the option is sent as a header."""

    async def check(pipeline, folder):
        assert (await request_with(pipeline)).headers.get(header) != header_value
        assert (await request_with(pipeline, **{option: value})).headers[header] == header_value

    CHECKS[option] = check


check_body("model", "cohere/rerank-4-fast")
check_body("provider", {"order": ["cohere"], "allow_fallbacks": False})
check_body("trace", {"trace_id": "t-1"})
check_body("user", "user-1")
check_header("api_key", "sk-or-v1-mine", "authorization", "Bearer sk-or-v1-mine")
check_header("app_categories", ["rag", "search"], "x-openrouter-categories", "rag,search")
check_header("app_title", "My app", "x-openrouter-title", "My app")
check_header("app_url", "https://app.example", "http-referer", "https://app.example")
check_header("default_headers", {"X-Mine": "yes"}, "x-mine", "yes")
check_header("session_id", "session-1", "x-session-id", "session-1")


@checks_option
async def extra_body(pipeline, folder):
    """The fields are added to the body."""
    request = await request_with(pipeline, extra_body={"new_field": [1]})

    assert request.json["new_field"] == [1]


@checks_option
async def base_url(pipeline, folder):
    """The request is sent to this URL."""
    with Stage() as other:
        await pipeline.rerank(pipeline.reranker(base_url=other.base_url), pipeline.items(*TEXTS))
        assert len(other.requests) == 1
    assert pipeline.service.requests == []


@checks_option
async def allow_insecure_http(pipeline, folder):
    """A URL with http and the host of a gateway is accepted; here a proxy leads to it."""
    gateway = {"base_url": "http://gateway.example/v1"}
    with pytest.raises(ConfigurationError, match="allow_insecure_http=True"):
        pipeline.reranker(**gateway)
    with Stage() as proxy, pytest.MonkeyPatch.context() as environment:
        for name in ("no_proxy", "NO_PROXY"):
            environment.delenv(name, raising=False)
        environment.setenv("http_proxy", proxy.base_url.removesuffix("/api/v1"))
        reranker = pipeline.reranker(**gateway, allow_insecure_http=True)
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))
        assert [request.path for request in proxy.requests] == ["http://gateway.example/v1/rerank"]


@checks_option
async def top_n(pipeline, folder):
    """The result has `top_n` items, and the number is sent."""
    assert await pipeline.names(pipeline.reranker(top_n=1), pipeline.items(*TEXTS)) == ["1"]
    assert pipeline.service.requests[-1].top_n == 1


@checks_option
async def score_threshold(pipeline, folder):
    """Items below the threshold are left out. Items with exactly this score are kept."""
    items = pipeline.items(*TEXTS, "capital of France")

    assert await pipeline.names(pipeline.reranker(score_threshold=1), items) == ["1", "3"]


@checks_option
async def fallback_models(pipeline, folder):
    """If a model is unavailable, the request is sent to the next model."""
    pipeline.service.script(error(404, "No endpoints found"))

    await request_with(pipeline, model="a/first", fallback_models=["a/second"])

    assert [request.model for request in pipeline.service.requests] == ["a/first", "a/second"]


@checks_option
async def timeout(pipeline, folder):
    """The call fails if there is no response after `timeout` seconds."""
    pipeline.service.always(Fault.hang())

    with pytest.raises(DeadlineExceededError):
        await request_with(pipeline, timeout=0.2)


@checks_option
async def max_retries(pipeline, folder):
    """A request takes at most `max_retries + 1` attempts."""
    pipeline.service.always(error(500, "down", retry_after=0))

    for retries in (0, 1):
        before = len(pipeline.service.requests)
        with pytest.raises(InternalServerError):
            await request_with(pipeline, max_retries=retries)
        assert len(pipeline.service.requests) - before == 1 + retries


@checks_option
async def max_concurrency(pipeline, folder):
    """At most `max_concurrency` requests of a reranker are in flight at the same time."""
    items = pipeline.items(*TEXTS)

    for limit, groups in ((1, [1, 1]), (2, [2])):
        reranker = pipeline.reranker(max_concurrency=limit)
        if pipeline.mode == "sync":
            calls = [
                asyncio.to_thread(pipeline.framework.rerank, reranker, items, "q") for _ in range(2)
            ]
        else:
            calls = [pipeline.framework.arerank(reranker, items, "q") for _ in range(2)]
        with released_in_batches(pipeline.service, *groups):
            await asyncio.gather(*calls)
        assert pipeline.service.in_flight_peak == limit


@checks_option
async def max_documents_per_request(pipeline, folder):
    """Longer lists are sent in several requests, and the result is the same."""
    items = pipeline.items(*TEXTS)
    result_of_one_request = await pipeline.rerank(pipeline.reranker(), items)

    for limit, requests in ((3, 1), (2, 2), (1, 3)):
        before = len(pipeline.service.requests)
        reranker = pipeline.reranker(max_documents_per_request=limit)
        assert await pipeline.rerank(reranker, items) == result_of_one_request
        assert len(pipeline.service.requests) - before == requests


LONG_TEXT = "".join(f"Paragraph {number} is of other things.\n\n" for number in range(600))


async def sent_texts(pipeline, **options):
    """Rerank a long and a short text, and return how many texts are sent."""
    before = len(pipeline.service.requests)
    reranker = pipeline.reranker(**options)
    await pipeline.rerank(reranker, pipeline.items(LONG_TEXT, "capital"))
    [request] = pipeline.service.requests[before:]
    return len(request.texts)


@checks_option
async def long_documents(pipeline, folder):
    """A document above the model's context is sent whole, as passages, or not at all."""
    assert await sent_texts(pipeline, long_documents="truncate") == 2
    assert await sent_texts(pipeline, long_documents="split") > 10
    with pytest.raises(InvalidRequestError, match="long_documents='split'"):
        await sent_texts(pipeline, long_documents="raise")


@checks_option
async def passage_tokens(pipeline, folder):
    """Smaller passages are more passages."""
    large = await sent_texts(pipeline, long_documents="split", passage_tokens=900)

    assert await sent_texts(pipeline, long_documents="split", passage_tokens=90) > 5 * large


@checks_option
async def max_passages(pipeline, folder):
    """Of a long document, at most this number of passages is sent."""
    assert await sent_texts(pipeline, long_documents="split", max_passages=4) == 4 + 1


@checks_option
async def on_error(pipeline, folder):
    """A failure is raised, or the items keep their order."""
    pipeline.service.always(error(500, "down"))
    items = pipeline.items(*TEXTS)

    with pytest.raises(InternalServerError):
        await pipeline.rerank(pipeline.reranker(max_retries=0), items)
    reranker = pipeline.reranker(max_retries=0, on_error="passthrough")
    assert await pipeline.names(reranker, items) == ["0", "1", "2"]


@checks_option
async def unscorable(pipeline, folder):
    """Items with nothing to rank are kept at the end, dropped, or an error."""
    items = pipeline.items("", "capital")

    assert await pipeline.names(pipeline.reranker(unscorable="keep"), items) == ["1", "0"]
    assert await pipeline.names(pipeline.reranker(unscorable="drop"), items) == ["1"]
    with pytest.raises(InvalidRequestError, match="document 0"):
        await pipeline.rerank(pipeline.reranker(unscorable="raise"), items)


async def count_sent_images(pipeline, folder, **options):
    """Rerank a text and an image file, and return the number of images in the request."""
    (folder / "image.png").write_bytes(PNG)
    items = [pipeline.item("0", "A text"), pipeline.item("1", image_path="image.png")]
    defaults = {"model": VISION_MODEL, "image_root": folder}
    await pipeline.rerank(pipeline.reranker(**(defaults | options)), items)
    documents = pipeline.service.requests[-1].documents
    return sum(isinstance(document, dict) and "image" in document for document in documents)


@checks_option
async def image_mode(pipeline, folder):
    """Images are sent to models that are known to accept images, to all models, or to none."""
    unknown = {"model": "new/vision-model"}

    assert await count_sent_images(pipeline, folder, image_mode="auto") == 1
    for model in ("nvidia/nemotron-3.5-rerank-8b:free", "nvidia/nemotron-9-rerank"):
        assert await count_sent_images(pipeline, folder, image_mode="auto", model=model) == 1
    assert await count_sent_images(pipeline, folder, image_mode="auto", **unknown) == 0
    assert await count_sent_images(pipeline, folder, image_mode="always", **unknown) == 1
    assert await count_sent_images(pipeline, folder, image_mode="never") == 0


@checks_option
async def image_root(pipeline, folder):
    """Only files in this folder are read and sent."""
    other_folder = folder / "other"
    other_folder.mkdir()

    assert await count_sent_images(pipeline, folder) == 1
    assert await count_sent_images(pipeline, folder, image_root=None) == 0
    assert await count_sent_images(pipeline, folder, image_root=other_folder) == 0


@checks_option
async def max_image_bytes(pipeline, folder):
    """A larger image file is not sent."""
    assert await count_sent_images(pipeline, folder, max_image_bytes=len(PNG)) == 1
    assert await count_sent_images(pipeline, folder, max_image_bytes=len(PNG) - 1) == 0


@checks_option
async def budget(pipeline, folder):
    """If the budget is spent, the next call is refused."""
    reranker = pipeline.reranker(budget=0.001)
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    with pytest.raises(BudgetExceededError):
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))
    assert len(pipeline.service.requests) == 1


@checks_option
async def score_store(pipeline, folder):
    """A document whose score is in the store is not sent again."""
    reranker = pipeline.reranker(score_store=InMemoryByteStore())
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))
    await pipeline.rerank(reranker, pipeline.items(*TEXTS, "New"))

    assert [request.documents for request in pipeline.service.requests] == [[*TEXTS], ["New"]]


@checks_option
async def score_ttl(pipeline, folder):
    """A document whose score is older than `score_ttl` seconds is sent again."""
    options = {"score_store": InMemoryByteStore()}

    for ttl in (None, 3600, 1e-9):
        await pipeline.rerank(pipeline.reranker(score_ttl=ttl, **options), pipeline.items(*TEXTS))
    assert len(pipeline.service.requests) == 2


@checks_option
async def rate_limiter(pipeline, folder):
    """A request waits for the rate limiter, at most until the deadline of the call."""
    limiter = WindowRateLimiter(1)
    await request_with(pipeline, rate_limiter=limiter)

    with pytest.raises(DeadlineExceededError, match="rate_limiter"):
        await request_with(pipeline, rate_limiter=limiter, timeout=0.2)
    assert len(pipeline.service.requests) == 1


@checks_option
async def on_response(pipeline, folder):
    """The function gets each ranking, with its cost."""
    rankings = []

    await request_with(pipeline, on_response=rankings.append)

    assert [ranking.usage.cost for ranking in rankings] == [0.001]


@checks_option
async def http_client(pipeline, folder):
    """Sync calls use this HTTP client, and the reranker does not close it."""
    requests = []
    with httpx.Client(event_hooks={"request": [requests.append]}) as client:
        reranker = pipeline.reranker(http_client=client)
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))
        reranker.close()

        assert not client.is_closed
    assert len(requests) == (pipeline.mode == "sync")


@checks_option
async def http_async_client(pipeline, folder):
    """Async calls use this HTTP client, and the reranker does not close it."""
    requests = []

    async def record(request):
        requests.append(request)

    async with httpx.AsyncClient(event_hooks={"request": [record]}) as client:
        reranker = pipeline.reranker(http_async_client=client)
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))
        await reranker.aclose()

        assert not client.is_closed
    assert len(requests) == (pipeline.mode == "async")


@pytest.mark.parametrize("option", RerankOptions.model_fields)
async def test_every_option_has_an_effect(pipeline, tmp_path, option):
    """Every option changes what is sent, or what the call returns."""
    await CHECKS[option](pipeline, tmp_path)
