"""
Fixtures for the local service, in this process and behind a real socket, and for the stage.
"""

import json
import signal
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from openrouter_rerank.local.endpoint import LocalOpenRouter, LocalResponse
from openrouter_rerank.local.lexical import LexicalScorer

from tests.rerank_requests import KEY


@pytest.fixture(scope="session")
def service() -> LocalOpenRouter:
    """Return a service with the lexical scorer only, which is fast."""
    return LocalOpenRouter(scorers={"local/lexical": LexicalScorer()}, clock=lambda: 1_795_363_200)


@pytest.fixture
def rerank(service) -> Callable[..., LocalResponse]:
    """Return a function that sends a request with the given fields, and returns the response."""

    def send(**fields: object) -> LocalResponse:
        request = {
            "model": "local/lexical",
            "query": "capital of France",
            "documents": ["Berlin is in Germany.", "Paris is the capital of France."],
            **fields,
        }
        body = json.dumps(request).encode()
        return service.handle("POST", "/api/v1/rerank", KEY, body)

    return send


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """Run `openrouter-rerank serve` on a free port, and yield the base URL that it prints."""
    command = [Path(sysconfig.get_path("scripts"), "openrouter-rerank"), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        printed = running.stdout.readline()
        assert printed.startswith("export OPENROUTER_API_BASE=http://127.0.0.1:"), printed
        yield printed.split()[1].partition("=")[2]
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
    assert running.returncode == 0
    assert "not OpenRouter" in rest


@pytest.fixture
def client(stage):
    """Yield an httpx client of the stage; its timeout is five seconds."""
    with httpx.Client(base_url=stage.base_url, headers=KEY, timeout=5) as client:
        yield client
