"""Replies that the service holds back until the expected calls or requests have arrived."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from openrouter_rerank._score_cache.single_flight import single_flight
from openrouter_rerank.local.stage import Fault

WAIT_LIMIT = 30.0
"""Seconds after which a test stops waiting."""


@contextmanager
def released_in_batches(stage, *sizes, reply=None):
    """
    Hold requests, and answer each batch when exactly its requests are in flight together.

    Args:
        stage: The service.
        *sizes: The number of requests of each batch.
        reply: Called with each request that is released. By default, it is ranked.
    """
    held = set()

    def hold(request):
        if reply is None or request.number not in held:
            held.add(request.number)
            return Fault.hang()
        return reply(request)

    def release_batches():
        expected = before
        for size in sizes:
            expected += size
            stage.wait_until(
                lambda expected=expected, size=size: (
                    (len(stage.requests), stage.in_flight) == (expected, size)
                ),
                timeout=WAIT_LIMIT,
            )
            stage.release()

    before = len(stage.requests)
    stage.always(hold)
    with ThreadPoolExecutor(1) as pool:
        releasing = pool.submit(release_batches)
        yield
        releasing.result()


def once_calls_have_joined(count, reply):
    """Return a function that replies with `reply` when `count` identical calls are in progress."""
    give_up = time.monotonic() + WAIT_LIMIT

    def reply_later(request):
        while _joined_calls() < count and time.monotonic() < give_up:
            threading.Event().wait(0.001)
        return reply

    return reply_later


def _joined_calls():
    found = single_flight()
    groups = [*found._threads.values(), *found._tasks.values()]  # noqa: SLF001 - not public
    return sum(len(group.calls) for group in groups)
