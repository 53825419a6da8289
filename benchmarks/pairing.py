"""Blocks of calls in turn with blocks of a yardstick: ratios that hold on a busy machine."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

from .cases import Case
from .catalog import Client

ROOT = Path(__file__).parents[1]


class ClientFailedError(Exception):
    """A client could not make a call: its name, and what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One block of a client, and the block of its yardstick right before."""

    cpu: float
    wall: float
    yardstick_cpu: float
    yardstick_wall: float
    failed: int
    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a client needs for a case, beside its yardstick; ratios are medians of pairs."""

    client: str
    case: str
    yardstick: str
    cpu: float
    """Ratio of CPU; smaller is better."""
    wall: float
    """Ratio of time; smaller is better."""
    milliseconds: float
    """Of CPU, for a call."""
    rate: float
    """Calls a second."""
    failed: int
    calls: int
    connections: int
    """New ones, for all blocks but the call that warms up."""


def compared(pairs: list[Pair], *, calls: int, names: tuple[str, str, str]) -> Comparison:
    """Sum up `pairs` of blocks of `calls`; `names` are of the client, the case, the yardstick."""
    client, case, yardstick = names
    return Comparison(
        client=client,
        case=case,
        yardstick=yardstick,
        cpu=median(pair.cpu / pair.yardstick_cpu for pair in pairs),
        wall=median(pair.wall / pair.yardstick_wall for pair in pairs),
        milliseconds=1000 * median(pair.cpu for pair in pairs) / calls,
        rate=calls / median(pair.wall for pair in pairs),
        failed=sum(pair.failed for pair in pairs),
        calls=calls * len(pairs),
        connections=sum(pair.connections for pair in pairs),
    )


def python_of(environment: str) -> str:
    """Return the interpreter of an environment, or of this one if it is that."""
    found = ROOT / "build" / environment / "bin" / "python"
    return str(found) if found.exists() else sys.executable


def environment() -> dict[str, str]:
    """Return the variables of this process, without proxies, keys and tracing."""
    ours = ("_PROXY", "_API_KEY", "_TRACING", "_TRACING_V2", "_API_BASE")
    kept = {name: os.environ[name] for name in os.environ if not name.upper().endswith(ours)}
    return kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONWARNINGS": "ignore"}


class _Process:
    """A child that is told by lines and answers by lines."""

    def __init__(self, python: str, *arguments: str) -> None:
        self._child = subprocess.Popen(
            [python, "-m", *arguments],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def answer(self) -> str:
        """Wait for a line."""
        return self._child.stdout.readline() if self._child.stdout else ""

    def tell(self, line: str) -> None:
        """Send a line."""
        if self._child.stdin:
            self._child.stdin.write(f"{line}\n")
            self._child.stdin.flush()

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        self._child.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Service(_Process):
    """The service that all clients ask."""

    def __init__(self) -> None:
        super().__init__(sys.executable, "benchmarks.service")
        self._port = int(self.answer())
        self.url = f"http://127.0.0.1:{self._port}"

    def tally(self) -> dict[str, int]:
        """Return the counts of connections and of requests."""
        with closing(HTTPConnection("127.0.0.1", self._port)) as line:
            line.request("GET", "/tally")
            counts: dict[str, int] = json.load(line.getresponse())
            return counts


class Worker(_Process):
    """The process of one client."""

    def __init__(self, client: Client) -> None:
        self.client = client
        module = f"benchmarks.clients.{client.module}"
        super().__init__(python_of(client.environment), "benchmarks.worker", module)

    def prepare(self, case: Case, service: Service) -> None:
        """Make the client ready for `case`, and see that it answers in full."""
        name = self.client.asynchronous if case.asynchronous else self.client.synchronous
        found = self.ask("prepare", name=name, task=case.task(service.url).fields())
        if found["results"] != case.workload.results:
            raise ClientFailedError(f"{self.client.name} returned {found} for {case.name}")

    def ask(self, command: str, **arguments: object) -> Mapping[str, Any]:
        """Have a command carried out."""
        self.tell(json.dumps([command, arguments]))
        line = self.answer()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the process has ended"}
        if "error" in answer:
            raise ClientFailedError(f"{self.client.name}: {answer['error']}")
        return answer


def compare(
    worker: Worker,
    case: Case,
    yardstick: Worker,
    service: Service,
    *,
    rounds: int,
    yardstick_case: Case | None = None,
) -> Comparison:
    """Measure `rounds` pairs of blocks; the calls of both cases are as many."""
    yardstick.prepare(yardstick_case or case, service)
    worker.prepare(case, service)
    pairs = []
    for _ in range(rounds):
        floor = yardstick.ask("block", calls=case.calls)
        before = service.tally()["connections"]
        block = worker.ask("block", calls=case.calls)
        # The connection that asks for the tally is one of them.
        opened = service.tally()["connections"] - before - 1
        pairs.append(
            Pair(
                cpu=block["cpu"],
                wall=block["wall"],
                yardstick_cpu=floor["cpu"],
                yardstick_wall=floor["wall"],
                failed=block["failed"],
                connections=opened,
            )
        )
    names = (worker.client.name, case.name, yardstick.client.name)
    return compared(pairs, calls=case.calls, names=names)


def peak(client: Client, case: Case, service: Service) -> int:
    """Return by how many bytes one call raises the peak of a fresh process that is warm."""
    with Worker(client) as worker:
        workload = replace(case.workload, documents=1, top_n=None)
        worker.prepare(replace(case, workload=workload), service)
        name = client.asynchronous if case.asynchronous else client.synchronous
        worker.ask("ready", name=name, task=case.task(service.url).fields())
        return int(worker.ask("peak")["peak"])
