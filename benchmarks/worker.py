"""
The process that one client has for itself: `python -m benchmarks.worker MODULE`.

It reads a command a line and answers with a line, both JSON: `ready` makes the client, `prepare`
also makes a call to warm it up, `block` measures calls, `peak` the memory of one.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module

from .peak import Peak
from .task import AsyncCall, Call, Task

Answer = dict[str, object]


class Worker:
    """Carries out the commands, with one event loop for all of them."""

    def __init__(self, module: str) -> None:
        self._module = import_module(module)
        self._runner = asyncio.Runner()
        self._call: Call | None = None
        self._async_call: AsyncCall | None = None
        self._task: Task | None = None

    def prepare(self, name: str, task: Task) -> Answer:
        """Make the client, and one call with it; return how many documents came back."""
        self.ready(name, task)
        return {"results": self._runner.run(self._once())}

    def ready(self, name: str, task: Task) -> Answer:
        """Make the client and its documents."""
        self._task, self._call, self._async_call = task, None, None
        maker = getattr(self._module, name)
        if task.asynchronous:
            self._async_call = maker(task)
        else:
            self._call = maker(task)
        return {}

    def block(self, calls: int) -> Answer:
        """Make calls, as many at a time as the task says; return seconds of CPU and of wall."""
        gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        failed = self._runner.run(self._all(calls)) if self._async_call else self._each(calls)
        return {
            "cpu": time.process_time() - cpu,
            "wall": time.perf_counter() - wall,
            "failed": failed,
        }

    def peak(self) -> Answer:
        """Make one call; return by how many bytes it raised the peak of this process."""
        gc.collect()
        with Peak() as peak:
            self._runner.run(self._once())
        return {"peak": peak.bytes}

    async def _once(self) -> int:
        if self._async_call:
            return await self._async_call()
        return self._call() if self._call else 0

    def _each(self, calls: int) -> int:
        return sum(_fails(self._call) for _ in range(calls)) if self._call else 0

    async def _all(self, calls: int) -> int:
        remaining, failed = iter(range(calls)), 0

        async def caller() -> None:
            nonlocal failed
            for _ in remaining:
                try:
                    await self._once()
                except Exception:  # noqa: BLE001 - whatever a peer raises is counted
                    failed += 1

        many = self._task.in_flight if self._task else 1
        await asyncio.gather(*(caller() for _ in range(min(many, calls))))
        return failed


def _fails(call: Call) -> bool:
    try:
        call()
    except Exception:  # noqa: BLE001 - whatever a peer raises is counted
        return True
    return False


def main(module: str) -> None:
    """Answer commands until there are no more."""
    # Libraries that print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker(module)
    commands: dict[str, Callable[..., Answer]] = {
        "block": worker.block,
        "peak": worker.peak,
        "prepare": lambda name, task: worker.prepare(name, Task.of(**task)),
        "ready": lambda name, task: worker.ready(name, Task.of(**task)),
    }
    for line in sys.stdin:
        command, arguments = json.loads(line)
        try:
            answer = commands[command](**arguments)
        except Exception as error:  # noqa: BLE001 - told to the harness, which goes on
            answer = {"error": f"{type(error).__name__}: {error!s:.300}"}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
