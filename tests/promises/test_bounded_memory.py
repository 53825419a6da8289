"""Promise: a response may cost a small multiple of its request, and no more."""

import tracemalloc

import pytest
from openrouter_rerank.errors import InvalidResponseError
from openrouter_rerank.local.stage import Fault

MIB = 1024 * 1024
HUGE = Fault.huge_body(256 * MIB)
BOMB = Fault.gzip_bomb(64 * MIB)


@pytest.fixture
def growth(make):
    """Tells the peak of what has been allocated since, without what a first call imports."""
    make().rerank("q", ["a"])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield lambda: tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()


@pytest.mark.parametrize("line", [HUGE, BOMB], ids=str)
def test_a_giant_answer_is_given_up(make, stage, growth, measured, line):
    """An answer of hundreds of mebibytes is not read to its end, and not unpacked."""
    stage.script(line)

    with pytest.raises(InvalidResponseError):
        make(max_retries=0).rerank("q", ["a"])

    measured("MiB for a giant answer", growth() / MIB)
    assert growth() < 4 * MIB


def test_a_large_honest_answer_is_read(make):
    """An echo of megabytes is read: the bound grows with the request."""
    documents = [f"{at} " + "x" * 100_000 for at in range(30)]

    assert len(make().rerank("q", documents).results) == 30
