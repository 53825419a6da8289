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
)
from openrouter_rerank._transport import lookups
from openrouter_rerank._transport.connect import prepare
from openrouter_rerank._transport.threads import in_thread

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


def test_a_lookup_that_has_failed_is_repeated(monkeypatch):
    """A lookup that has ended is not used by new calls."""
    hosts = []

    def getaddrinfo(host, *_, **__):
        hosts.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    [error] = asyncio.run(outcomes_of_lookups("unknown.example", 1))

    assert isinstance(error, APIConnectionError)
    assert "Name or service not known" in str(error)
    assert len(hosts) == error.attempts > 1


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
