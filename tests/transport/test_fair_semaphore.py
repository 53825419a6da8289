"""The semaphore that threads wait on for a request slot."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from openrouter_rerank._transport.fair_semaphore import FairSemaphore

LONG = 10


def test_no_more_threads_than_slots():
    """A slot is free until it is acquired, and free again after it is released."""
    slots = FairSemaphore(2)

    assert [slots.acquire(0.01) for _ in range(3)] == [True, True, False]
    slots.release()

    assert [slots.acquire(0.01) for _ in range(2)] == [True, False]


def test_the_longest_waiting_is_next():
    """Waiting threads get the slot in the order in which they began to wait."""
    slots = FairSemaphore(1)
    slots.acquire(LONG)
    served = []
    threads = []

    def wait(number):
        slots.acquire(LONG)
        served.append(number)
        slots.release()

    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(slots._waiting) <= number:  # noqa: SLF001 - nothing else shows who came first
            pass
    slots.release()
    for thread in threads:
        thread.join()

    assert served == [0, 1, 2, 3, 4]


def test_no_slot_is_lost_among_those_who_give_up():
    """All slots are free at the end, even if many waits time out just as a slot is released."""
    slots = FairSemaphore(3)
    most = threading.Semaphore(3)

    def turns(seed):
        for at in range(300):
            if slots.acquire((seed + at) % 3 * 0.0002):
                assert most.acquire(blocking=False)
                most.release()
                slots.release()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(turns, range(12)))

    assert [slots.acquire(0.01) for _ in range(4)] == [True, True, True, False]


def test_an_interrupt_leaves_the_queue():
    """A wait that ends in an exception keeps neither its place in the queue nor a slot."""
    slots = FairSemaphore(1)
    slots.acquire(LONG)

    with pytest.raises(OverflowError):
        slots.acquire(1e300)  # No lock can wait that long
    slots.release()

    assert [slots.acquire(0.01) for _ in range(2)] == [True, False]


@contextmanager
def interrupted(handler):
    """Run `handler` in the main thread after 50 ms, as a handler of Ctrl-C would run."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


needs_alarms = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no alarm signals"
)


@needs_alarms
def test_a_slot_that_comes_with_an_interrupt_is_not_lost():
    """If a thread receives a slot and Ctrl-C in the same moment, it returns the slot."""
    slots = FairSemaphore(1)
    slots.acquire(LONG)

    def handler(*_):
        slots.release()
        raise KeyboardInterrupt

    with interrupted(handler), pytest.raises(KeyboardInterrupt):
        slots.acquire(LONG)

    assert [slots.acquire(0.01) for _ in range(2)] == [True, False]


@needs_alarms
def test_a_slot_that_comes_when_the_time_is_up_is_used():
    """A thread whose timeout passes just as it receives a slot has acquired the slot."""
    slots = FairSemaphore(1)
    slots.acquire(LONG)

    def handler(*_):
        # After this the timeout has passed, so the interrupted wait does not try its lock again.
        time.sleep(0.4)
        slots.release()

    with interrupted(handler):
        assert slots.acquire(0.4)

    assert not slots.acquire(0.01)
