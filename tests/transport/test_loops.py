"""Event loops: what a loop keeps, what ends with it, and calls without a loop of asyncio."""

import asyncio
import gc
import subprocess
import sys
import weakref

import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import AsyncRerankClient, ConfigurationError
from openrouter_rerank._score_cache.single_flight import single_flight
from openrouter_rerank.local.stage import Fault


def connection(stage):
    """Return the options of a client for the stage."""
    return {"base_url": stage.base_url, "api_key": "k", "timeout": 30}


# The test drops loops that it does not close, so Python warns.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_loops_that_are_dropped_are_let_go(stage):
    """A loop that is dropped without `close` leaves no connection, although its client lives on."""
    client = AsyncRerankClient(max_concurrency=1, **connection(stage))
    loops = []

    async def calls():
        # The second call waits for the request slot of the first.
        await asyncio.gather(*(client.rerank("q", ["a"]) for _ in range(2)))

    for _ in range(3):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(calls())
        loops.append(weakref.ref(loop))
    del loop
    # A loop in which a generator is open survives one collection.
    gc.collect()
    gc.collect()

    assert [loop() for loop in loops] == [None] * 3
    stage.wait_until(lambda: stage.open_connections == 0)
    assert len(stage.requests) == 6


# Python warns as above, and again because a lock of asyncio is released after its loop has ended.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_loops_that_are_dropped_during_a_call_are_let_go(stage):
    """A loop that is dropped while calls wait, for a response or each other, leaves nothing."""
    stage.always(Fault.hang())
    client = AsyncRerankClient(score_store=InMemoryByteStore(), **connection(stage))
    loop = asyncio.new_event_loop()
    # Identical calls: the others wait for the first one.
    tasks = [loop.create_task(client.rerank("q", ["a"])) for _ in range(3)]
    while stage.in_flight < 1:
        loop.run_until_complete(asyncio.sleep(0.01))
    for task in tasks:
        # asyncio logs a task that is dropped while it waits.
        task._log_destroy_pending = False  # noqa: SLF001 - there is no public name
    dropped = weakref.ref(loop)
    del loop, task, tasks
    gc.collect()
    gc.collect()

    assert dropped() is None
    stage.wait_until(lambda: stage.open_connections == 0)
    assert len(single_flight()) == 0


def test_a_call_without_asyncio_says_so(stage):
    """Under another library, such as trio, an async client says that it needs asyncio."""
    client = AsyncRerankClient(long_documents="split", **connection(stage))

    # As trio does, but without an event loop of trio.
    for documents in (["a"], ["many " * 20_000]):
        with pytest.raises(ConfigurationError, match="needs a running event loop of asyncio"):
            client.rerank("q", documents).send(None)
    with pytest.raises(ConfigurationError, match="needs a running event loop of asyncio"):
        client.models().send(None)
    with pytest.raises(ConfigurationError, match="needs a running event loop of asyncio"):
        client.aclose().send(None)


ONE_THREAD = """
import asyncio, sys, threading
from openrouter_rerank import AsyncRerankClient

# All threads of gevent run in one thread of the system. So does this one, as far as asyncio knows.
def start(self):
    asyncio.get_running_loop().call_soon(self.run)

threading.Thread.start = start
client = AsyncRerankClient(base_url=sys.argv[1], api_key="k", timeout=30)
print(asyncio.run(client.rerank("b", ["a", "b"])).results[0].index)
"""


def test_an_async_client_works_if_all_threads_are_one(stage):
    """The first async call of a process works if its threads run in that of the event loop."""
    command = [sys.executable, "-c", ONE_THREAD, stage.base_url]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (finished.stdout, finished.stderr) == ("1\n", "")


async def test_idle_connections_close_with_their_event_loop(local_openrouter):
    """Idle connections are closed without a warning when their event loop ends."""

    async def call():
        client = AsyncRerankClient(base_url=local_openrouter.base_url, api_key="k")
        await asyncio.gather(*(client.rerank("q", ["a"]) for _ in range(5)))

    await asyncio.to_thread(asyncio.run, call())
    gc.collect()
    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: local_openrouter.open_connections == 0
    )
    assert len(local_openrouter.requests) == 5
