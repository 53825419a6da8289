"""Measuring, and telling about it."""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from .cases import Case
from .catalog import YARDSTICK, Client
from .children import ClientFailedError, Service, Worker
from .clients.bare import body_of
from .imports import Import, import_cost
from .pairing import Yardstick, compare, peak
from .results import PeakMemory, Results


class Measuring:
    """
    Measures into `results`, against one service and one process of the yardstick.

    What is in `results` already is not measured again, and what is measured is saved at once.
    """

    def __init__(self, results: Results, *, save: Callable[[], None]) -> None:
        self.results = results
        self._save = save
        self._service = Service()
        self._yardstick = Worker(YARDSTICK)

    def cases(self, worker: Worker, wanted: Sequence[Case], *, rounds: int) -> None:
        """Compare a client with the yardstick in each case that suits it."""
        for case in wanted:
            if case.suits(worker.client):
                yardstick = Yardstick(worker=self._yardstick, client=YARDSTICK)
                self.beside(worker, case, yardstick, rounds=rounds)

    def beside(self, worker: Worker, case: Case, yardstick: Yardstick, *, rounds: int) -> None:
        """Compare a client with a yardstick; a client that fails is noted."""
        if self.results.comparison(worker.client.name, case.name, yardstick.client.name):
            return
        try:
            found = compare(worker, case, yardstick, self._service, rounds=rounds)
        except ClientFailedError as error:
            self._refused(error)
            return
        self.results.comparisons.append(found)
        self._save()
        print(
            f"{found.client:42}{found.case:36} CPU {found.cpu:6.2f}  speed {1 / found.wall:6.2f}"
            f"  of {found.yardstick}; {found.milliseconds:.2f} ms, {found.rate:.0f}/s,"
            f" {found.connections} new connections, {found.failed} failed",
            flush=True,
        )

    def peaks(self, client: Client, wanted: Iterable[Case]) -> None:
        """Measure the peak memory of a client in each case that suits it."""
        for case in wanted:
            if not case.suits(client) or self.results.peak(client.name, case.name):
                continue
            try:
                found = peak(client, case, self._service)
            except ClientFailedError as error:
                self._refused(error)
                continue
            body = len(body_of(case.task(self._service.url)))
            self.results.peaks.append(
                PeakMemory(client=client.name, case=case.name, bytes=found, body=body)
            )
            self._save()
            print(f"{client.name:42}{case.name:36} peak {found / 1e6:.1f} MB", flush=True)

    def imports(self, wanted: Iterable[Import], *, rounds: int) -> None:
        """Measure what imports cost."""
        for each in wanted:
            if self.results.imported(each.client):
                continue
            try:
                cost = import_cost(each, rounds=rounds)
            except ClientFailedError as error:
                self._refused(error)
                continue
            self.results.imports.append(cost)
            self._save()
            print(
                f"{each.client:42}import {cost.total:.0f} ms, {cost.beyond_base:.0f} ms beyond"
                " the base class",
                flush=True,
            )

    def _refused(self, error: ClientFailedError) -> None:
        self.results.refused.append(str(error))
        print(error, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._yardstick.close()
        self._service.close()
