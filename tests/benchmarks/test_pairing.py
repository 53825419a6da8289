"""What becomes of the measured blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pairing import Pair, compared

NAMES = {"client": "c", "case": "ten", "yardstick": "httpx"}
seconds = st.floats(0.001, 10)


def pair(cpu, yardstick_cpu, **fields):
    """One block of a client and one of the yardstick, that wait for nothing."""
    return Pair(
        cpu=cpu, wall=cpu, yardstick_cpu=yardstick_cpu, yardstick_wall=yardstick_cpu, **fields
    )


def test_a_ratio_is_the_median_of_the_pairs():
    """One block that the machine has disturbed does not move the ratio."""
    found = compared([pair(2, 1), pair(9, 1), pair(4, 2)], **NAMES, calls=10)

    assert (found.cpu, found.wall, found.milliseconds) == (2, 2, 400)


@given(st.lists(st.tuples(seconds, seconds), min_size=1), st.floats(0.1, 10))
def test_a_slow_machine_changes_no_ratio(blocks, slowness):
    """What slows a block and its yardstick alike is not seen in the ratios."""
    quick = compared([pair(ours, floor) for ours, floor in blocks], **NAMES, calls=1)
    slow = compared(
        [pair(slowness * ours, slowness * floor) for ours, floor in blocks], **NAMES, calls=1
    )

    assert slow.cpu == pytest.approx(quick.cpu)


def test_failures_and_connections_are_counted_in_all_blocks():
    """Failed calls and new connections of all blocks are summed up."""
    found = compared(
        [pair(1, 1, failed=1, connections=2), pair(1, 1, failed=2, connections=0)],
        **NAMES,
        calls=10,
    )

    assert (found.failed, found.connections, found.calls) == (3, 2, 20)
