"""Blocks of calls in turn with blocks of a yardstick: ratios that hold on a busy machine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from .cases import Case
from .catalog import Client
from .children import Service, Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One block of a client, and the block of its yardstick right before; seconds."""

    cpu: float
    wall: float
    yardstick_cpu: float
    yardstick_wall: float
    failed: int = 0
    connections: int = 0


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
    """Opened in all blocks, that is after a first call."""


def compared(
    pairs: Sequence[Pair], *, client: str, case: str, yardstick: str, calls: int
) -> Comparison:
    """Sum up `pairs` of blocks of `calls`."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What a client is measured by: a client in a process, and a case if it is another one."""

    worker: Worker
    client: Client
    case: Case | None = None


def compare(
    worker: Worker, case: Case, yardstick: Yardstick, service: Service, *, rounds: int
) -> Comparison:
    """Measure `rounds` pairs of blocks, of as many calls each."""
    floor_case = yardstick.case or case
    # A call to warm up could meet a fault, and not every client would survive it.
    begin = Worker.ready if case.faults else Worker.prepare
    begin(yardstick.worker, "yardstick", floor_case, service, client=yardstick.client)
    begin(worker, "measured", case, service, client=worker.client)
    pairs: list[Pair] = []
    for _ in range(rounds):
        floor = yardstick.worker.block("yardstick", case.calls)
        before = service.tally()["connections"]
        block = worker.block("measured", case.calls)
        pairs.append(
            Pair(
                cpu=block["cpu"],
                wall=block["wall"],
                yardstick_cpu=floor["cpu"],
                yardstick_wall=floor["wall"],
                failed=block["failed"],
                # The one that asks for the tally is among them.
                connections=service.tally()["connections"] - before - 1,
            )
        )
    return compared(
        pairs,
        client=worker.client.name,
        case=case.name,
        yardstick=yardstick.client.name,
        calls=case.calls,
    )


def peak(client: Client, case: Case, service: Service) -> int:
    """Return by how many bytes one call raises the peak of a fresh process that is warm."""
    with Worker(client) as worker:
        small = replace(case, workload=replace(case.workload, documents=1, top_n=None))
        worker.prepare("measured", small, service, client=client)
        worker.ready("measured", case, service, client=client)
        return worker.peak("measured")
