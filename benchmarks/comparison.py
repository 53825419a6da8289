"""
Comparisons of a client with a baseline, from alternating blocks of calls.

Other programs slow both blocks of a pair, so the ratios are also valid on a busy machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from .cases import Case
from .catalog import Client
from .processes import Service, Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One block of a client, and the block of its baseline right before it. Times in seconds."""

    cpu: float
    wall: float
    baseline_cpu: float
    baseline_wall: float
    failed: int = 0
    connections: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a client needs for a case, compared with its baseline. Ratios are medians of pairs."""

    client: str
    case: str
    baseline: str
    cpu: float
    """Ratio of CPU time. Lower is better."""
    wall: float
    """Ratio of wall time. Lower is better."""
    milliseconds: float
    """CPU time per call."""
    rate: float
    """Calls per second."""
    failed: int
    calls: int
    connections: int
    """Connections opened during all blocks, so without those of the warm-up call."""


def compared(
    pairs: Sequence[Pair], *, client: str, case: str, baseline: str, calls: int
) -> Comparison:
    """Summarise `pairs` whose blocks have `calls` calls each."""
    return Comparison(
        client=client,
        case=case,
        baseline=baseline,
        cpu=median(pair.cpu / pair.baseline_cpu for pair in pairs),
        wall=median(pair.wall / pair.baseline_wall for pair in pairs),
        milliseconds=1000 * median(pair.cpu for pair in pairs) / calls,
        rate=calls / median(pair.wall for pair in pairs),
        failed=sum(pair.failed for pair in pairs),
        calls=calls * len(pairs),
        connections=sum(pair.connections for pair in pairs),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A client to compare with, its process, and its case if that is a different one."""

    worker: Worker
    client: Client
    case: Case | None = None


def compare(
    worker: Worker, case: Case, baseline: Baseline, service: Service, *, rounds: int
) -> Comparison:
    """Measure `rounds` pairs of blocks."""
    baseline_case = baseline.case or case
    # A warm-up call could meet a fault, and then a client without retries would not be measured.
    start = Worker.create if case.faults else Worker.warm_up
    start(baseline.worker, "baseline", baseline_case, service, client=baseline.client)
    start(worker, "measured", case, service, client=worker.client)
    pairs: list[Pair] = []
    for _ in range(rounds):
        baseline_block = baseline.worker.run_block("baseline", case.calls)
        before = service.counts()["connections"]
        block = worker.run_block("measured", case.calls)
        pairs.append(
            Pair(
                cpu=block["cpu"],
                wall=block["wall"],
                baseline_cpu=baseline_block["cpu"],
                baseline_wall=baseline_block["wall"],
                failed=block["failed"],
                # Reading the counts opens one connection, which is not the client's.
                connections=service.counts()["connections"] - before - 1,
            )
        )
    return compared(
        pairs,
        client=worker.client.name,
        case=case.name,
        baseline=baseline.client.name,
        calls=case.calls,
    )


def peak(client: Client, case: Case, service: Service) -> int:
    """
    Return by how many bytes one call increases the peak memory of a new process.

    The process has made one small call before.
    """
    with Worker(client) as worker:
        small = replace(case, workload=replace(case.workload, documents=1, top_n=None))
        worker.warm_up("measured", small, service, client=client)
        worker.create("measured", case, service, client=client)
        return worker.measure_peak("measured")
