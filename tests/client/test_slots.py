"""The slots that threads wait for."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from openrouter_rerank._transport.fair_semaphore import Slots

LONG = 10


def test_no_more_threads_than_slots():
    """A slot is free until it is taken, and again when it was given back."""
    slots = Slots(2)

    assert [slots.acquire(0.01) for _ in range(3)] == [True, True, False]
    slots.release()

    assert [slots.acquire(0.01) for _ in range(2)] == [True, False]


def test_the_longest_waiting_is_next():
    """Those who wait get their turn in the order in which they came."""
    slots = Slots(1)
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
        while len(slots._turns) <= number:  # noqa: SLF001 - else nobody knows who came first
            pass
    slots.release()
    for thread in threads:
        thread.join()

    assert served == [0, 1, 2, 3, 4]


def test_no_slot_is_lost_among_those_who_give_up():
    """However many waits end just when a slot comes, all slots are there in the end."""
    slots = Slots(3)
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
    """A wait that an exception ends keeps neither a place nor a slot."""
    slots = Slots(1)
    slots.acquire(LONG)

    with pytest.raises(OverflowError):
        slots.acquire(1e300)  # Not even a lock waits for that long
    slots.release()

    assert [slots.acquire(0.01) for _ in range(2)] == [True, False]
