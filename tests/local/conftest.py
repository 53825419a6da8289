"""
The local service as the tests of this folder talk to it: in process, and behind a real socket.
"""

import json
import signal
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.service import Answer, LocalOpenRouter

from tests.local.asking import KEY


@pytest.fixture(scope="session")
def service() -> LocalOpenRouter:
    """Give the service with the lexical scorer alone, which is quick."""
    return LocalOpenRouter(scorers={"local/lexical": LexicalScorer()}, clock=lambda: 1_795_363_200)


@pytest.fixture
def rerank(service) -> Callable[..., Answer]:
    """Give a function that sends a request, its fields named, and returns the answer."""

    def send(**fields: object) -> Answer:
        request = {
            "model": "local/lexical",
            "query": "capital of France",
            "documents": ["Berlin is in Germany.", "Paris is the capital of France."],
            **fields,
        }
        body = json.dumps(request).encode()
        return service.answer("POST", "/api/v1/rerank", KEY, body)

    return send


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """Run `openrouter-rerank serve` on a free port and give the base URL that it prints."""
    command = [Path(sysconfig.get_path("scripts"), "openrouter-rerank"), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        printed = running.stdout.readline()
        assert printed.startswith("base_url=http://127.0.0.1:"), printed
        yield printed.strip().removeprefix("base_url=")
        running.send_signal(signal.SIGINT)
        said = running.stdout.read()
    assert running.returncode == 0
    assert "not OpenRouter" in said


@pytest.fixture
def client(stage):
    """A client of the stage that gives up after five silent seconds."""
    with httpx.Client(base_url=stage.base_url, headers=KEY, timeout=5) as client:
        yield client
