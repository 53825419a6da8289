"""
The process of one client: `python -m benchmarks.worker MODULE`.

Each line of its input is a command, and each line of its output is the reply. Both are JSON.
`create` creates a client, `warm_up` also makes one call with it, `run_block` measures a block of
calls, and `measure_peak` measures the memory of one call. A process can have two clients, in two
roles.
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

Reply = dict[str, object]
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedClient:
    """A client with its documents. Either `call` or `async_call` makes its calls."""

    task: Task
    call: Call | None = None
    async_call: AsyncCall | None = None

    async def call_once(self) -> int:
        """Make one call, and return the number of results."""
        if self.async_call:
            return await self.async_call()
        return self.call() if self.call else 0

    async def call_many(self, calls: int) -> int:
        """Make calls with the task's concurrency, and return how many failed."""
        remaining, failed = iter(range(calls)), 0

        async def caller() -> None:
            nonlocal failed
            for _ in remaining:
                try:
                    await self.call_once()
                except Exception:  # noqa: BLE001 - peers may raise any exception, and it is counted
                    failed += 1

        await asyncio.gather(*(caller() for _ in range(min(self.task.in_flight, calls))))
        return failed


class Worker:
    """Carries out the commands, all in one event loop."""

    def __init__(self, module: str) -> None:
        self._module = import_module(module)
        self._runner = asyncio.Runner()
        self._clients: dict[str, PreparedClient] = {}

    def create(self, role: str, name: str, task: Fields) -> Reply:
        """Create the client and its documents."""
        self._clients[role] = self._created(name, Task.of(**task))
        return {}

    def _created(self, name: str, task: Task) -> PreparedClient:
        maker = getattr(self._module, name)
        if task.asynchronous:
            return PreparedClient(task=task, async_call=maker(task))
        return PreparedClient(task=task, call=maker(task))

    def warm_up(self, role: str, name: str, task: Fields) -> Reply:
        """Create the client, make one call, and return the number of results."""
        self.create(role, name, task)
        return {"results": self._runner.run(self._clients[role].call_once())}

    def run_block(self, role: str, calls: int) -> Reply:
        """Make calls. Return the seconds of CPU and wall time, and how many calls failed."""
        client = self._clients[role]
        # Otherwise a block sometimes pays for the garbage of earlier blocks. How much depends on
        # the number of objects that the framework has loaded.
        gc.collect()
        if client.task.in_flight == 1 and not client.task.faults:
            # The block of the other process has filled the caches of the processor.
            self._runner.run(client.call_once())
        cpu, wall = time.process_time(), time.perf_counter()
        if client.call:
            failed = sum(_fails(client.call) for _ in range(calls))
        else:
            failed = self._runner.run(client.call_many(calls))
        return {
            "cpu": time.process_time() - cpu,
            "wall": time.perf_counter() - wall,
            "failed": failed,
        }

    def measure_peak(self, role: str) -> Reply:
        """Make one call. Return by how many bytes it increased the peak memory of this process."""
        gc.collect()
        with Peak() as peak:
            self._runner.run(self._clients[role].call_once())
        return {"peak": peak.bytes}


def _fails(call: Call) -> bool:
    try:
        call()
    except Exception:  # noqa: BLE001 - peers may raise any exception, and it is counted
        return True
    return False


def main(module: str) -> None:
    """Carry out commands until the input ends."""
    # Some libraries print. Their output must not be read as a reply, so it goes to stderr.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker(module)
    commands: dict[str, Callable[..., Reply]] = {
        "create": worker.create,
        "measure_peak": worker.measure_peak,
        "run_block": worker.run_block,
        "warm_up": worker.warm_up,
    }
    for line in sys.stdin:
        command, arguments = json.loads(line)
        try:
            reply = commands[command](**arguments)
        except Exception as error:  # noqa: BLE001 - the reply has the error, and the run continues
            reply = {"error": f"{type(error).__name__}: {error!s:.300}"}
        replies.write(json.dumps(reply) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
