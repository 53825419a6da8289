"""Promise: one client serves many event loops, threads and forked processes."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from openrouter_rerank import AsyncRerankClient, ClientOptions, RerankClient
from openrouter_rerank.client_options.of_keywords import options_of
from pydantic_core import core_schema

from tests.repetitions import repetitions


def client_options(stage):
    """Return the options of a client for the stage."""
    return {"base_url": stage.base_url, "api_key": stage.api_key, "timeout": 20}


def question(number):
    """Return a query with the word of `number`, and two documents, of which the first matches."""
    return f"word{number}", [f"word{number}", f"word{number + 1}"]


def is_correct(ranking):
    """Return `True` if the ranking is the one for its own question."""
    return [(r.index, r.relevance_score) for r in ranking.results] == [(0, 1.0), (1, 0.0)]


def test_one_client_in_many_loops(local_openrouter):
    """A client serves twenty consecutive event loops, and leaves no connection open."""
    client = AsyncRerankClient(**client_options(local_openrouter))

    async def calls(first):
        return await asyncio.gather(
            *(client.rerank(*question(first + number)) for number in range(3))
        )

    for number in range(20):
        assert all(map(is_correct, asyncio.run(calls(number))))
    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)


def test_one_client_in_concurrent_loops(local_openrouter):
    """Event loops in several threads can share a client."""
    client = AsyncRerankClient(**client_options(local_openrouter))
    correct = []

    def run_loop(first):
        async def calls():
            rankings = [await client.rerank(*question(first + number)) for number in range(5)]
            correct.extend(map(is_correct, rankings))

        asyncio.run(calls())

    threads = [threading.Thread(target=run_loop, args=(number * 100,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert correct == [True] * 30


THREADS = 32
CALLS_PER_THREAD = repetitions(local=5, ci=25, full=1_000)


def test_one_client_in_many_threads(local_openrouter, record_measurement):
    """32 threads share a client, and each call returns the ranking for its own question."""
    correct = []
    with RerankClient(**client_options(local_openrouter)) as client:

        def make_calls(first):
            correct.extend(
                is_correct(client.rerank(*question(first + number)))
                for number in range(CALLS_PER_THREAD)
            )

        threads = [
            threading.Thread(target=make_calls, args=(number * 10_000,))
            for number in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert correct == [True] * THREADS * CALLS_PER_THREAD
    record_measurement("calls of threads", len(correct))
    assert local_openrouter.in_flight_peak <= 8
    assert local_openrouter.connections <= 8


CHILDREN = 4
CALLS_PER_CHILD = repetitions(local=25, ci=100, full=2_500)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
SETUP = """
    import asyncio, os, sys, threading
    from openrouter_rerank import AsyncRerankClient, RerankClient

    def is_correct(ranking):
        return [(r.index, r.relevance_score) for r in ranking.results] == [(0, 1.0), (1, 0.0)]

    def fork_child(make_calls):
        pid = os.fork()
        if pid == 0:
            try:
                ok = make_calls()
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                ok = False
            os._exit(0 if ok else 1)
        return pid

    def all_succeeded(pids):
        return [os.waitpid(pid, 0)[1] for pid in pids] == [0] * len(pids)
"""


def run(stage, script):
    """Run `script` in a new interpreter, and require that it prints only `True`."""
    code = textwrap.dedent(SETUP) + textwrap.dedent(script)
    finished = subprocess.run(
        # Since Python 3.12, forking a process with threads emits a DeprecationWarning.
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        env=os.environ
        | {"OPENROUTER_API_BASE": stage.base_url, "OPENROUTER_API_KEY": stage.api_key},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, ""), finished.stderr
    assert set(finished.stdout.split()) == {"True"}


@needs_fork
def test_forked_children_open_their_own_connections(local_openrouter, record_measurement):
    """After a fork, the children and the parent get their own responses on separate connections."""
    run(
        local_openrouter,
        f"""
        client = RerankClient()
        client.rerank("a", ["a", "b"])

        def make_calls(number):
            word = f"word{{number}}"
            calls = range({CALLS_PER_CHILD})
            return all(is_correct(client.rerank(word, [word, "b"])) for _ in calls)

        pids = [fork_child(lambda n=n: make_calls(n)) for n in range({CHILDREN})]
        print(make_calls("parent"))
        print(all_succeeded(pids))
        print(make_calls("parent"))
        client.close()
        """,
    )

    assert local_openrouter.connections >= 1 + CHILDREN
    record_measurement("calls of forked children", CHILDREN * CALLS_PER_CHILD)


@needs_fork
def test_an_async_client_works_in_forked_children(local_openrouter):
    """An async client that the parent has used works in an event loop of a child."""
    run(
        local_openrouter,
        """
        client = AsyncRerankClient()

        async def calls():
            rankings = await asyncio.gather(*(client.rerank("a", ["a", "b"]) for _ in range(4)))
            return all(map(is_correct, rankings))

        print(asyncio.run(calls()))
        print(all_succeeded([fork_child(lambda: asyncio.run(calls())) for _ in range(2)]))
        print(asyncio.run(calls()))
        """,
    )


@needs_fork
def test_a_child_can_make_the_first_call(local_openrouter):
    """A forked child can make the first async call, and then its parent can make its own first."""
    run(
        local_openrouter,
        """
        client = AsyncRerankClient(timeout=20)

        async def call():
            return is_correct(await client.rerank("a", ["a", "b"]))

        print(all_succeeded([fork_child(lambda: asyncio.run(call()))]))
        print(asyncio.run(call()))
        """,
    )


@needs_fork
def test_calls_of_the_parent_take_no_slot_of_a_child(local_openrouter):
    """Requests that are in flight when a process forks take no request slot in the child."""
    run(
        local_openrouter,
        """
        from openrouter_rerank.local.stage import Fault, Stage

        with Stage() as stage:
            client = RerankClient(base_url=stage.base_url, max_concurrency=1, timeout=30)
            stage.script(Fault.hang())
            thread = threading.Thread(target=lambda: client.rerank("a", ["a", "b"]))
            thread.start()
            stage.wait_until(lambda: stage.in_flight == 1)
            pid = os.fork()
            if pid == 0:
                try:
                    from openrouter_rerank import OpenRouterRerankError
                    ok = is_correct(client.rerank("a", ["a", "b"]))
                except OpenRouterRerankError as error:
                    print(repr(error), file=sys.stderr, flush=True)
                    ok = False
                os._exit(0 if ok else 1)
            print(os.waitpid(pid, 0)[1] == 0)
            stage.release()
            thread.join()
        """,
    )


def test_threads_complete_a_class_of_options_once():
    """Threads that use a new class of options at the same time build its schema once."""
    builds = []

    class SlowlyBuilt:
        """A type whose schema takes long enough for all threads to ask for it."""

        @classmethod
        def __get_pydantic_core_schema__(cls, *_):
            builds.append(threading.get_ident())
            time.sleep(0.1)
            return core_schema.any_schema()

    class CustomOptions(ClientOptions):
        custom: SlowlyBuilt | None = None

    started = threading.Barrier(8)

    def create(_):
        started.wait()
        return options_of("Custom", {"custom": 5}, CustomOptions).custom

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(create, range(8))) == [5] * 8

    assert len(builds) == 1


def test_a_second_loop_does_not_disturb_the_first(local_openrouter):
    """While one event loop uses a client, a second loop can start, use the client, and end."""
    client = AsyncRerankClient(**client_options(local_openrouter))

    async def outer():
        first = await client.rerank(*question(1))
        await asyncio.to_thread(lambda: asyncio.run(client.rerank(*question(2))))
        second = await client.rerank(*question(3))
        return is_correct(first) and is_correct(second)

    assert asyncio.run(outer())
    assert local_openrouter.connections == 2
