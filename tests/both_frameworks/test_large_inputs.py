"""Ten thousand documents, through every layer of both frameworks."""

import subprocess
import sys
import tracemalloc

import pytest

COUNT = 10_000
TEXTS = [f"{number} {'filler ' * 100}" for number in range(COUNT)]
SIZE = sum(map(len, TEXTS))
WANTED = [7, 2_500, 9_999]

# In a process of its own, whose memory is not counted.
SERVICE = """
import sys
from openrouter_rerank.local.stage import Stage

with Stage() as stage:
    print(stage.base_url, stage.api_key, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def service():
    """The address and the key of a service."""
    command = [sys.executable, "-c", SERVICE]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        base_url, api_key = process.stdout.readline().split()
        yield {"base_url": base_url, "api_key": api_key}
        process.stdin.close()


@pytest.fixture
def pipeline(adapter, service):
    """A reranker that has made a call, and what it shall rank."""
    with adapter.reranker_class(**service) as reranker:
        adapter.rerank(reranker, [adapter.item("one", "text")], "query")
        yield reranker, [adapter.item(str(number), text) for number, text in enumerate(TEXTS)]


QUERY = " ".join(map(str, WANTED))
RANKED = [*map(str, WANTED), *(str(number) for number in range(COUNT) if number not in WANTED)]


def test_all_are_ranked_in_memory_for_them_and_their_echo(adapter, pipeline):
    """The order is exact, nothing is lost, and what is taken is less than twice the documents."""
    tracemalloc.start()
    try:
        ranked = adapter.rerank(*pipeline, QUERY)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [name for name, _ in adapter.read(ranked)] == RANKED
    assert peak < 2 * SIZE


async def test_all_are_ranked_in_an_event_loop(adapter, pipeline):
    """The order is exact, and nothing is lost."""
    ranked = await adapter.arerank(*pipeline, QUERY)

    assert [name for name, _ in adapter.read(ranked)] == RANKED
