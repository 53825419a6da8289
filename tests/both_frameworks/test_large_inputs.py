"""Calls with 10,000 documents, in both framework packages."""

import subprocess
import sys
import tracemalloc

import pytest

COUNT = 10_000
TEXTS = [f"{number} {'filler ' * 100}" for number in range(COUNT)]
SIZE = sum(map(len, TEXTS))
RELEVANT = [7, 2_500, 9_999]
QUERY = " ".join(map(str, RELEVANT))
EXPECTED_NAMES = [
    *map(str, RELEVANT),
    *(str(number) for number in range(COUNT) if number not in RELEVANT),
]

# Runs in another process, so that its memory is not measured.
SERVICE = """
import sys
from openrouter_rerank.local.stage import Stage

with Stage() as stage:
    print(stage.base_url, stage.api_key, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def service():
    """The URL and the key of a local service."""
    command = [sys.executable, "-c", SERVICE]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        base_url, api_key = process.stdout.readline().split()
        yield {"base_url": base_url, "api_key": api_key}
        process.stdin.close()


@pytest.fixture
def reranker_and_items(framework, service):
    """A reranker that has already made a call, and 10,000 items."""
    with framework.reranker_class(**service) as reranker:
        framework.rerank(reranker, [framework.item("one", "text")], "query")
        yield reranker, [framework.item(str(number), text) for number, text in enumerate(TEXTS)]


def test_a_sync_call_ranks_all_items_in_limited_memory(framework, reranker_and_items):
    """The order is exact, and the call needs less memory than twice the size of the texts."""
    tracemalloc.start()
    try:
        result = framework.rerank(*reranker_and_items, QUERY)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [name for name, _ in framework.names_and_scores(result)] == EXPECTED_NAMES
    assert peak < 2 * SIZE


async def test_an_async_call_ranks_all_items(framework, reranker_and_items):
    """The order is exact, and no item is missing."""
    result = await framework.arerank(*reranker_and_items, QUERY)

    assert [name for name, _ in framework.names_and_scores(result)] == EXPECTED_NAMES
