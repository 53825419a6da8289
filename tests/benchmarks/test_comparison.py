"""How measured blocks become a comparison."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.comparison import Pair, compared

NAMES = {"client": "c", "case": "ten", "baseline": "httpx"}
seconds = st.floats(0.001, 10)


def pair(cpu, baseline_cpu, **fields):
    """Return a pair of blocks whose wall times equal their CPU times."""
    return Pair(cpu=cpu, wall=cpu, baseline_cpu=baseline_cpu, baseline_wall=baseline_cpu, **fields)


def test_a_ratio_is_the_median_of_the_pairs():
    """One block that another program has slowed does not change the ratio."""
    found = compared([pair(2, 1), pair(9, 1), pair(4, 2)], **NAMES, calls=10)

    assert (found.cpu, found.wall, found.milliseconds) == (2, 2, 400)


@given(st.lists(st.tuples(seconds, seconds), min_size=1), st.floats(0.1, 10))
def test_a_slow_machine_changes_no_ratio(blocks, slowness):
    """A factor that slows a block and its baseline equally does not change the ratios."""
    quick = compared([pair(measured, baseline) for measured, baseline in blocks], **NAMES, calls=1)
    slow = compared(
        [pair(slowness * measured, slowness * baseline) for measured, baseline in blocks],
        **NAMES,
        calls=1,
    )

    assert slow.cpu == pytest.approx(quick.cpu)


def test_failures_and_connections_are_counted_in_all_blocks():
    """A comparison has the sums of failed calls and of new connections in all blocks."""
    found = compared(
        [pair(1, 1, failed=1, connections=2), pair(1, 1, failed=2, connections=0)],
        **NAMES,
        calls=10,
    )

    assert (found.failed, found.connections, found.calls) == (3, 2, 20)
