import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from openrouter_rerank import AsyncRerankClient, RerankClient, data_uri
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.local.http_server import app
from openrouter_rerank.local.lexical import LexicalScorer
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
    """Return the results of the service in this process."""
    with httpx.Client(transport=LocalTransport()) as client:
        response = client.post("https://openrouter.ai/api/v1/rerank", headers=KEY, json=REQUEST)
    return response.json()["results"]


def test_httpx_gets_the_ranking_over_a_socket(base_url, expected):
    """A POST with httpx gets the results of the service in this process."""
    response = httpx.post(f"{base_url}/rerank", headers=KEY, json=REQUEST)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["results"] == expected
    assert response.json()["provider"] == "local scorer (not OpenRouter)"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_gets_the_ranking_over_a_socket(base_url, expected):
    """The curl command of OpenRouter's documentation works with the local base URL."""
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


def test_the_rerank_client_gets_the_ranking_over_a_socket(base_url, expected):
    """`RerankClient` gets the same indices and scores."""
    with RerankClient(api_key="any", base_url=base_url) as client:
        ranking = client.rerank(REQUEST["query"], REQUEST["documents"])

    assert [(result.index, result.relevance_score) for result in ranking.results] == [
        (result["index"], result["relevance_score"]) for result in expected
    ]


async def test_the_async_rerank_client_gets_the_ranking_over_a_socket(base_url, expected):
    """`AsyncRerankClient` gets the same indices and scores."""
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
        ("GET", "/key", KEY, 200),
        ("GET", "/key", {}, 401),
        ("POST", "/key", KEY, 405),
    ],
)
def test_the_server_passes_requests_and_statuses_on(base_url, method, path, headers, status):
    """The service gets methods, paths, queries and headers as the client sent them."""
    response = httpx.request(method, base_url + path, headers=headers)

    assert response.status_code == status
    content = response.json()
    assert content["data"] if status == 200 else content["error"]["code"] == status


def test_concurrent_requests_get_their_own_responses(base_url):
    """Each of several concurrent requests gets the response to its own query."""

    def best(number):
        documents = [f"word{number % 7} here", f"word{number} there"]
        request = {**REQUEST, "query": f"word{number}", "documents": documents}
        response = httpx.post(f"{base_url}/rerank", headers=KEY, json=request, timeout=60)
        return response.json()["results"][0]["document"]["text"]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(best, range(10, 40)))

    assert found == [f"word{number} there" for number in range(10, 40)]


def test_a_client_whose_body_is_too_large_gets_413():
    """A body above the limit is not kept, and the client gets an error response."""
    service = LocalOpenRouter(scorers={"local/lexical": LexicalScorer()}, max_body_bytes=1_000)

    response = TestClient(app(service)).post("/api/v1/rerank", headers=KEY, content=b"x" * 100_000)

    assert response.status_code == 413
    assert response.json()["error"]["code"] == 413


def test_a_chunked_body_is_read_to_its_end(base_url, expected):
    """A request without `Content-Length` gets the same response as any other."""
    encoded = json.dumps(REQUEST).encode()
    chunks = (encoded[start : start + 50] for start in range(0, len(encoded), 50))

    response = httpx.post(f"{base_url}/rerank", headers=KEY, content=chunks)

    assert response.json()["results"] == expected


def serve(*arguments):
    """Run the command until it ends, and return its result."""
    command = [Path(sysconfig.get_path("scripts"), "openrouter-rerank"), "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_port_in_use_is_reported_without_a_traceback():
    """If another program listens on the port, the command fails and names the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = serve("--port", str(port))

    assert done.returncode == 1
    assert done.stderr == (
        f"cannot serve on 127.0.0.1 port {port}: Address already in use: choose another --port; 0 "
        "is any free port\n"
    )


def test_all_addresses_are_printed_as_one_that_clients_accept():
    """With `--host 0.0.0.0` the printed line has the loopback address, and a call works with it."""
    command = [Path(sysconfig.get_path("scripts"), "openrouter-rerank"), "serve"]
    with subprocess.Popen(
        [*command, "--host", "0.0.0.0", "--port", "0"],  # noqa: S104 - This is what is tested
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        _, *assignments = running.stdout.readline().split()
        program = (
            "from openrouter_rerank import RerankClient;"
            "print(RerankClient().rerank('q', ['d', 'q']).results[0].index)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | dict(each.split("=") for each in assignments),
            capture_output=True,
            text=True,
            check=False,
        )
        running.send_signal(signal.SIGINT)

    assert assignments[0].startswith("OPENROUTER_API_BASE=http://127.0.0.1:")
    assert done.stdout == "1\n", done.stderr


def test_the_address_can_be_printed_as_json():
    """With `--json`, the only line is an object with the base URL, a key and the scorer."""
    command = [Path(sysconfig.get_path("scripts"), "openrouter-rerank"), "serve", "--json"]
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True) as running:
        found = json.loads(running.stdout.readline())
        response = httpx.get(f"{found['base_url']}/models")
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()

    assert found["base_url"].startswith("http://127.0.0.1:")
    assert (found["api_key"], found["scorer"].partition("/")[0]) == ("local", "local")
    assert (response.status_code, rest, running.returncode) == (200, "", 0)


def test_each_answer_is_logged_with_debug():
    """With `--debug`, each answered request is a line on the standard error."""
    command = [Path(sysconfig.get_path("scripts"), "openrouter-rerank"), "serve", "--debug"]
    with subprocess.Popen(
        [*command, "--json", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        httpx.get(f"{json.loads(running.stdout.readline())['base_url']}/models")
        running.send_signal(signal.SIGINT)
        logged = running.stderr.read()

    assert logged == "DEBUG answered: method='GET' path='/api/v1/models' status=200\n"


@pytest.mark.skipif(
    find_spec("rapidocr_onnxruntime") is None, reason="rapidocr-onnxruntime needs Python < 3.13"
)
def test_ocr_that_cannot_be_imported_is_reported_at_the_start(tmp_path):
    """If OpenCV does not work, the command warns before the first image, and ranks captions."""
    program = (
        "import sys; sys.modules['cv2'] = None;"
        "from openrouter_rerank.cli import main; sys.exit(main(['serve', '--port', '0']))"
    )
    documents = [{"text": "a dog"}, {"text": "a cat", "image": data_uri(b"GIF89a")}]
    request = {"model": "local/lexical", "query": "cat", "documents": documents}
    errors = tmp_path / "errors"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as running,
    ):
        base_url = running.stdout.readline().split()[1].partition("=")[2]
        warning = errors.read_text()
        response = httpx.post(f"{base_url}/rerank", headers=KEY, json=request)
        running.send_signal(signal.SIGINT)

    assert warning.startswith("OCR cannot be imported, so images are ranked by their captions only")
    assert warning == errors.read_text()
    assert response.json()["results"][0]["index"] == 1
    assert response.json()["provider"].endswith("images by their caption only)")


def _has_ipv6_loopback():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6_loopback(), reason="this machine has no IPv6 loopback")
def test_an_ipv6_address_is_served_and_printed_as_a_url():
    """With `--host ::1` the command listens on that address, and prints a URL with brackets."""
    command = [Path(sysconfig.get_path("scripts"), "openrouter-rerank"), "serve"]
    with subprocess.Popen(
        [*command, "--host", "::1", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as running:
        base_url = running.stdout.readline().split()[1].partition("=")[2]
        response = httpx.get(f"{base_url}/models")
        running.send_signal(signal.SIGINT)

    assert base_url.startswith("http://[::1]:")
    assert response.status_code == 200
    assert running.returncode == 0
