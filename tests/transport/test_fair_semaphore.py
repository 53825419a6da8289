"""The semaphore that threads wait on for a request slot."""

import linecache
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from openrouter_rerank._transport.fair_semaphore import FairSemaphore, Holder

from tests.signal_handlers import alarmed, needs_signals

LONG_TIMEOUT = 10


def taken(slots, count):
    """Return for each of `count` holders whether it gets a slot, and the holders."""
    holders = [Holder() for _ in range(count)]
    return [slots.acquire(holder, 0.01) for holder in holders], holders


def test_no_more_slots_than_the_limit():
    """A slot is free until it is acquired, and free again after it is released."""
    slots = FairSemaphore(2)

    are_taken, holders = taken(slots, 3)
    assert are_taken == [True, True, False]
    slots.release(holders[0])

    assert taken(slots, 2)[0] == [True, False]


def test_a_slot_is_released_once():
    """A second release, or one by a holder without a slot, changes nothing."""
    slots = FairSemaphore(1)
    first = Holder()
    slots.acquire(first, LONG_TIMEOUT)

    for holder in (first, first, Holder()):
        slots.release(holder)

    assert taken(slots, 2)[0] == [True, False]


def test_the_slot_of_a_holder_that_is_gone_is_free():
    """A slot whose holder no longer exists is free, also for a thread that already waits for it."""
    slots = FairSemaphore(1)
    taken(slots, 1)
    holders = [Holder()]
    assert slots.acquire(holders[0], LONG_TIMEOUT)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slots.acquire, Holder(), 60)
        while not slots._waiting:  # noqa: SLF001 - no public attribute shows it
            pass
        holders.clear()

        assert waiting.result()


def test_slots_are_given_in_the_order_of_waiting():
    """Waiting threads get the slot in the order in which they began to wait."""
    slots = FairSemaphore(1)
    first = Holder()
    slots.acquire(first, LONG_TIMEOUT)
    served = []
    threads = []

    def wait(number):
        holder = Holder()
        slots.acquire(holder, LONG_TIMEOUT)
        served.append(number)
        slots.release(holder)

    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(slots._waiting) <= number:  # noqa: SLF001 - no public attribute shows it
            pass
    slots.release(first)
    for thread in threads:
        thread.join()

    assert served == [0, 1, 2, 3, 4]


def test_no_slot_is_lost_when_waits_time_out():
    """All slots are free at the end, even if many waits time out just as a slot is released."""
    slots = FairSemaphore(3)

    def acquire_repeatedly(seed):
        for number in range(300):
            holder = Holder()
            if slots.acquire(holder, (seed + number) % 3 * 0.0002):
                slots.release(holder)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(acquire_repeatedly, range(12)))

    assert taken(slots, 4)[0] == [True, True, True, False]


@contextmanager
def interrupted(handler):
    """Let `handler` run in the main thread when an alarm comes, like a handler of Ctrl-C."""
    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


def acquire_and_release(slots, timeout):
    """Wait for a slot as a call does."""
    holder = Holder()
    try:
        return slots.acquire(holder, timeout)
    finally:
        slots.release(holder)


@needs_signals
@pytest.mark.parametrize("timeout", [LONG_TIMEOUT, 1e300], ids=["short", "longer than any lock"])
def test_an_interrupted_wait_leaves_the_queue(timeout):
    """A wait that ends in an exception keeps no position in the queue and no slot."""
    slots = FairSemaphore(1)
    first = Holder()
    slots.acquire(first, LONG_TIMEOUT)

    def handler(*_):
        raise KeyboardInterrupt

    with interrupted(handler), pytest.raises(KeyboardInterrupt):
        alarmed(0.05, lambda: acquire_and_release(slots, timeout))
    slots.release(first)

    assert taken(slots, 2)[0] == [True, False]


@needs_signals
def test_a_slot_received_during_an_interrupt_is_returned():
    """If a thread receives a slot and Ctrl-C at the same moment, it returns the slot."""
    slots = FairSemaphore(1)
    first = Holder()
    slots.acquire(first, LONG_TIMEOUT)

    def handler(*_):
        slots.release(first)
        raise KeyboardInterrupt

    with interrupted(handler), pytest.raises(KeyboardInterrupt):
        alarmed(0.05, lambda: acquire_and_release(slots, LONG_TIMEOUT))

    assert taken(slots, 2)[0] == [True, False]


@needs_signals
def test_a_slot_received_at_the_timeout_is_acquired():
    """A thread whose timeout passes just as it receives a slot has acquired the slot."""
    slots = FairSemaphore(1)
    first, second = Holder(), Holder()
    slots.acquire(first, LONG_TIMEOUT)

    def handler(*_):
        # The timeout passes during this pause, so the interrupted wait does not try again.
        time.sleep(1.5)
        slots.release(first)

    with interrupted(handler):
        assert alarmed(0.05, lambda: slots.acquire(second, 1.5))

    assert not taken(slots, 1)[0][0]


@pytest.mark.parametrize("line", range(1, 40))
def test_no_line_of_the_semaphore_loses_a_slot(line):
    """An exception at any line of `acquire` or `release` leaves the slot to a waiting thread."""
    slots = FairSemaphore(1)

    def interrupted_wait():
        before = sys.gettrace()
        with suppress(KeyboardInterrupt):
            sys.settrace(raise_at(line))
            try:
                acquire_and_release(slots, LONG_TIMEOUT)
            finally:
                sys.settrace(before)

    first = Holder()
    slots.acquire(first, LONG_TIMEOUT)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(interrupted_wait)]
        calls.append(pool.submit(acquire_and_release, slots, LONG_TIMEOUT))
        slots.release(first)
        assert calls[1].result()
        calls[0].result()

    assert taken(slots, 2)[0] == [True, False]


def raise_at(line):
    """Return a trace function that raises `KeyboardInterrupt` at the line of this number."""
    left = iter(range(line))

    def trace(frame, event, _):
        if not frame.f_code.co_filename.endswith("fair_semaphore.py"):
            return None
        is_context = "with " in linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and not is_context and next(left, None) is None:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    return trace
