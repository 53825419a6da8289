"""
A local OpenRouter in its own process, which responds with a fault to one request in ten.

`python -m tests.soak.faulty SEED` prints its base URL, and ends when its standard input ends.
"""

import random
import subprocess
import sys
import threading
from contextlib import contextmanager

from openrouter_rerank.local.stage import Fault, Reply, Stage, error, results, word_overlap

FAULTY = 0.1
# Every 30 seconds the stage is reset, which closes all connections, as a restart of a server does.
RESTART = 30.0

SMALL = {
    "huge_body": Fault.huge_body(2_000_000),
    "gzip_bomb": Fault.gzip_bomb(2_000_000),
    "late_head": Fault.late_head(0.05),
}
FAULTS = [
    *(SMALL.get(fault.name, fault) for fault in Fault.every()),
    *(error(status, "busy") for status in (400, 401, 402, 403, 404, 408, 413, 422)),
    *(error(status, "busy") for status in (429, 500, 502, 503, 504, 524, 529)),
    *(error(429, "busy", retry_after=hint) for hint in ("0", "1", "60", "inf", "1e999", "\u0663")),
    error(400, "busy", status=200),
    Reply(body=b"<html><title>Bad gateway</title></html>", status=502),
    Reply(body={}),
    Reply(body=b"[" * 100_000),
    results((0, 0.5), (0, 0.4)),
    results((0, 0.5), (99, 0.4)),
    results((0, 0.5), (-1, 0.4)),
    results((0, None)),
    results((0, float("nan"))),
    results(),
]


@contextmanager
def faulty_openrouter(seed):
    """Start the process. The value is its base URL."""
    command = [sys.executable, "-m", "tests.soak.faulty", str(seed)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()


def main(seed):
    """Serve until standard input ends."""
    rng = random.Random(seed)
    ended = threading.Event()

    def reply(request):
        return rng.choice(FAULTS) if rng.random() < FAULTY else word_overlap(request)

    def wait_for_end():
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    with Stage() as stage:
        stage.always(reply)
        sys.stdout.write(f"{stage.base_url}\n")
        sys.stdout.flush()
        while not ended.wait(RESTART):
            stage.reset()
            stage.always(reply)


if __name__ == "__main__":
    main(int(sys.argv[1]))
