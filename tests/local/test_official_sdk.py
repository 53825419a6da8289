"""
OpenRouter's official SDK with the local service.

The SDK is in separate environments, because langchain-openrouter pins an old major version of it.
`make sdks` creates them from the locks `requirements/sdk-0.txt` and `sdk-1.txt`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from openrouter_rerank import RerankClient

ROOT = Path(__file__).parents[2]
PYTHON = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
REQUEST = {
    "model": "cohere/rerank-v3.5",
    "query": "How do I get my money back?",
    "documents": [
        "The shop opens at nine.",
        {"text": "Refunds are paid within ten days."},
        "Geld zurück gibt es an der Kasse.",
        "東京は日本の首都です。",
    ],
    "top_n": 3,
}
PROGRAM = """
import asyncio, json, sys
from openrouter import OpenRouter

def summary(response):
    ranked = [[result.index, result.relevance_score] for result in response.results]
    return [response.model, response.provider, response.usage.total_tokens, ranked]

async def main(base_url, request):
    async with OpenRouter(api_key="any", server_url=base_url) as client:
        awaited = summary(await client.rerank.rerank_async(**request))
    with OpenRouter(api_key="any", server_url=base_url) as client:
        return [summary(client.rerank.rerank(**request)), awaited]

print(json.dumps(asyncio.run(main(sys.argv[1], json.load(sys.stdin)))))
"""


def sdk_python(major):
    """Return the Python of the environment with one major version of the SDK."""
    home = ROOT / f".venv-sdk-{major}"
    if not (home / "ready").exists():
        reason = f"there is no {home.name}: run `make sdks`"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    return home / PYTHON


@pytest.mark.parametrize("major", [0, 1])
def test_the_official_sdk_gets_the_same_ranking_as_the_rerank_client(base_url, major):
    """Both major versions of the SDK, sync and async, get the results of `RerankClient`."""
    done = subprocess.run(
        [sdk_python(major), "-c", PROGRAM, base_url],
        input=json.dumps(REQUEST),
        capture_output=True,
        text=True,
        check=False,
    )
    with RerankClient(api_key="any", base_url=base_url) as client:
        ranking = client.rerank(**REQUEST)

    assert done.returncode == 0, done.stderr
    expected = [
        ranking.served_model,
        "local scorer (not OpenRouter)",
        ranking.usage.total_tokens,
        [[result.index, result.relevance_score] for result in ranking.results],
    ]
    assert json.loads(done.stdout) == [expected, expected]
    assert ranking.results[0].index == 1
