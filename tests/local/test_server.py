import json
import shutil
import signal
import socket
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from openrouter_rerank import AsyncRerankClient, RerankClient
from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.server import app
from openrouter_rerank.local.service import LocalOpenRouter
from openrouter_rerank.local.transport import LocalTransport
from starlette.testclient import TestClient

KEY = {"Authorization": "Bearer any"}
REQUEST = {
    "model": "cohere/rerank-v3.5",
    "query": "Welche Stadt ist die Hauptstadt von Österreich?",
    "documents": [
        "Graz ist eine Stadt.",
        {"text": "Wien ist die Hauptstadt von Österreich."},
        "東京は日本の首都です。",
    ],
}


@pytest.fixture(scope="module")
def expected():
    """What the service answers in process."""
    with httpx.Client(transport=LocalTransport()) as client:
        response = client.post("https://openrouter.ai/api/v1/rerank", headers=KEY, json=REQUEST)
    return response.json()["results"]


def test_httpx_gets_the_ranking_over_a_socket(base_url, expected):
    """A plain POST gets what the service answers in process."""
    response = httpx.post(f"{base_url}/rerank", headers=KEY, json=REQUEST)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["results"] == expected
    assert response.json()["provider"] == "local scorer (not OpenRouter)"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_curl_gets_the_ranking_over_a_socket(base_url, expected):
    """The command line of OpenRouter's own documentation works, with the base URL changed."""
    done = subprocess.run(
        [
            *(shutil.which("curl"), "--silent", "--fail-with-body", f"{base_url}/rerank"),
            *("--header", "Content-Type: application/json"),
            *("--header", "Authorization: Bearer any"),
            *("--data-binary", "@-"),
        ],
        input=json.dumps(REQUEST).encode(),
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout)["results"] == expected


def test_our_client_gets_the_ranking_over_a_socket(base_url, expected):
    """The client of this project gets the same indices and scores."""
    with RerankClient(api_key="any", base_url=base_url) as client:
        ranking = client.rerank(REQUEST["query"], REQUEST["documents"])

    assert [(result.index, result.relevance_score) for result in ranking.results] == [
        (result["index"], result["relevance_score"]) for result in expected
    ]


async def test_our_async_client_gets_the_ranking_over_a_socket(base_url, expected):
    """The async client of this project gets the same indices and scores."""
    async with AsyncRerankClient(api_key="any", base_url=base_url) as client:
        ranking = await client.rerank(REQUEST["query"], REQUEST["documents"])

    assert [(result.index, result.relevance_score) for result in ranking.results] == [
        (result["index"], result["relevance_score"]) for result in expected
    ]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/rerank", {}, 401),
        ("POST", "/rerank", KEY, 400),
        ("GET", "/rerank", KEY, 405),
        ("BREW", "/rerank", KEY, 405),
        ("POST", "/re%72ank", {}, 401),
        ("POST", "/chat/completions", KEY, 404),
        ("GET", "/models?output_modalities=rerank", {}, 200),
    ],
)
def test_statuses_come_through_the_server(base_url, method, path, headers, status):
    """Methods, paths, queries and headers reach the service as they stand on the wire."""
    response = httpx.request(method, base_url + path, headers=headers)

    assert response.status_code == status
    content = response.json()
    assert content["data"] if status == 200 else content["error"]["code"] == status


def test_many_requests_at_once_are_each_answered(base_url):
    """Requests that come together get their own answers."""

    def best(number):
        documents = [f"word{number % 7} here", f"word{number} there"]
        request = {**REQUEST, "query": f"word{number}", "documents": documents}
        response = httpx.post(f"{base_url}/rerank", headers=KEY, json=request, timeout=60)
        return response.json()["results"][0]["document"]["text"]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(best, range(10, 40)))

    assert found == [f"word{number} there" for number in range(10, 40)]


def test_a_body_that_is_too_large_is_413_and_the_client_hears_it():
    """A body above the limit is not kept, and still gets an answer in OpenRouter's envelope."""
    service = LocalOpenRouter(scorers={"local/lexical": LexicalScorer()}, max_body_bytes=1_000)

    response = TestClient(app(service)).post("/api/v1/rerank", headers=KEY, content=b"x" * 100_000)

    assert response.status_code == 413
    assert response.json()["error"]["code"] == 413


def test_a_body_in_chunks_is_read_to_its_end(base_url, expected):
    """A request without a content length is answered like any other."""
    encoded = json.dumps(REQUEST).encode()
    chunks = (encoded[start : start + 50] for start in range(0, len(encoded), 50))

    response = httpx.post(f"{base_url}/rerank", headers=KEY, content=chunks)

    assert response.json()["results"] == expected


def serve(*arguments):
    """Run the command to its end."""
    command = [Path(sysconfig.get_path("scripts"), "openrouter-rerank"), "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_port_that_is_taken_is_said_in_one_line():
    """Where another program listens, the command fails and names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve("--port", str(port))

    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot serve on 127.0.0.1 port {port}: ")
    assert "Traceback" not in done.stderr


def test_a_port_that_cannot_be_is_said_in_one_line():
    """A number that is no port fails like a port that is taken."""
    done = serve("--port", "65536")

    assert done.returncode == 1
    assert done.stderr.startswith("cannot serve on 127.0.0.1 port 65536: ")


def _has_ipv6_loopback():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6_loopback(), reason="this machine has no IPv6 loopback")
def test_an_ipv6_address_is_served_and_shown_as_a_url():
    """`--host ::1` listens there and prints a base URL with brackets."""
    command = [Path(sysconfig.get_path("scripts"), "openrouter-rerank"), "serve"]
    with subprocess.Popen(
        [*command, "--host", "::1", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as running:
        base_url = running.stdout.readline().strip().removeprefix("base_url=")
        response = httpx.get(f"{base_url}/models")
        running.send_signal(signal.SIGINT)

    assert base_url.startswith("http://[::1]:")
    assert response.status_code == 200
    assert running.returncode == 0
