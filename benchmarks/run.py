"""One run of the benchmarks: it measures, prints each figure, and saves it."""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from . import local_service
from .cases import Case
from .catalog import BASELINE, Client
from .clients.http_clients import body_of
from .comparison import Baseline, compare, peak
from .imports import Import, import_cost
from .processes import ClientFailedError, Service, Worker
from .results import PeakMemory, Results


class Run:
    """
    Measures into `results`, with one service and one process of the baseline.

    It calls `save` after each measurement. It does not repeat measurements that are in `results`
    already.
    """

    def __init__(self, results: Results, *, save: Callable[[], None]) -> None:
        self.results = results
        self._save = save
        self._service = Service()
        self._baseline = Worker(BASELINE)

    def compare_all(self, worker: Worker, wanted: Sequence[Case], *, rounds: int) -> None:
        """Compare a client with the baseline in each case that applies to it."""
        for case in wanted:
            if case.applies_to(worker.client):
                baseline = Baseline(worker=self._baseline, client=BASELINE)
                self.compare(worker, case, baseline, rounds=rounds)

    def compare(self, worker: Worker, case: Case, baseline: Baseline, *, rounds: int) -> None:
        """Compare a client with any baseline. If the client fails, note its error."""
        if self.results.comparison(worker.client.name, case.name, baseline.client.name):
            return
        try:
            found = compare(worker, case, baseline, self._service, rounds=rounds)
        except ClientFailedError as error:
            self._note(error)
            return
        self.results.comparisons.append(found)
        self._save()
        print(
            f"{found.client:42}{found.case:42} CPU {found.cpu:6.2f}  speed {1 / found.wall:6.2f}"
            f"  of {found.baseline}; {found.milliseconds:.2f} ms, {found.rate:.0f}/s,"
            f" {found.connections} new connections, {found.failed} failed",
            flush=True,
        )

    def measure_peaks(self, client: Client, wanted: Iterable[Case]) -> None:
        """Measure the peak memory of a client in each case that applies to it."""
        for case in wanted:
            if not case.applies_to(client) or self.results.peak(client.name, case.name):
                continue
            try:
                found = peak(client, case, self._service)
            except ClientFailedError as error:
                self._note(error)
                continue
            body = len(body_of(case.task(self._service.url)))
            self.results.peaks.append(
                PeakMemory(client=client.name, case=case.name, bytes=found, body=body)
            )
            self._save()
            print(f"{client.name:42}{case.name:42} peak {found / 1e6:.1f} MB", flush=True)

    def measure_imports(self, wanted: Iterable[Import], *, rounds: int) -> None:
        """Measure the CPU time of imports."""
        for each in wanted:
            if self.results.imported(each.client):
                continue
            try:
                cost = import_cost(each, rounds=rounds)
            except ClientFailedError as error:
                self._note(error)
                continue
            self.results.imports.append(cost)
            self._save()
            print(
                f"{each.client:42}import {cost.total:.0f} ms, {cost.beyond_base:.0f} ms of them"
                " on top of the base class",
                flush=True,
            )

    def measure_local_service(self, *, rounds: int) -> None:
        """Measure the time of a call to the local service."""
        if self.results.local_service is not None:
            return
        try:
            found = local_service.ratio(rounds=rounds)
        except ClientFailedError as error:
            self._note(error)
            return
        self.results.local_service = found
        self._save()
        print(f"{local_service.NAME:84}time {found:.2f} of a bare Starlette app", flush=True)

    def _note(self, error: ClientFailedError) -> None:
        self.results.failures.append(str(error))
        print(error, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._baseline.close()
        self._service.close()
