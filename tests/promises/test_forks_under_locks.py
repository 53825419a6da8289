"""Promise: a child can use everything that other threads of its parent had locked at the fork."""

import ast
import gc
import os
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path

import pytest
from openrouter_rerank import Budget, _forks

ROOT = Path(__file__).parents[2]
# In these files, a fork replaces the object that has the lock, or there is a reason in brackets.
RENEWED = {
    "_forks.py": {"Lock", "RLock"},
    "_score_cache/single_flight.py": {"Lock"},
    "_transport/fair_semaphore.py": {"Lock"},
    "_transport/lookups.py": {"Lock"},
    "_transport/pool.py": {"Lock"},
    "_transport/threads.py": {"Lock"},
    "_transport/watchdog.py": {"Lock", "Condition"},
    # (A child has no thread that serves.)
    "local/stage/reply_queue.py": {"Lock"},
    "local/stage/stage.py": {"Condition"},
}

SCRIPT = """
    import os, signal, sys, threading
    import httpx
    from langchain_core.stores import InMemoryByteStore
    from langchain_openrouter_rerank import OpenRouterRerank
    from openrouter_rerank import Budget, ClientOptions, RerankClient, WindowRateLimiter
    from openrouter_rerank._score_cache.single_flight import single_flight
    from openrouter_rerank._transport.connect import _certificates
    from openrouter_rerank._transport.pool import pool
    from openrouter_rerank._transport.watchdog import watchdog
    from openrouter_rerank.client_options.completion import completion_lock
    from openrouter_rerank.client_options.of_keywords import options_of
    from openrouter_rerank.reranker.calls import Clients
    from langchain_core.documents import Document

    budget, limiter = Budget(10), WindowRateLimiter()
    client = RerankClient(budget=budget, rate_limiter=limiter)
    cached = RerankClient(score_store=InMemoryByteStore())
    injected = RerankClient(http_client=httpx.Client())
    reranker = OpenRouterRerank()

    def rerank(client):
        assert len(client.rerank("a", ["a", "b"])) == 2

    def complete():
        class OwnOptions(ClientOptions):
            custom: "int | None" = None
        OwnOptions.model_rebuild()
        options_of("Own", {"custom": 1}, OwnOptions)

    def compress():
        assert reranker.compress_documents([Document("a"), Document("b")], "a")

    LOCKS = {
        "budget": (lambda: budget._lock, lambda: rerank(client)),
        "rate limiter": (lambda: limiter._lock, lambda: rerank(client)),
        "request slots": (lambda: client._slots[1]._lock, lambda: rerank(client)),
        "clients of a reranker": (lambda: reranker._clients._lock, compress),
        "connections": (lambda: pool()._lock, lambda: rerank(client)),
        "deadlines": (lambda: watchdog()._lock, lambda: rerank(injected)),
        "identical calls": (lambda: single_flight()._guard, lambda: rerank(cached)),
        "certificates": (lambda: _certificates._lock, lambda: _certificates.context()),
        "classes of options": (lambda: completion_lock.value, complete),
    }

    def is_usable_in_a_child(lock, use):
        is_held, is_over = threading.Event(), threading.Event()

        def hold():
            with lock:
                is_held.set()
                is_over.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        is_held.wait()
        pid = os.fork()
        if pid == 0:
            # Ends the child if it waits for the lock.
            signal.alarm(20)
            use()
            os._exit(0)
        is_usable = os.waitpid(pid, 0)[1] == 0
        is_over.set()
        thread.join()
        # The parent's lock still works.
        use()
        return is_usable

    for name, (find, use) in LOCKS.items():
        use()
        print(name, is_usable_in_a_child(find(), use), sep=": ", flush=True)
"""
LOCKS = (
    *("budget", "rate limiter", "request slots", "clients of a reranker", "connections"),
    *("deadlines", "identical calls", "certificates", "classes of options"),
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_is_forked_while_another_thread_holds_a_lock(local_openrouter):
    """A child that is forked while another thread holds a lock can use what the lock protects."""
    connection = {
        "OPENROUTER_API_BASE": local_openrouter.base_url,
        "OPENROUTER_API_KEY": local_openrouter.api_key,
    }
    finished = subprocess.run(
        # Since Python 3.12, forking a process with threads emits a DeprecationWarning.
        [
            *(sys.executable, "-W", "ignore::DeprecationWarning", "-W", "ignore::ResourceWarning"),
            *("-c", textwrap.dedent(SCRIPT)),
        ],
        env=os.environ | connection,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert finished.stdout.splitlines() == [f"{lock}: True" for lock in LOCKS], finished.stderr


def test_each_lock_is_free_in_a_child():
    """Every lock in the sources is one that a fork releases, or its object is replaced."""
    found = {}
    for package in (ROOT / "shared/src/openrouter_rerank", *ROOT.glob("packages/*/src/*")):
        for file in package.rglob("*.py"):
            names = {
                (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id)
                for node in ast.walk(ast.parse(file.read_text("utf-8")))
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute | ast.Name)
                and not ast.unparse(node.func).startswith("asyncio.")
            }
            locks = names & {"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore"}
            if locks:
                found[file.relative_to(package).as_posix()] = locks

    assert found == RENEWED


def test_locks_are_not_kept_in_memory():
    """An object whose lock is released in children can be collected."""
    budgets = [Budget(1) for _ in range(10)]
    locks = [weakref.ref(budget._lock) for budget in budgets]  # noqa: SLF001 - no public one
    assert all(lock() in _forks._locks for lock in locks)  # noqa: SLF001 - the subject of the test

    budgets.clear()
    gc.collect()

    assert [lock() for lock in locks] == [None] * 10


FORK_IN_AN_IMPORT = """
    import importlib.abc, os, signal, sys, threading
    from openrouter_rerank import RerankClient

    begun, client = threading.Event(), RerankClient()

    class Slow(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name == "httpx":
                begun.set()
                # The fork begins while the import lasts.
                threading.Event().wait(0.5)

    def rerank():
        assert len(client.rerank("a", ["a", "b"])) == 2

    sys.meta_path.insert(0, Slow())
    thread = threading.Thread(target=rerank)
    thread.start()
    begun.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        rerank()
        os._exit(0)
    thread.join()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
def test_a_fork_waits_for_the_imports_of_a_first_call(local_openrouter):
    """A child that is forked while a thread makes the first call of the process can make calls."""
    settings = {
        "OPENROUTER_API_BASE": local_openrouter.base_url,
        "OPENROUTER_API_KEY": local_openrouter.api_key,
    }
    script = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(FORK_IN_AN_IMPORT)]

    assert subprocess.run(script, env=os.environ | settings, check=False).returncode == 0
