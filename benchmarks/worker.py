"""
The process that one client has for itself: `python -m benchmarks.worker MODULE`.

It reads a command a line and answers with a line, both JSON: `ready` makes the client, `prepare`
also makes a call to warm it up, `block` measures calls, `peak` the memory of one.
A process can have two clients at a time, in two roles.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .peak import Peak
from .task import AsyncCall, Call, Task

Answer = dict[str, object]
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A client that is ready to be called, in one of the two ways."""

    task: Task
    call: Call | None = None
    async_call: AsyncCall | None = None

    async def once(self) -> int:
        """Make one call."""
        if self.async_call:
            return await self.async_call()
        return self.call() if self.call else 0

    async def many(self, calls: int) -> int:
        """Make calls, as many at a time as the task says; return how many failed."""
        remaining, failed = iter(range(calls)), 0

        async def caller() -> None:
            nonlocal failed
            for _ in remaining:
                try:
                    await self.once()
                except Exception:  # noqa: BLE001 - whatever a peer raises is counted
                    failed += 1

        await asyncio.gather(*(caller() for _ in range(min(self.task.in_flight, calls))))
        return failed


class Worker:
    """Carries out the commands, with one event loop for all of them."""

    def __init__(self, module: str) -> None:
        self._module = import_module(module)
        self._runner = asyncio.Runner()
        self._prepared: dict[str, Prepared] = {}

    def ready(self, role: str, name: str, task: Fields) -> Answer:
        """Make the client and its documents."""
        self._prepared[role] = self._made(name, Task.of(**task))
        return {}

    def _made(self, name: str, task: Task) -> Prepared:
        maker = getattr(self._module, name)
        if task.asynchronous:
            return Prepared(task=task, async_call=maker(task))
        return Prepared(task=task, call=maker(task))

    def prepare(self, role: str, name: str, task: Fields) -> Answer:
        """Make the client, and one call with it; return how many documents came back."""
        self.ready(role, name, task)
        return {"results": self._runner.run(self._prepared[role].once())}

    def block(self, role: str, calls: int) -> Answer:
        """Make calls; return seconds of CPU and of wall, and how many failed."""
        prepared = self._prepared[role]
        # Or a block pays now and then for what is left of others, by what the framework has loaded.
        gc.collect()
        if prepared.task.in_flight == 1 and not prepared.task.faults:
            # The other process has had the caches of the processor.
            self._runner.run(prepared.once())
        cpu, wall = time.process_time(), time.perf_counter()
        if prepared.call:
            failed = sum(_fails(prepared.call) for _ in range(calls))
        else:
            failed = self._runner.run(prepared.many(calls))
        return {
            "cpu": time.process_time() - cpu,
            "wall": time.perf_counter() - wall,
            "failed": failed,
        }

    def peak(self, role: str) -> Answer:
        """Make one call; return by how many bytes it raised the peak of this process."""
        gc.collect()
        with Peak() as peak:
            self._runner.run(self._prepared[role].once())
        return {"peak": peak.bytes}


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
        "prepare": worker.prepare,
        "ready": worker.ready,
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
