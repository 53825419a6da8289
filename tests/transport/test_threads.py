"""The threads of calls: they are not those of the event loop's executor, and none is needed."""

import asyncio
import functools
import socket
import threading
from contextlib import contextmanager

import pytest
from openrouter_rerank import (
    APIConnectionError,
    AsyncRerankClient,
    OpenRouterRerankError,
    RerankClient,
)
from openrouter_rerank._transport import lookups
from openrouter_rerank._transport.connect import prepare
from openrouter_rerank._transport.threads import Workers, in_thread, run_in_threads

LONG = 30
CALLS = 40


@contextmanager
def hanging_lookups(monkeypatch):
    """Let lookups of names hang; yield the names, and those whose lookup has ended."""
    released, started, ended = threading.Event(), [], []

    def getaddrinfo(host, *_, **__):
        started.append(host)
        released.wait(LONG)
        ended.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield started, ended
    released.set()


async def outcomes_of_lookups(host, count):
    """Make calls to a host whose name is looked up; return their errors."""
    url = f"https://{host}/v1"
    async with AsyncRerankClient(
        base_url=url, api_key="k", timeout=0.3, max_concurrency=count
    ) as client:
        calls = (client.rerank("q", ["a"]) for _ in range(count))
        return await asyncio.gather(*calls, return_exceptions=True)


def event_loops():
    """Return the makers of event loops that are installed."""
    try:
        import uvloop
    except ImportError:
        return [asyncio.new_event_loop]
    return [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("new_loop", event_loops(), ids=lambda maker: maker.__module__)
def test_a_lookup_that_hangs_keeps_nothing_else_waiting(monkeypatch, new_loop):
    """While the lookup of some calls hangs, `to_thread` works and the event loop ends."""
    prepare("https://hanging.example/v1")

    async def main():
        errors = await outcomes_of_lookups("hanging.example", CALLS)
        return errors, await asyncio.to_thread(lambda: "work of the application")

    with (
        hanging_lookups(monkeypatch) as (started, ended),
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        errors, result = runner.run(main())
        runner.close()
        assert (started, ended) == (["hanging.example"], [])

    assert result == "work of the application"
    assert all(isinstance(each, OpenRouterRerankError) for each in errors)
    assert all("could not connect to hanging.example:443" in str(each) for each in errors)


def test_a_lookup_that_hangs_is_repeated(monkeypatch):
    """A lookup that takes longer than the time to connect is not used by new calls."""
    monkeypatch.setattr(lookups, "CONNECT_TIMEOUT", 0.0)

    with hanging_lookups(monkeypatch) as (started, _):
        asyncio.run(outcomes_of_lookups("repeated.example", 1))
        asyncio.run(outcomes_of_lookups("repeated.example", 1))

    assert started == ["repeated.example"] * 2


async def test_a_lookup_that_has_failed_is_repeated(monkeypatch):
    """A lookup that has ended is not used by new calls."""
    hosts = []

    def getaddrinfo(host, *_, **__):
        hosts.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    url = "https://unknown.example/v1"
    async with AsyncRerankClient(base_url=url, api_key="k", max_retries=0) as client:
        for _ in range(2):
            with pytest.raises(APIConnectionError, match="Name or service not known"):
                await client.rerank("q", ["a"], timeout=LONG)

    assert hosts == ["unknown.example"] * 2


async def test_busy_threads_of_the_application_do_not_delay_a_call(local_openrouter):
    """If all threads of the loop's executor are busy, a call that needs a thread still succeeds."""
    released = threading.Event()
    loop = asyncio.get_running_loop()
    busy = [loop.run_in_executor(None, released.wait, LONG) for _ in range(64)]
    async with AsyncRerankClient(base_url=local_openrouter.base_url, api_key="k") as client:
        ranking = await client.rerank("word", ["word", "many " * 20_000], long_documents="split")

    assert ranking.results[0].index == 0
    released.set()
    assert all(await asyncio.gather(*busy))


async def test_work_in_a_thread_ends_with_its_result_or_its_error():
    """`in_thread` returns what the work returns, raises what it raises, and keeps the context."""
    main = threading.get_ident()

    assert await in_thread(threading.get_ident) != main
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await in_thread(functools.partial(next, iter(())))


@contextmanager
def no_threads():
    """Let the system start no thread: it has no room for a stack of 64 TiB."""
    before = threading.stack_size(1 << 46)
    try:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            threading.Thread(target=int).start()
        yield
    finally:
        threading.stack_size(before)


def test_a_split_call_needs_no_thread(local_openrouter):
    """If no thread can be started, the requests of a call are sent one after the other."""
    with (
        RerankClient(base_url=local_openrouter.base_url, api_key="k") as client,
        no_threads(),
    ):
        ranking = client.rerank("b", ["a", "b", "c"], max_documents_per_request=1)

    assert ranking.results[0].index == 1
    assert (len(local_openrouter.requests), local_openrouter.in_flight_peak) == (3, 1)


async def test_an_async_call_needs_no_thread(local_openrouter):
    """If no thread can be started, an async call works in the event loop."""
    async with AsyncRerankClient(base_url=local_openrouter.base_url, api_key="k") as client:
        with no_threads():
            ranking = await client.rerank("b", ["b", "many " * 20_000], long_documents="split")
            assert await in_thread(threading.get_ident) == threading.get_ident()

    assert ranking.results[0].index == 0


async def test_without_threads_an_async_lookup_fails():
    """If no thread can be started, a name is not looked up, because this would block the loop."""
    async with AsyncRerankClient(base_url="https://host.example/v1", api_key="k") as client:
        with no_threads(), pytest.raises(APIConnectionError) as caught:
            await client.rerank("q", ["a"])

    assert caught.value.retryable
    assert "could not connect to host.example:443: Resource temporarily" in str(caught.value)
    assert "End threads and close files and connections" in str(caught.value)


def test_a_cancelled_wait_leaves_its_thread_usable():
    """Work whose wait is cancelled before it begins is not done, and its thread does the next."""
    workers, released, done = Workers(1), threading.Event(), []
    workers.submit(functools.partial(released.wait, LONG))
    cancelled = workers.submit(functools.partial(done.append, "cancelled"))
    later = workers.submit(functools.partial(done.append, "later"))

    assert cancelled.cancel()
    released.set()

    assert later.result(LONG) is None
    assert done == ["later"]


@pytest.mark.parametrize("fails_in_main", [True, False], ids=["this thread", "another thread"])
def test_work_in_threads_ends_before_its_error_is_raised(*, fails_in_main):
    """If one thread fails, `run_in_threads` says so to the others, waits for them, and raises."""
    begun, failed, ended, main = threading.Event(), threading.Event(), [], threading.get_ident()

    def work():
        if (threading.get_ident() == main) is fails_in_main:
            begun.wait(LONG)
            raise ZeroDivisionError
        begun.set()
        failed.wait(LONG)
        ended.append(failed.is_set())

    with pytest.raises(ZeroDivisionError):
        run_in_threads(work, 2, on_error=failed.set)

    assert ended == [True]
