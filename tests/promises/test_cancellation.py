"""Promise: cancellation leaves no task, no connection and no request slot behind."""

import asyncio
import random
import socket

import httpx
import pytest
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank.local.stage import Fault, Reply, error

from tests.clients import CLIENT_KIND_IDS, CLIENT_KINDS, TLS
from tests.held_replies import released_in_batches
from tests.repetitions import repetitions

RESPONSE = {"results": [{"index": 0, "relevance_score": 1}]}


LIBRARIES = [library for mode, library in CLIENT_KINDS if mode == "async"]


@pytest.fixture(params=LIBRARIES, ids=CLIENT_KIND_IDS[3:])
def library(request):
    """The library whose client is injected, or `None` for the client's own connections."""
    return request.param


@pytest.fixture
async def client(library, local_openrouter):
    """An async client with four request slots, over each kind of connection."""
    options = {
        "base_url": local_openrouter.base_url,
        "api_key": local_openrouter.api_key,
        "max_concurrency": 4,
        "timeout": 20,
    }
    if library is None:
        async with AsyncRerankClient(**options) as client:
            yield client
        return
    # Without a limit for connections, because at a limit httpx's pool never recovers from
    # cancelled calls.
    limits = library.Limits(max_connections=None, max_keepalive_connections=4)
    async with (
        library.AsyncClient(verify=TLS, limits=limits) as http,
        AsyncRerankClient(http_client=http, **options) as client,
    ):
        yield client


async def other_tasks():
    """Return all tasks of the event loop except the current one."""
    return asyncio.all_tasks() - {asyncio.current_task()}


async def let_other_tasks_run():
    """Run the other tasks until they wait for something."""
    for _ in range(20):
        await asyncio.sleep(0)


async def all_succeed(client, calls=8):
    """Make concurrent calls; return `True` if all of them return a ranking."""
    async with asyncio.timeout(30):
        rankings = await asyncio.gather(*(client.rerank("q", ["a"]) for _ in range(calls)))
    return [len(ranking.results) for ranking in rankings] == [1] * calls


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Fault.hang(), id="waiting for the head"),
        pytest.param(Fault.drip_body(1), id="reading the body"),
        pytest.param(error(429, "slow", retry_after=30), id="waiting to retry"),
    ],
)
async def test_a_cancelled_call_leaves_no_slot_and_no_task(client, local_openrouter, reply):
    """A call that is cancelled at any step frees its slot and ends its tasks."""
    before = await other_tasks()
    local_openrouter.script(reply, reply)
    calls = [asyncio.create_task(client.rerank("q", ["a"], timeout=60)) for _ in range(2)]
    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: len(local_openrouter.requests) == 2
    )
    # When a later call has its response, the first two have read what the service sent them.
    assert await all_succeed(client, calls=1)
    await let_other_tasks_run()

    for call in calls:
        call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
    assert await other_tasks() == before
    local_openrouter.reset()
    assert await all_succeed(client)
    assert await other_tasks() == before


async def test_a_call_that_waits_for_a_slot_can_be_cancelled(client, local_openrouter):
    """A call that is cancelled while it waits for a slot leaves the queue."""
    local_openrouter.script(*[Fault.hang()] * 4)
    calls = [asyncio.create_task(client.rerank("q", ["a"])) for _ in range(6)]
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 4)

    for call in calls[4:]:
        call.cancel()
    await asyncio.wait(calls[4:])
    local_openrouter.release()

    assert [len(ranking.results) for ranking in await asyncio.gather(*calls[:4])] == [1] * 4
    assert await all_succeed(client)


async def test_a_timeout_of_the_caller_is_a_timeout_error(client, local_openrouter):
    """An `asyncio.timeout` around a call raises `TimeoutError`, not an error of the client."""
    local_openrouter.script(Fault.hang())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.rerank("q", ["a"])

    assert await all_succeed(client)


def is_closed_by_client(connection):
    """Return `True` when the client has closed the connection; raise if that takes too long."""
    while connection.recv(65_536):
        pass
    return True


async def test_cancelling_a_handshake_closes_its_connection(library):
    """If a call is cancelled during its TLS handshake, its socket is closed immediately."""
    http = library and library.AsyncClient(verify=TLS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        base_url = f"https://127.0.0.1:{server.getsockname()[1]}/v1"
        client = AsyncRerankClient(base_url=base_url, api_key="k", http_client=http)
        call = asyncio.create_task(client.rerank("q", ["a"]))
        connection, _ = await asyncio.to_thread(server.accept)
        with connection:
            connection.settimeout(5)
            await asyncio.to_thread(connection.recv, 1)

            call.cancel()
            await asyncio.wait({call})

            assert await asyncio.to_thread(is_closed_by_client, connection)
        await client.aclose()
        if http is not None:
            await http.aclose()


async def test_a_cancelled_close_closes_all_connections(local_openrouter):
    """If `aclose` is cancelled, it still closes every idle connection."""
    client = AsyncRerankClient(
        base_url=local_openrouter.base_url, api_key=local_openrouter.api_key, max_concurrency=4
    )
    with released_in_batches(local_openrouter, 4):
        assert await all_succeed(client, calls=4)
    assert local_openrouter.open_connections == 4

    closing = asyncio.create_task(client.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait({closing})

    assert closing.cancelled()
    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: local_openrouter.open_connections == 0
    )


CANCELLED = repetitions(local=200, ci=1_000, full=5_000)
CONCURRENT = 20


async def cancelled_at_random(client, random_numbers, longest_delay):
    """Cancel concurrent calls after random delays; return how many were cancelled in time."""
    loop = asyncio.get_running_loop()
    calls = [asyncio.create_task(client.rerank("q", ["a"])) for _ in range(CONCURRENT)]
    for call in calls:
        loop.call_later(random_numbers.random() * longest_delay, call.cancel)
    await asyncio.wait(calls)
    return sum(call.cancelled() for call in calls)


async def test_many_cancellations_at_random_moments(
    client, library, local_openrouter, record_measurement
):
    """After many calls are cancelled at random moments, every later call succeeds."""
    random_numbers = random.Random(7)
    local_openrouter.always(Reply(body=RESPONSE, delay=0.001))
    before = await other_tasks()
    cancelled, longest_delay = 0, 0.01

    while cancelled < CANCELLED:
        in_time = await cancelled_at_random(client, random_numbers, longest_delay)
        cancelled += in_time
        # A quarter of the calls should end first, so that cancellations reach every step of a call.
        longest_delay *= 1.1 if in_time > 0.75 * CONCURRENT else 0.9

    record_measurement("calls cancelled", cancelled)
    # The server may still be handling cancelled requests.
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 0)
    assert await other_tasks() == before
    assert await all_succeed(client, calls=16)
    # httpx leaves connections of cancelled calls open until it is closed (its issue 1093). The
    # first httpx2 did so too.
    if library is None or (library is not httpx and library.__version__ != "2.0.0"):
        assert local_openrouter.open_connections <= 4
    local_openrouter.reset()
    assert await all_succeed(client, calls=16)
    assert local_openrouter.in_flight_peak <= 4
