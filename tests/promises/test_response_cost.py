"""Promise: no response, of any JSON, costs more memory or time than its request allows."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from openrouter_rerank._wire.request import encode
from openrouter_rerank.local.stage import Reply, error

from tests.hostile_json import FILLERS, SHAPES
from tests.repetitions import repetitions

PROGRAM = Path(__file__).with_name("response_cost.py")
MIB = 1024 * 1024
# The limits of the listing of models, which has no documents.
LISTING_BYTES, LISTING_MARKS = 4 * MIB, 70_000
# Seconds after the deadline.
MOST_LATE = 0.1
# Seconds for each byte: a response is refused as late if it comes later than this, less half of
# MOST_LATE, before the deadline.
DECODING_TIME = 20e-9
# The memory that a call may use: a multiple of the longest response to its request, and what does
# not depend on the response.
MOST_TIMES, MOST_CONSTANT = 10, 4 * MIB
# The memory for a list of models, whose request has no body.
MOST_OF_LISTING = 48 * MIB
# Times that a call is made until its processor time is low enough: on a busy machine, the same work
# needs more of it.
TRIES = 5

OUTCOMES = {
    "ranking": {"Ranking", "InvalidResponseError", "APIStatusError"},
    "error": {"BadGatewayError"},
    "listing": {"ModelListing"},
}

SMALL = (1, 10)
LARGE = (1_000, 5_000)
# One shape of each kind of request and of each limit.
FEW = [
    *("ranking: numbers in results", "ranking: lists in an unknown field"),
    *("ranking: numbers in results, after a surrogate", "ranking: lone surrogates in document"),
    *("ranking: one emoji in id", "error: objects in message", "error: newlines in message"),
    *("listing: entries", "listing: one emoji in id"),
]


# For a few shapes each, because a test that takes minutes counts as one that hangs.
GROUPS = repetitions(local=[FEW], ci=[FEW], full=[[*SHAPES][at::10] for at in range(10)])


@contextmanager
def calls(stage, documents, characters):
    """A function that returns the costs of a call of a kind that gets a reply."""
    command = [sys.executable, PROGRAM, stage.base_url, str(documents), str(characters)]
    stage.script(Reply(body={}), error(500, "m"), Reply(body={"data": [{"id": "a/b"}]}))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def cost_of(kind, reply):
            stage.script(reply)
            process.stdin.write(f"{kind}\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield cost_of
        process.stdin.close()


def bodies(shape, longest, most_marks):
    """Yield the longest responses of a shape: with as many values as fit, and as are allowed."""
    yield shape.of_size(longest)
    if shape.unit.endswith(b","):
        for filler in ("newlines", "one emoji"):
            yield shape.with_marks(longest, most_marks, FILLERS[filler])


def limits(shape, documents, characters):
    """Return the size and the brackets and commas of the longest response that is read."""
    if shape.kind == "listing":
        return LISTING_BYTES, LISTING_MARKS
    texts = [f"{number:05}" + "x" * (characters - 5) for number in range(documents)]
    request = encode("m", "q", texts)
    return request.longest_response, request.most_marks


def seconds_late(seconds, size):
    """Return how late a call is if it gets the last byte as late as possible, and then decodes."""
    return seconds - max(size * DECODING_TIME - MOST_LATE / 2, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the peak of the memory")
@pytest.mark.parametrize(
    ("documents", "characters", "names"),
    [
        *(pytest.param(*SMALL, names, id=f"small {at}") for at, names in enumerate(GROUPS)),
        pytest.param(*LARGE, repetitions(local=FEW[2:3], ci=FEW[2:3], full=FEW), id="large"),
    ],
)
def test_no_json_costs_much(stage, record_measurement, documents, characters, names):
    """The longest response of each shape costs little processor time and memory."""
    with calls(stage, documents, characters) as cost_of:
        for name in names:
            shape = SHAPES[name]
            longest, most_marks = limits(shape, documents, characters)
            for body in bodies(shape, longest, most_marks):
                assert len(body) <= longest
                kind = "models" if shape.kind == "listing" else "rerank"
                reply = Reply(status=502 if shape.kind == "error" else 200, body=body)
                for _ in range(TRIES):
                    # All the work of the call, so more than the work after the last byte.
                    seconds, growth, outcome = cost_of(kind, reply)
                    if seconds_late(seconds, len(body)) <= MOST_LATE:
                        break
                late = seconds_late(seconds, len(body))
                what = kind if kind == "models" else f"{documents} documents"
                record_measurement(f"ms of processor time, {what}", seconds * 1000)
                record_measurement(f"ms late, {what}", late * 1000)
                record_measurement(f"MiB of memory, {what}", growth / MIB)
                assert late <= MOST_LATE, name
                most = MOST_TIMES * longest + MOST_CONSTANT
                assert growth <= (MOST_OF_LISTING if kind == "models" else most), name
                assert outcome in OUTCOMES[shape.kind], name
