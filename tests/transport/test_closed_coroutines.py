"""Calls whose coroutine is closed while it waits, as when Python collects a pending coroutine."""

import asyncio
import warnings

import pytest
from openrouter_rerank import AsyncRerankClient, ConfigurationError
from openrouter_rerank.local.stage import Fault

from tests.suspended_coroutine import run_until


@pytest.mark.parametrize(
    ("documents", "requests"),
    [pytest.param(2, 1, id="one request"), pytest.param(6, 3, id="several requests")],
)
async def test_a_closed_call_closes_its_connection(local_openrouter, documents, requests):
    """Closing the coroutine of a call closes its connections and emits no warning."""
    local_openrouter.always(Fault.hang())
    settings = {"base_url": local_openrouter.base_url, "api_key": "any", "max_retries": 0}
    async with AsyncRerankClient(**settings) as client:
        call = client.rerank(
            "q", [f"{index}" for index in range(documents)], max_documents_per_request=2
        )
        await run_until(call, lambda: local_openrouter.in_flight == requests)

        with warnings.catch_warnings(record=True) as caught:
            call.close()
        await asyncio.to_thread(
            local_openrouter.wait_until, lambda: local_openrouter.open_connections == 0
        )

    assert caught == []
    assert len(local_openrouter.requests) == requests


async def test_a_closed_coroutine_leaves_the_block_of_its_client(local_openrouter):
    """Closing a coroutine in the `async with` block of a client closes the client."""
    settings = {"base_url": local_openrouter.base_url, "api_key": "any", "max_retries": 0}
    client = AsyncRerankClient(**settings)

    async def call():
        async with client:
            await client.rerank("q", ["a"])
            local_openrouter.always(Fault.hang())
            await client.rerank("q", ["a"])

    coroutine = call()
    await run_until(coroutine, lambda: local_openrouter.in_flight and local_openrouter.requests[1:])
    coroutine.close()

    with pytest.raises(ConfigurationError, match="this client is closed"):
        await client.rerank("q", ["a"])


def test_a_coroutine_is_closed_without_an_event_loop():
    """Closing it works where no event loop runs, as when both are collected together."""

    async def use():
        async with AsyncRerankClient(api_key="none"):
            await asyncio.sleep(0)

    coroutine = use()
    coroutine.send(None)

    coroutine.close()
