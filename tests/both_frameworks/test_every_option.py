"""Every option changes what is sent or what comes back, in both frameworks, in sync and async."""

import asyncio

import httpx
import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import WindowRateLimiter
from openrouter_rerank.errors import (
    BudgetExceededError,
    DeadlineExceededError,
    InternalServerError,
    InvalidRequestError,
)
from openrouter_rerank.local.stage import Fault, Stage, error
from openrouter_rerank.reranker import RerankOptions

from tests.gates import answered_in_turns

TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")
VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)

EFFECTS = {}


def effect(check):
    """Note `check` as the proof that the option of its name has an effect."""
    EFFECTS[check.__name__] = check
    return check


async def sent(pipeline, **options):
    """Rerank, and return the request that the service got."""
    await pipeline.rerank(pipeline.reranker(**options), pipeline.items(*TEXTS))
    return pipeline.stage.requests[-1]


def in_the_body(option, value):
    """Note that an option is sent in the body under its own name."""

    async def check(pipeline, folder):
        assert (await sent(pipeline)).json.get(option) != value
        assert (await sent(pipeline, **{option: value})).json[option] == value

    EFFECTS[option] = check


def in_a_header(option, value, header, text):
    """Note that an option is sent as a header."""

    async def check(pipeline, folder):
        assert (await sent(pipeline)).headers.get(header) != text
        assert (await sent(pipeline, **{option: value})).headers[header] == text

    EFFECTS[option] = check


in_the_body("model", "cohere/rerank-4-fast")
in_the_body("provider", {"order": ["cohere"], "allow_fallbacks": False})
in_the_body("trace", {"trace_id": "t-1"})
in_the_body("user", "user-1")
in_a_header("api_key", "sk-or-v1-mine", "authorization", "Bearer sk-or-v1-mine")
in_a_header("app_categories", ["rag", "search"], "x-openrouter-categories", "rag,search")
in_a_header("app_title", "My app", "x-openrouter-title", "My app")
in_a_header("app_url", "https://app.example", "http-referer", "https://app.example")
in_a_header("default_headers", {"X-Mine": "yes"}, "x-mine", "yes")
in_a_header("session_id", "session-1", "x-session-id", "session-1")


@effect
async def extra_body(pipeline, folder):
    """Further fields go out beside the others."""
    assert (await sent(pipeline, extra_body={"new_field": [1]})).json["new_field"] == [1]


@effect
async def base_url(pipeline, folder):
    """Another address is called instead."""
    with Stage() as other:
        await pipeline.rerank(pipeline.reranker(base_url=other.base_url), pipeline.items(*TEXTS))
        assert len(other.requests) == 1
    assert pipeline.stage.requests == []


@effect
async def top_n(pipeline, folder):
    """So many come back, and the service is told."""
    assert await pipeline.names(pipeline.reranker(top_n=1), pipeline.items(*TEXTS)) == ["1"]
    assert pipeline.stage.requests[-1].top_n == 1


@effect
async def score_threshold(pipeline, folder):
    """What scores less is left out, and what scores the same is kept."""
    items = pipeline.items(*TEXTS, "capital of France")

    assert await pipeline.names(pipeline.reranker(score_threshold=1), items) == ["1", "3"]


@effect
async def fallback_models(pipeline, folder):
    """The next model is asked when one cannot answer."""
    pipeline.stage.script(error(404, "No endpoints found"))

    await sent(pipeline, model="a/first", fallback_models=["a/second"])

    assert [request.model for request in pipeline.stage.requests] == ["a/first", "a/second"]


@effect
async def timeout(pipeline, folder):
    """A service that does not answer is given up after so many seconds."""
    pipeline.stage.always(Fault.hang())

    with pytest.raises(DeadlineExceededError):
        await sent(pipeline, timeout=0.2)


@effect
async def max_retries(pipeline, folder):
    """A failing call is attempted once more than this."""
    pipeline.stage.always(error(500, "down", retry_after=0))

    for retries in (0, 1):
        before = len(pipeline.stage.requests)
        with pytest.raises(InternalServerError):
            await sent(pipeline, max_retries=retries)
        assert len(pipeline.stage.requests) - before == 1 + retries


@effect
async def max_concurrency(pipeline, folder):
    """So many requests of one reranker are in flight at a time."""
    items = pipeline.items(*TEXTS)

    for most, turns in ((1, [1, 1]), (2, [2])):
        reranker = pipeline.reranker(max_concurrency=most)
        if pipeline.mode == "sync":
            calls = [
                asyncio.to_thread(pipeline.adapter.rerank, reranker, items, "q") for _ in range(2)
            ]
        else:
            calls = [pipeline.adapter.arerank(reranker, items, "q") for _ in range(2)]
        with answered_in_turns(pipeline.stage, *turns):
            await asyncio.gather(*calls)
        assert pipeline.stage.in_flight_peak == most


@effect
async def max_documents_per_request(pipeline, folder):
    """More documents go out in several requests, and come back in one order."""
    items = pipeline.items(*TEXTS)
    whole = await pipeline.rerank(pipeline.reranker(), items)

    for most, requests in ((3, 1), (2, 2), (1, 3)):
        before = len(pipeline.stage.requests)
        reranker = pipeline.reranker(max_documents_per_request=most)
        assert await pipeline.rerank(reranker, items) == whole
        assert len(pipeline.stage.requests) - before == requests


@effect
async def on_error(pipeline, folder):
    """A failure that may pass is raised, or leaves everything in its order."""
    pipeline.stage.always(error(500, "down"))
    items = pipeline.items(*TEXTS)

    with pytest.raises(InternalServerError):
        await pipeline.rerank(pipeline.reranker(max_retries=0), items)
    patient = pipeline.reranker(max_retries=0, on_error="passthrough")
    assert await pipeline.names(patient, items) == ["0", "1", "2"]


@effect
async def unscorable(pipeline, folder):
    """What has nothing to rank is kept behind the rest, dropped, or an error."""
    items = pipeline.items("", "capital")

    assert await pipeline.names(pipeline.reranker(unscorable="keep"), items) == ["1", "0"]
    assert await pipeline.names(pipeline.reranker(unscorable="drop"), items) == ["1"]
    with pytest.raises(InvalidRequestError, match="document 0"):
        await pipeline.rerank(pipeline.reranker(unscorable="raise"), items)


async def images_sent(pipeline, folder, **options):
    """Rerank a picture from a file beside a text, and count the images that go out."""
    (folder / "picture.png").write_bytes(PNG)
    items = [pipeline.item("0", "A text"), pipeline.item("1", image_path="picture.png")]
    defaults = {"model": VISION_MODEL, "image_root": folder}
    await pipeline.rerank(pipeline.reranker(**(defaults | options)), items)
    documents = pipeline.stage.requests[-1].documents
    return sum(isinstance(document, dict) and "image" in document for document in documents)


@effect
async def image_mode(pipeline, folder):
    """Images go to models that take them, to all, or to none."""
    unknown = {"model": "new/vision-model"}

    assert await images_sent(pipeline, folder, image_mode="auto") == 1
    assert await images_sent(pipeline, folder, image_mode="auto", **unknown) == 0
    assert await images_sent(pipeline, folder, image_mode="always", **unknown) == 1
    assert await images_sent(pipeline, folder, image_mode="never") == 0


@effect
async def image_root(pipeline, folder):
    """No file is read but from the folder that was opened for it."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()

    assert await images_sent(pipeline, folder) == 1
    assert await images_sent(pipeline, folder, image_root=None) == 0
    assert await images_sent(pipeline, folder, image_root=elsewhere) == 0


@effect
async def max_image_bytes(pipeline, folder):
    """A larger image stays where it is."""
    assert await images_sent(pipeline, folder, max_image_bytes=len(PNG)) == 1
    assert await images_sent(pipeline, folder, max_image_bytes=len(PNG) - 1) == 0


@effect
async def budget(pipeline, folder):
    """Once so much is spent, no call is made."""
    reranker = pipeline.reranker(budget=0.001)
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    with pytest.raises(BudgetExceededError):
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))
    assert len(pipeline.stage.requests) == 1


@effect
async def score_store(pipeline, folder):
    """What a store has the score of is not sent again."""
    reranker = pipeline.reranker(score_store=InMemoryByteStore())
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))
    await pipeline.rerank(reranker, pipeline.items(*TEXTS, "New"))

    assert [request.documents for request in pipeline.stage.requests] == [[*TEXTS], ["New"]]


@effect
async def score_ttl(pipeline, folder):
    """A score that is older is asked for again."""
    options = {"score_store": InMemoryByteStore()}

    for ttl in (None, 3600, 1e-9):
        await pipeline.rerank(pipeline.reranker(score_ttl=ttl, **options), pipeline.items(*TEXTS))
    assert len(pipeline.stage.requests) == 2


@effect
async def rate_limiter(pipeline, folder):
    """Nothing is sent without permission, and the wait for it ends by the deadline."""
    limiter = WindowRateLimiter(1)
    await sent(pipeline, rate_limiter=limiter)

    with pytest.raises(DeadlineExceededError, match="rate limiter"):
        await sent(pipeline, rate_limiter=limiter, timeout=0.2)
    assert len(pipeline.stage.requests) == 1


@effect
async def on_response(pipeline, folder):
    """Each ranking is reported, with its cost."""
    rankings = []

    await sent(pipeline, on_response=rankings.append)

    assert [ranking.usage.cost for ranking in rankings] == [0.001]


@effect
async def http_client(pipeline, folder):
    """Synchronous calls go through the client that was given, which stays open."""
    seen = []
    with httpx.Client(event_hooks={"request": [seen.append]}) as client:
        reranker = pipeline.reranker(http_client=client)
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))
        reranker.close()

        assert not client.is_closed
    assert len(seen) == (pipeline.mode == "sync")


@effect
async def http_async_client(pipeline, folder):
    """Asynchronous calls go through the client that was given, which stays open."""
    seen = []

    async def note(request):
        seen.append(request)

    async with httpx.AsyncClient(event_hooks={"request": [note]}) as client:
        reranker = pipeline.reranker(http_async_client=client)
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))
        await reranker.aclose()

        assert not client.is_closed
    assert len(seen) == (pipeline.mode == "async")


@pytest.mark.parametrize("option", RerankOptions.model_fields)
async def test_the_option_has_an_effect(pipeline, tmp_path, option):
    """An option that changes nothing would be a promise that is not kept."""
    await EFFECTS[option](pipeline, tmp_path)
