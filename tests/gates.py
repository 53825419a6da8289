"""Replies that wait until all calls of a test have come, so that no call comes too late."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from openrouter_rerank._score_cache.single_flight import single_flight
from openrouter_rerank.local.stage import Fault

ENOUGH = 30.0


@contextmanager
def answered_in_turns(stage, *sizes):
    """Answer requests in groups of these sizes, each when all of it is in flight together."""

    def answer():
        heard = before
        for size in sizes:
            heard += size
            stage.wait_until(
                lambda heard=heard, size=size: (
                    (len(stage.requests), stage.in_flight) == (heard, size)
                ),
                timeout=ENOUGH,
            )
            stage.release()

    before = len(stage.requests)
    stage.always(Fault.hang())
    with ThreadPoolExecutor(1) as pool:
        answering = pool.submit(answer)
        yield
        answering.result()


def once_joined(calls, line):
    """Answer with `line` as soon as this many identical calls wait for one answer."""
    until = time.monotonic() + ENOUGH

    def reply(request):
        while _joined() < calls and time.monotonic() < until:
            threading.Event().wait(0.001)
        return line

    return reply


def _joined():
    groups = single_flight()
    found = [*groups._threads.values(), *groups._tasks.values()]  # noqa: SLF001 - No public count
    return sum(group.calls for group in found)
