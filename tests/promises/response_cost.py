"""
A program that makes calls, each in a separate process, and writes what each call has cost.

It reads the kinds of calls from its input, a line for each: `rerank` or `models`. For each call it
writes a line of JSON: the seconds of processor time, the growth of the memory in bytes, and the
class of the outcome.
Arguments: the base URL, the number of documents, and the characters of each.
"""

import gc
import json
import os
import sys
import time
from pathlib import Path

from openrouter_rerank import RerankClient
from openrouter_rerank.errors import OpenRouterRerankError

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def outcome_of(client, kind, documents):
    """Make a call and return its outcome: a ranking, a listing or an error."""
    try:
        return client.models() if kind == "models" else client.rerank("q", documents, model="m")
    except OpenRouterRerankError as error:
        return error


def memory(name):
    """Return the memory of this process in bytes: `VmRSS` is that of now, `VmHWM` the peak."""
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(lines[name].split()[0]) * 1024


def measured(client, kind, documents):
    """Make a call. Return its processor time, the growth of the memory and the class of outcome."""
    gc.collect()
    # The peak begins again from here.
    _RESET.write_text("5")
    before = memory("VmRSS")
    started = time.thread_time()
    outcome = outcome_of(client, kind, documents)
    seconds = time.thread_time() - started
    return seconds, memory("VmHWM") - before, type(outcome).__name__


def main():
    """Measure a call for each line of the input."""
    base_url, count, characters = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    documents = [f"{number:05}" + "x" * (characters - 5) for number in range(count)]
    client = RerankClient(base_url=base_url, api_key="sk-test", timeout=100, max_retries=0)
    # What is imported or cached by the first call and the first error is not a cost of a response.
    for kind in ("rerank", "rerank", "models"):
        outcome_of(client, kind, documents)
    for kind in map(str.strip, sys.stdin):
        reader, writer = os.pipe()
        # The memory that an earlier call has left in the process would hide that of this one.
        if os.fork() == 0:
            os.write(writer, json.dumps(measured(client, kind, documents)).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as lines:
            sys.stdout.write(lines.read() + "\n")
        sys.stdout.flush()
        os.wait()


if __name__ == "__main__":
    main()
