"""Promise: one instance serves many loops, threads and forked children."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading

import pytest
from openrouter_rerank import AsyncRerankClient, RerankClient

from tests.sizes import figure


def arguments(stage):
    """What a client of the stage is made with."""
    return {"base_url": stage.base_url, "api_key": stage.api_key, "timeout": 20}


def asked(number):
    """A question, and documents of which the first is the answer to it alone."""
    return f"word{number}", [f"word{number}", f"word{number + 1}"]


def is_right(ranking):
    """Whether a ranking is that of its own question."""
    return [(r.index, r.relevance_score) for r in ranking.results] == [(0, 1.0), (1, 0.0)]


def test_one_client_in_many_loops(local_openrouter):
    """A client made once serves twenty loops, one after the other, and leaves nothing open."""
    client = AsyncRerankClient(**arguments(local_openrouter))

    async def calls(first):
        return await asyncio.gather(*(client.rerank(*asked(first + at)) for at in range(3)))

    for turn in range(20):
        assert all(map(is_right, asyncio.run(calls(turn))))
    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)


def test_one_client_in_loops_at_once(local_openrouter):
    """Loops in several threads may share a client."""
    client = AsyncRerankClient(**arguments(local_openrouter))
    right = []

    def loop(first):
        async def calls():
            rankings = [await client.rerank(*asked(first + at)) for at in range(5)]
            right.extend(map(is_right, rankings))

        asyncio.run(calls())

    threads = [threading.Thread(target=loop, args=(at * 100,)) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert right == [True] * 30


THREADS = 32
CALLS = figure(desk=5, ci=25, full=1_000)


def test_one_client_in_many_threads(local_openrouter, measured):
    """Thirty-two threads share a client, and each has the answers to its own questions."""
    right = []
    with RerankClient(**arguments(local_openrouter)) as client:

        def work(first):
            right.extend(is_right(client.rerank(*asked(first + at))) for at in range(CALLS))

        threads = [threading.Thread(target=work, args=(at * 10_000,)) for at in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert right == [True] * THREADS * CALLS
    measured("calls of threads", len(right))
    assert local_openrouter.in_flight_peak <= 8
    assert local_openrouter.connections <= 8


CHILDREN = 4
CALLS_OF_A_CHILD = figure(desk=25, ci=100, full=2_500)
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
SETUP = """
    import asyncio, os, sys, threading
    from openrouter_rerank import AsyncRerankClient, RerankClient

    def right(ranking):
        return [(r.index, r.relevance_score) for r in ranking.results] == [(0, 1.0), (1, 0.0)]

    def child(work):
        pid = os.fork()
        if pid == 0:
            try:
                ok = work()
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                ok = False
            os._exit(0 if ok else 1)
        return pid

    def succeeded(pids):
        return [os.waitpid(pid, 0)[1] for pid in pids] == [0] * len(pids)
"""


def run(stage, script):
    """Run `script` in an interpreter of its own; all it prints must be `True`."""
    code = textwrap.dedent(SETUP) + textwrap.dedent(script)
    finished = subprocess.run(
        # A process with threads that forks is warned of since Python 3.12; here it is the point.
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


@FORKS
def test_forked_children_have_connections_of_their_own(local_openrouter, measured):
    """Children of a process with warm connections get their own answers, and so does the parent."""
    run(
        local_openrouter,
        f"""
        client = RerankClient()
        client.rerank("a", ["a", "b"])

        def work(number):
            word = f"word{{number}}"
            calls = range({CALLS_OF_A_CHILD})
            return all(right(client.rerank(word, [word, "b"])) for _ in calls)

        pids = [child(lambda at=at: work(at)) for at in range({CHILDREN})]
        print(work("parent"))
        print(succeeded(pids))
        print(work("parent"))
        client.close()
        """,
    )

    assert local_openrouter.connections >= 1 + CHILDREN
    measured("calls of forked children", CHILDREN * CALLS_OF_A_CHILD)


@FORKS
def test_forked_children_have_loops_of_their_own(local_openrouter):
    """An asynchronous client that a parent has used works in a child's loop."""
    run(
        local_openrouter,
        """
        client = AsyncRerankClient()

        async def calls():
            found = await asyncio.gather(*(client.rerank("a", ["a", "b"]) for _ in range(4)))
            return all(map(right, found))

        print(asyncio.run(calls()))
        print(succeeded([child(lambda: asyncio.run(calls())) for _ in range(2)]))
        print(asyncio.run(calls()))
        """,
    )


@FORKS
def test_a_child_is_not_kept_waiting_by_calls_of_its_parent(local_openrouter):
    """Calls in flight in the parent when it forks take no slot of the child's client."""
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
                    ok = right(client.rerank("a", ["a", "b"]))
                except OpenRouterRerankError as error:
                    print(repr(error), file=sys.stderr, flush=True)
                    ok = False
                os._exit(0 if ok else 1)
            print(os.waitpid(pid, 0)[1] == 0)
            stage.release()
            thread.join()
        """,
    )


def test_a_client_used_on_two_loops_keeps_the_first_alive(local_openrouter):
    """While one loop waits for its answer another may come and go with the same client."""
    client = AsyncRerankClient(**arguments(local_openrouter))

    async def outer():
        first = await client.rerank(*asked(1))
        await asyncio.to_thread(lambda: asyncio.run(client.rerank(*asked(2))))
        second = await client.rerank(*asked(3))
        return is_right(first) and is_right(second)

    assert asyncio.run(outer())
    assert local_openrouter.connections == 2
