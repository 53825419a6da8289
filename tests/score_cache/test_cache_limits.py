"""The score store at its limits: stores that hang, cancelled calls, forks, threads and loops."""

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import AsyncRerankClient, RerankClient
from openrouter_rerank._score_cache.single_flight import single_flight
from openrouter_rerank.errors import DeadlineExceededError, ServiceUnavailableError
from openrouter_rerank.local.stage import Fault, error

from tests.held_replies import WAIT_LIMIT, once_calls_have_joined
from tests.starvation import repeat_if_starved

QUERY = "capital of France"
DOCUMENTS = ["Berlin is the capital of Germany.", "Paris is the capital of France.", "Bread"]


class HangingStore(InMemoryByteStore):
    """An async store with one method that never returns."""

    def __init__(self, method):
        super().__init__()
        self.method = method
        self.reached = asyncio.Event()

    async def _hang(self):
        self.reached.set()
        await asyncio.Event().wait()

    async def amget(self, keys):
        """Return the values, or hang."""
        if self.method == "amget":
            await self._hang()
        return self.mget(keys)

    async def amset(self, key_value_pairs):
        """Store the values, or hang."""
        if self.method == "amset":
            await self._hang()
        self.mset(key_value_pairs)


def client_options(stage, **others):
    """Return the options of a client for the stage."""
    return {"base_url": stage.base_url, "api_key": stage.api_key} | others


@pytest.mark.parametrize("method", ["amget", "amset"])
@repeat_if_starved
async def test_a_hanging_store_takes_only_part_of_the_timeout(local_openrouter, method, caplog):
    """If a store hangs, the call stops waiting for it and has time left for its request."""
    started = time.monotonic()
    async with AsyncRerankClient(
        score_store=HangingStore(method), timeout=2.0, **client_options(local_openrouter)
    ) as client:
        ranking = await client.rerank(QUERY, DOCUMENTS)

    assert [result.index for result in ranking.results] == [1, 0, 2]
    assert time.monotonic() - started < 1.5
    assert caplog.messages[-1].endswith("TimeoutError")


@pytest.mark.parametrize("method", ["amget", "amset"])
@repeat_if_starved
async def test_a_hanging_store_takes_two_seconds_at_most(local_openrouter, method):
    """A call with a long timeout waits for its store for two seconds at most."""
    store, started = HangingStore(method), time.monotonic()
    async with AsyncRerankClient(score_store=store, **client_options(local_openrouter)) as client:
        await client.rerank(QUERY, DOCUMENTS, timeout=60.0)

    assert 1.9 < time.monotonic() - started < 5


class BlockingStore(InMemoryByteStore):
    """A synchronous store with one method that waits until the test sets `released`."""

    def __init__(self, method):
        super().__init__()
        self.method = method
        self.released = threading.Event()
        self.reached = threading.Event()

    def _wait(self, method):
        if self.method == method:
            self.reached.set()
            assert self.released.wait(WAIT_LIMIT)

    def mget(self, keys):
        """Return the values, after waiting if `method` is `mget`."""
        self._wait("mget")
        return super().mget(keys)

    def mset(self, key_value_pairs):
        """Store the values, after waiting if `method` is `mset`."""
        self._wait("mset")
        super().mset(key_value_pairs)


def test_a_thread_does_not_wait_until_scores_are_stored(local_openrouter):
    """A waiting call gets the ranking when the first call has it, not when it is stored."""
    store = BlockingStore("mset")
    client = RerankClient(score_store=store, **client_options(local_openrouter))
    with client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.rerank, QUERY, DOCUMENTS)
        assert store.reached.wait(WAIT_LIMIT)
        ranking = client.rerank(QUERY, DOCUMENTS, timeout=WAIT_LIMIT)
        assert not first.done()
        store.released.set()

    assert first.result().results == ranking.results
    assert len(local_openrouter.requests) == 1
    assert len(single_flight()) == 0


@repeat_if_starved
async def test_a_task_does_not_wait_until_scores_are_stored(local_openrouter):
    """A waiting call gets the ranking when the first call has it, not when it is stored."""
    store = HangingStore("amset")
    async with AsyncRerankClient(score_store=store, **client_options(local_openrouter)) as client:
        first = asyncio.create_task(client.rerank(QUERY, DOCUMENTS))
        await asyncio.wait_for(store.reached.wait(), WAIT_LIMIT)
        ranking = await client.rerank(QUERY, DOCUMENTS, timeout=WAIT_LIMIT)
        assert not first.done()
        first.cancel()
        await asyncio.wait([first])

    assert [result.index for result in ranking.results] == [1, 0, 2]
    assert len(local_openrouter.requests) == 1
    assert len(single_flight()) == 0


def test_a_store_that_uses_up_the_timeout_is_logged(local_openrouter, caplog):
    """If a synchronous store uses up the timeout, so that nothing is sent, a warning says so."""
    store = BlockingStore("mget")
    threading.Timer(0.3, store.released.set).start()
    client = RerankClient(score_store=store, **client_options(local_openrouter))

    with client, pytest.raises(DeadlineExceededError, match=r"took all of timeout=0\.2 s"):
        client.rerank(QUERY, DOCUMENTS, timeout=0.2)

    assert caplog.messages == ["the score store used up the whole timeout, so no request is sent"]
    assert local_openrouter.requests == []


@pytest.mark.parametrize("method", ["amget", "amset"])
async def test_a_call_can_be_cancelled_while_it_waits_for_its_store(local_openrouter, method):
    """A call that is cancelled while it waits for its store leaves no task and no call group."""
    store = HangingStore(method)
    async with AsyncRerankClient(score_store=store, **client_options(local_openrouter)) as client:
        call = asyncio.create_task(client.rerank(QUERY, DOCUMENTS))
        await asyncio.wait_for(store.reached.wait(), WAIT_LIMIT)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert len(single_flight()) == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_a_call_with_more_time_does_not_share_a_failure(local_openrouter):
    """If a call had no time for another retry, a waiting call with more time still retries."""
    local_openrouter.script(once_calls_have_joined(2, error(503, "busy", retry_after=60)))
    store = InMemoryByteStore()
    client = RerankClient(score_store=store, **client_options(local_openrouter))
    with client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.rerank, QUERY, DOCUMENTS, timeout=20)
        local_openrouter.wait_until(lambda: local_openrouter.in_flight == 1)
        ranking = client.rerank(QUERY, DOCUMENTS, timeout=50)

    assert isinstance(first.exception(), ServiceUnavailableError)
    assert [result.index for result in ranking.results] == [1, 0, 2]


async def test_a_waiting_call_is_sent_if_the_first_is_cancelled(local_openrouter):
    """If the first of several identical calls is cancelled, the next one sends its request."""
    local_openrouter.script(Fault.hang())
    store = InMemoryByteStore()
    async with AsyncRerankClient(score_store=store, **client_options(local_openrouter)) as client:
        first, *others = [asyncio.create_task(client.rerank(QUERY, DOCUMENTS)) for _ in range(4)]
        await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight)
        first.cancel()
        rankings = await asyncio.gather(*others)

    assert first.cancelled()
    assert sorted(ranking.attempts for ranking in rankings) == [0, 0, 1]
    assert len(local_openrouter.requests) == 2
    assert len(single_flight()) == 0


def test_a_thread_waits_for_an_identical_call_until_its_deadline(local_openrouter):
    """A call that waits for an identical one until its deadline raises a typed error."""
    local_openrouter.script(Fault.hang())
    client = RerankClient(score_store=InMemoryByteStore(), **client_options(local_openrouter))
    with client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.rerank, QUERY, DOCUMENTS)
        local_openrouter.wait_until(lambda: local_openrouter.in_flight)
        with pytest.raises(DeadlineExceededError, match="identical call") as caught:
            client.rerank(QUERY, DOCUMENTS, timeout=0.2)
        local_openrouter.release()
        first.exception()

    assert (caught.value.attempts, caught.value.retryable) == (0, True)


async def test_a_task_waits_for_an_identical_call_until_its_deadline(local_openrouter):
    """A call that waits for an identical one until its deadline raises a typed error."""
    local_openrouter.script(Fault.hang())
    store = InMemoryByteStore()
    async with AsyncRerankClient(score_store=store, **client_options(local_openrouter)) as client:
        first = asyncio.create_task(client.rerank(QUERY, DOCUMENTS))
        await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight)
        with pytest.raises(DeadlineExceededError, match="identical call") as caught:
            await client.rerank(QUERY, DOCUMENTS, timeout=0.2)
        first.cancel()
        await asyncio.wait([first])

    assert (caught.value.attempts, caught.value.retryable) == (0, True)
    assert len(local_openrouter.requests) == 1
    assert len(single_flight()) == 0


def test_loops_and_threads_share_a_store(local_openrouter):
    """A sync and an async client share one store, from many threads and event loops."""
    store = InMemoryByteStore()
    synchronous = RerankClient(score_store=store, **client_options(local_openrouter))
    asynchronous = AsyncRerankClient(score_store=store, **client_options(local_openrouter))

    async def calls():
        return await asyncio.gather(*(asynchronous.rerank(QUERY, DOCUMENTS) for _ in range(5)))

    with ThreadPoolExecutor(8) as pool:
        loops = [pool.submit(asyncio.run, calls()) for _ in range(4)]
        threads = [pool.submit(synchronous.rerank, QUERY, DOCUMENTS) for _ in range(20)]
    rankings = [ranking for loop in loops for ranking in loop.result()]
    rankings += [thread.result() for thread in threads]
    synchronous.close()

    assert len({ranking.results for ranking in rankings}) == 1
    # At most one request from all threads together, and one from each of the 4 event loops.
    assert 1 <= len(local_openrouter.requests) <= 5
    assert len(single_flight()) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_call_of_its_parent(local_openrouter):
    """If a process forks during a call, an identical call in the child sends its own request."""
    local_openrouter.script(Fault.hang())
    settings = client_options(local_openrouter, timeout=WAIT_LIMIT)
    client = RerankClient(score_store=InMemoryByteStore(), **settings)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.rerank, QUERY, DOCUMENTS)
        local_openrouter.wait_until(lambda: local_openrouter.in_flight)
        child = os.fork()
        if not child:
            # The child must not run the parent's `finally` blocks or the remaining tests.
            try:
                ranking = client.rerank(QUERY, DOCUMENTS, timeout=WAIT_LIMIT / 2)
                os._exit([result.index for result in ranking.results] != [1, 0, 2])
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        local_openrouter.release()
        call.exception()
    client.close()

    assert os.waitstatus_to_exitcode(status) == 0


WORDS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4).map(" ".join)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["a b", "c"]),
        st.lists(WORDS, min_size=1, max_size=6),
        st.none() | st.integers(1, 6),
        st.none() | st.integers(1, 3),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CALLS)
def test_a_store_never_changes_a_ranking(local_openrouter, calls):
    """After any earlier calls, a ranking equals the ranking of one request without a store."""
    store = InMemoryByteStore()
    sent = []
    with (
        RerankClient(score_store=store, **client_options(local_openrouter)) as with_store,
        RerankClient(**client_options(local_openrouter)) as without_store,
    ):
        for query, documents, top_n, limit in calls:
            before = len(local_openrouter.requests)
            ranking = with_store.rerank(
                query, documents, top_n=top_n, max_documents_per_request=limit
            )
            sent += [
                (query, document)
                for request in local_openrouter.requests[before:]
                for document in request.documents
            ]
            assert ranking.results == without_store.rerank(query, documents, top_n=top_n).results
    assert len(sent) == len(set(sent))


def test_on_response_can_repeat_the_call(local_openrouter):
    """`on_response` can make an identical call, because the first call no longer blocks it."""
    attempts = []

    def repeat_call(ranking):
        attempts.append(ranking.attempts)
        if len(attempts) == 1:
            client.rerank(QUERY, DOCUMENTS)

    client = RerankClient(
        score_store=InMemoryByteStore(),
        on_response=repeat_call,
        **client_options(local_openrouter, timeout=20),
    )
    with client:
        client.rerank(QUERY, DOCUMENTS)

    assert attempts == [1, 0]
