"""The semaphore that threads wait on for a request slot."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from openrouter_rerank._transport.fair_semaphore import FairSemaphore

LONG_TIMEOUT = 10


def test_no_more_slots_than_the_limit():
    """A slot is free until it is acquired, and free again after it is released."""
    slots = FairSemaphore(2)

    assert [slots.acquire(0.01) for _ in range(3)] == [True, True, False]
    slots.release()

    assert [slots.acquire(0.01) for _ in range(2)] == [True, False]


def test_slots_are_given_in_the_order_of_waiting():
    """Waiting threads get the slot in the order in which they began to wait."""
    slots = FairSemaphore(1)
    slots.acquire(LONG_TIMEOUT)
    served = []
    threads = []

    def wait(number):
        slots.acquire(LONG_TIMEOUT)
        served.append(number)
        slots.release()

    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(slots._waiting) <= number:  # noqa: SLF001 - no public attribute shows it
            pass
    slots.release()
    for thread in threads:
        thread.join()

    assert served == [0, 1, 2, 3, 4]


def test_no_slot_is_lost_when_waits_time_out():
    """All slots are free at the end, even if many waits time out just as a slot is released."""
    slots = FairSemaphore(3)
    allowed = threading.Semaphore(3)

    def acquire_repeatedly(seed):
        for number in range(300):
            if slots.acquire((seed + number) % 3 * 0.0002):
                assert allowed.acquire(blocking=False)
                allowed.release()
                slots.release()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(acquire_repeatedly, range(12)))

    assert [slots.acquire(0.01) for _ in range(4)] == [True, True, True, False]


def test_an_interrupted_wait_leaves_the_queue():
    """A wait that ends in an exception keeps no position in the queue and no slot."""
    slots = FairSemaphore(1)
    slots.acquire(LONG_TIMEOUT)

    with pytest.raises(OverflowError):
        slots.acquire(1e300)  # No lock can wait that long
    slots.release()

    assert [slots.acquire(0.01) for _ in range(2)] == [True, False]


@contextmanager
def interrupted(handler):
    """Run `handler` in the main thread after 50 ms, like a handler of Ctrl-C."""
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
def test_a_slot_received_during_an_interrupt_is_returned():
    """If a thread receives a slot and Ctrl-C at the same moment, it returns the slot."""
    slots = FairSemaphore(1)
    slots.acquire(LONG_TIMEOUT)

    def handler(*_):
        slots.release()
        raise KeyboardInterrupt

    with interrupted(handler), pytest.raises(KeyboardInterrupt):
        slots.acquire(LONG_TIMEOUT)

    assert [slots.acquire(0.01) for _ in range(2)] == [True, False]


@needs_alarms
def test_a_slot_received_at_the_timeout_is_acquired():
    """A thread whose timeout passes just as it receives a slot has acquired the slot."""
    slots = FairSemaphore(1)
    slots.acquire(LONG_TIMEOUT)

    def handler(*_):
        # The timeout passes during this pause, so the interrupted wait does not try again.
        time.sleep(0.4)
        slots.release()

    with interrupted(handler):
        assert slots.acquire(0.4)

    assert not slots.acquire(0.01)
