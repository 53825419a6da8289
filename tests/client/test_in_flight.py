"""Many requests in flight: the connections, threads and memory that they need."""

import asyncio
import subprocess
import sys
import tracemalloc

from openrouter_rerank import AsyncRerankClient
from openrouter_rerank._attempt import Request, Response
from openrouter_rerank._wire.response import decode
from pydantic_core import to_json


async def test_connections_are_reused(local_openrouter):
    """Five hundred requests, at most 128 in flight at a time, open at most 128 connections."""
    settings = {"base_url": local_openrouter.base_url, "api_key": "any", "max_concurrency": 128}
    async with AsyncRerankClient(**settings) as client:
        calls = [client.rerank("the question", ["a", "b"]) for _ in range(500)]
        rankings = await asyncio.gather(*calls)

    assert {len(ranking.results) for ranking in rankings} == {2}
    assert local_openrouter.connections <= 128


WITHOUT_EXECUTOR = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from openrouter_rerank import AsyncRerankClient

async def main():
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    asyncio.get_running_loop().set_default_executor(closed)
    async with AsyncRerankClient(base_url=sys.argv[1], api_key="any", max_concurrency=32) as client:
        return await asyncio.gather(*(client.rerank("q", ["a", "b"]) for _ in range(32)))

print({len(ranking.results) for ranking in asyncio.run(main())})
"""


async def test_no_thread_waits_for_a_response(local_openrouter):
    """No request uses a thread of the event loop's executor, including the first request."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WITHOUT_EXECUTOR, local_openrouter.base_url, stdout=subprocess.PIPE
    )
    printed, _ = await process.communicate()

    assert printed.split() == [b"{2}"]
    assert len(local_openrouter.requests) == 32


def test_echoed_documents_are_not_decoded():
    """Decoding a response that echoes a megabyte of documents needs less than 100 kB of memory."""
    rows = [
        {"index": index, "relevance_score": 0.5, "document": {"text": "x" * 10_000}}
        for index in range(100)
    ]
    response = Response(status=200, headers={}, body=to_json({"results": rows}))
    request = Request(body=b"", model="m", documents=100, results=100)
    decode(response, request)

    tracemalloc.start()
    ranking = decode(response, request)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(ranking.results) == 100
    assert peak < 100_000
