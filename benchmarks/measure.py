"""The plans: which clients are measured in which cases."""

from collections.abc import Iterable, Sequence

from . import cases
from .cases import Case
from .catalog import AIOHTTP, CORE, LANGCHAIN, OURS, UNTRACED, YARDSTICK, Client
from .clients.bare import body_of
from .imports import OURS as OUR_IMPORTS
from .imports import Import, import_cost
from .pairing import ClientFailedError, Service, Worker, compare, peak
from .results import PeakMemory, Results


class Measuring:
    """Measures into `results`, against one service and one process of the yardstick."""

    def __init__(self, service: Service, yardstick: Worker, results: Results) -> None:
        self._service = service
        self._yardstick = yardstick
        self.results = results

    def clients(self, clients: Iterable[Client], wanted: Sequence[Case], *, rounds: int) -> None:
        """Compare each client with the yardstick in each case that suits it."""
        for client in clients:
            with Worker(client) as worker:
                for case in wanted:
                    if case.suits(client):
                        self._compare(worker, case, self._yardstick, rounds=rounds)

    def beside(
        self, client: Client, other: Client, case: Case, *, rounds: int, other_case: Case
    ) -> None:
        """Compare a client with another than the yardstick, or with itself in another case."""
        with Worker(client) as worker, Worker(other) as yardstick:
            self._compare(worker, case, yardstick, rounds=rounds, yardstick_case=other_case)

    def peaks(self, clients: Iterable[Client], wanted: Sequence[Case]) -> None:
        """Measure the peak memory of each client in each case that suits it."""
        for client in clients:
            for case in wanted:
                if not case.suits(client):
                    continue
                try:
                    found = peak(client, case, self._service)
                except ClientFailedError as error:
                    self.results.refused.append(str(error))
                    continue
                body = len(body_of(case.task(self._service.url)))
                self.results.peaks.append(
                    PeakMemory(client=client.name, case=case.name, bytes=found, body=body)
                )
                print(f"{client.name:40} {case.name:40} peak {found / 1e6:8.1f} MB", flush=True)

    def imports(self, wanted: Iterable[Import], *, rounds: int) -> None:
        """Measure what imports cost."""
        for each in wanted:
            cost = import_cost(each, rounds=rounds)
            self.results.imports.append(cost)
            print(f"{each.client:40} import {cost.total:.0f} ms, {cost.beyond_base:.0f} beyond")

    def _compare(
        self,
        worker: Worker,
        case: Case,
        yardstick: Worker,
        *,
        rounds: int,
        yardstick_case: Case | None = None,
    ) -> None:
        try:
            found = compare(
                worker,
                case,
                yardstick,
                self._service,
                rounds=rounds,
                yardstick_case=yardstick_case,
            )
        except ClientFailedError as error:
            self.results.refused.append(str(error))
            print(error, flush=True)
            return
        self.results.comparisons.append(found)
        print(
            f"{found.client:40} {found.case:40} CPU {found.cpu:6.2f}  throughput"
            f" {1 / found.wall:6.2f}  {found.milliseconds:8.2f} ms  {found.rate:7.0f}/s"
            f"  {found.connections:4} connections  {found.failed} failed",
            flush=True,
        )


def main_cases(measuring: Measuring) -> None:
    """Measure what the targets are about."""
    one_by_one = [case for case in cases.MAIN if case.in_flight == 1]
    measuring.clients(OURS, one_by_one, rounds=7)
    measuring.clients(OURS, [cases.FLIGHT_32, cases.FLIGHT_128], rounds=3)
    for client in OURS:
        many, few = cases.FLIGHT_512, cases.FLIGHT_32
        measuring.beside(client, client, many, rounds=3, other_case=few)
        many = cases.FLIGHT_128
        measuring.beside(client, AIOHTTP, many, rounds=3, other_case=many)
    measuring.clients(OURS, [cases.FAULTS], rounds=1)
    measuring.peaks(OURS, [cases.IMAGES])
    measuring.imports(OUR_IMPORTS, rounds=5)
    for case in (cases.TEN, cases.TOP_100):
        measuring.beside(LANGCHAIN, CORE, case, rounds=7, other_case=case)
        measuring.beside(LANGCHAIN, UNTRACED, case, rounds=7, other_case=case)


def measured(*, full: bool) -> Results:
    """Measure it all, or the main cases alone."""
    del full
    results = Results()
    with Service() as service, Worker(YARDSTICK) as yardstick:
        main_cases(Measuring(service, yardstick, results))
    return results
