"""Promise: if an exception ends a call at any line, no request slot and no turn is lost."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import RerankClient
from openrouter_rerank._score_cache.single_flight import single_flight

from tests.promises.test_secrets_at_every_line import Interrupted, Interruption
from tests.repetitions import repetitions

LINES = repetitions(local=60, ci=200, full=10_000)
CALLS = repetitions(local=300, ci=1_000, full=7_000)
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.usefixtures("sockets_left_open"),
]


def interrupted_call(client, number, line=None):
    """Interrupt a call at a line; return whether it ended so, and the number of lines."""
    is_interrupted = False
    with Interruption(line) as interruption:
        try:
            client.rerank("q", [f"document {number}", "b"], max_retries=0)
        except Interrupted:
            is_interrupted = True
    return is_interrupted, interruption.lines


def test_no_line_of_a_call_loses_a_slot_or_a_turn(stage):
    """After an exception at any line of a call, an identical call succeeds without a wait."""
    options = {"base_url": stage.base_url, "api_key": stage.api_key, "max_concurrency": 1}
    client = RerankClient(score_store=InMemoryByteStore(), timeout=60, **options)

    def interrupt_and_repeat():
        interrupted_call(client, 0)
        _, lines = interrupted_call(client, 1)
        interrupted = 0
        for line in range(1, lines + 1, max(1, lines // LINES)):
            is_interrupted, _ = interrupted_call(client, line + 1, line)
            interrupted += is_interrupted
            assert len(single_flight()) == 0, line
            # It would fail after `timeout` if the slot or the turn were lost.
            client.rerank("q", [f"document {line + 1}", "b"], timeout=5)
        return interrupted

    # In a new thread: see `test_secrets_at_every_line`.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(interrupt_and_repeat).result() > 30


STRESS = f"""
    import random, signal, threading
    from langchain_core.stores import InMemoryByteStore
    from openrouter_rerank import OpenRouterRerankError, RerankClient
    from openrouter_rerank._score_cache.single_flight import single_flight
    from openrouter_rerank._transport.fair_semaphore import Holder

    class TimeLimit(BaseException):
        pass

    def end(*_):
        raise TimeLimit

    client = RerankClient(max_concurrency=2, timeout=60, max_retries=0)
    cached = RerankClient(max_concurrency=2, timeout=60, max_retries=0,
                          score_store=InMemoryByteStore())
    # Imports whose exceptions come from a signal handler may keep a lock of Python's.
    client.rerank("q", ["a", "b"])
    cached.rerank("q", ["a", "b"])
    is_over = threading.Event()

    def compete():
        while not is_over.is_set():
            client.rerank("q", ["a", "b"])

    threads = [threading.Thread(target=compete) for _ in range(3)]
    for thread in threads:
        thread.start()
    signal.signal(signal.SIGALRM, end)
    chosen = random.Random(1)
    interrupted = 0
    for number in range({CALLS}):
        caller = cached if number % 2 else client
        try:
            signal.setitimer(signal.ITIMER_REAL, chosen.uniform(0.00001, 0.004))
            caller.rerank("q", [str(number // 8), "b"])
            signal.setitimer(signal.ITIMER_REAL, 0)
        except TimeLimit:
            interrupted += 1
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    is_over.set()
    for thread in threads:
        thread.join()
    for caller in (client, cached):
        held, slots = [Holder(), Holder()], caller._request_slots()
        print(all(slots.acquire(each, 0) for each in held))
    print(len(single_flight()) == 0)
    print(interrupted > {CALLS} / 10)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarm signals")
def test_alarms_lose_no_slot_and_no_turn(local_openrouter, record_measurement):
    """After many calls that alarms have ended, all request slots are free and no turn is taken."""
    finished = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", textwrap.dedent(STRESS)],
        env=os.environ
        | {
            "OPENROUTER_API_BASE": local_openrouter.base_url,
            "OPENROUTER_API_KEY": local_openrouter.api_key,
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert finished.stdout.split() == ["True"] * 4, finished.stderr
    record_measurement("calls with an alarm", CALLS)
