"""Promise: the memory for a response is limited to a small multiple of its request."""

import tracemalloc

import pytest
from openrouter_rerank.errors import InvalidResponseError
from openrouter_rerank.local.stage import Fault

MIB = 1024 * 1024
HUGE_BODY = Fault.huge_body(256 * MIB)
GZIP_BOMB = Fault.gzip_bomb(64 * MIB)


@pytest.fixture
def peak_growth(make_client):
    """A function that returns the peak of the bytes allocated since the first call."""
    make_client().rerank("q", ["a"])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield lambda: tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()


@pytest.mark.parametrize("reply", [HUGE_BODY, GZIP_BOMB], ids=str)
def test_a_huge_response_is_not_read_to_its_end(
    make_client, stage, peak_growth, record_measurement, reply
):
    """A response of hundreds of mebibytes is neither read to its end nor decompressed."""
    stage.script(reply)

    with pytest.raises(InvalidResponseError):
        make_client(max_retries=0).rerank("q", ["a"])

    record_measurement("MiB for a huge response", peak_growth() / MIB)
    assert peak_growth() < 4 * MIB


def test_a_large_valid_response_is_read(make_client):
    """A response that echoes megabytes is read, because the limit grows with the request."""
    documents = [f"{number} " + "x" * 100_000 for number in range(30)]

    assert len(make_client().rerank("q", documents).results) == 30
