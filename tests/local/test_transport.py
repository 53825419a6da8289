import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from openrouter_rerank import AsyncRerankClient, RerankClient
from openrouter_rerank.local.service import LocalOpenRouter
from openrouter_rerank.local.transport import LocalTransport

URL = "https://openrouter.ai/api/v1/rerank"
KEY = {"Authorization": "Bearer any"}
REQUEST = {
    "model": "cohere/rerank-v3.5",
    "query": "capital of France",
    "documents": ["Berlin is in Germany.", "Paris is the capital of France."],
}


class Waits:
    """A scorer that tells when it has begun and goes on when it is let."""

    name = "test/waits"

    def __init__(self):
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def scores(self, query, texts):
        """Wait to be let go, half a minute at most."""
        self.begun.set()
        assert self.go_on.wait(30)
        return [0.5] * len(texts)


@pytest.fixture
def waits():
    """A waiting scorer that is let go at the end, whatever happened."""
    scorer = Waits()
    yield scorer
    scorer.go_on.set()


def test_a_sync_client_is_answered_in_process(service):
    """An ordinary httpx client gets a ranking without any socket."""
    with httpx.Client(transport=LocalTransport(service)) as client:
        response = client.post(URL, headers=KEY, json=REQUEST)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["results"][0]["index"] == 1


@pytest.fixture
def expected(service):
    """What a sync client gets."""
    with httpx.Client(transport=LocalTransport(service)) as client:
        return client.post(URL, headers=KEY, json=REQUEST).json()["results"]


async def test_an_async_client_is_answered_in_process(service, expected):
    """An ordinary async httpx client gets the same ranking."""
    async with httpx.AsyncClient(transport=LocalTransport(service)) as client:
        response = await client.post(URL, headers=KEY, json=REQUEST)

    assert response.json()["results"] == expected


def test_without_arguments_the_installed_scorers_answer():
    """`LocalTransport()` needs no set-up."""
    with httpx.Client(transport=LocalTransport()) as client:
        response = client.post(URL, headers=KEY, json=REQUEST)

    assert response.json()["provider"] == "local scorer (not OpenRouter)"


def test_query_strings_reach_the_service(service):
    """The listing is there, too."""
    with httpx.Client(transport=LocalTransport(service)) as client:
        listed = client.get(
            "https://openrouter.ai/api/v1/models", params={"output_modalities": "rerank"}
        )

    assert "local/lexical" in [model["id"] for model in listed.json()["data"]]


async def test_the_event_loop_goes_on_while_a_request_is_scored(waits):
    """Scoring happens in a thread: here only the loop can let it go on."""
    transport = LocalTransport(LocalOpenRouter(scorers={"test/waits": waits}))
    async with httpx.AsyncClient(transport=transport) as client:
        call = asyncio.create_task(client.post(URL, headers=KEY, json=REQUEST))
        await asyncio.to_thread(waits.begun.wait, 30)
        waits.go_on.set()
        response = await call

    assert response.json()["model"] == "test/waits"


async def test_a_cancelled_call_does_not_wait_for_the_scorer(waits):
    """Cancellation comes through at once, while the scorer is still at work."""
    transport = LocalTransport(LocalOpenRouter(scorers={"test/waits": waits}))
    async with httpx.AsyncClient(transport=transport) as client:
        call = asyncio.create_task(client.post(URL, headers=KEY, json=REQUEST))
        await asyncio.to_thread(waits.begun.wait, 30)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert not waits.go_on.is_set()


def test_one_transport_serves_many_threads(service):
    """Threads that share a transport each get the answer to their own request."""
    transport = LocalTransport(service)

    def best(number):
        documents = [f"word{number % 7} here", f"word{number} there"]
        with httpx.Client(transport=transport) as client:
            response = client.post(
                URL, headers=KEY, json={**REQUEST, "query": f"word{number}", "documents": documents}
            )
        return response.json()["results"][0]["document"]["text"]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(best, range(10, 60)))

    assert found == [f"word{number} there" for number in range(10, 60)]


def test_our_client_ranks_through_the_transport(service):
    """The sync client takes an httpx client with this transport, and reports the local scorer."""
    with (
        httpx.Client(transport=LocalTransport(service)) as http,
        RerankClient(api_key="any", http_client=http) as client,
    ):
        ranking = client.rerank(REQUEST["query"], REQUEST["documents"], model="cohere/rerank-v3.5")

    assert [result.index for result in ranking.results] == [1, 0]
    assert ranking.served_model == "local/bm25-lexical"
    assert ranking.provider == "local scorer (not OpenRouter)"


async def test_our_async_client_ranks_through_the_transport(service):
    """The async client takes an async httpx client with this transport."""
    async with (
        httpx.AsyncClient(transport=LocalTransport(service)) as http,
        AsyncRerankClient(api_key="any", http_client=http) as client,
    ):
        ranking = await client.rerank(REQUEST["query"], REQUEST["documents"])

    assert [result.index for result in ranking.results] == [1, 0]
