"""The plans: which clients are measured in which cases, and how often."""

from . import cases, imports, local_service
from .cases import Case
from .catalog import (
    AIOHTTP,
    ALL_CLIENTS,
    BASELINE,
    COMMON_PEERS,
    CORE,
    HTTP_CLIENTS,
    LANGCHAIN,
    ON_OTHER_TRANSPORTS,
    OURS,
    PEERS,
    RAW_SOCKET,
    UNTRACED,
)
from .comparison import Baseline
from .processes import Worker
from .results import Results
from .run import Run

TRANSPORT_CASES = (cases.TEN, cases.ALL_100, cases.IN_FLIGHT_32, cases.IN_FLIGHT_128)
_ONE_BY_ONE = [case for case in cases.MAIN if case.in_flight == 1 and not case.workload.images]
_CONCURRENT = [case for case in cases.MAIN if case.in_flight > 1]


def _targets(run: Run) -> None:
    """Measure the figures of the targets."""
    for client in OURS:
        with Worker(client) as worker, Worker(AIOHTTP) as http_worker:
            run.compare_all(worker, _ONE_BY_ONE, rounds=31)
            run.compare_all(worker, [cases.IMAGES], rounds=5)
            run.compare_all(worker, _CONCURRENT, rounds=9)
            itself = Baseline(worker=worker, client=client, case=cases.IN_FLIGHT_32)
            run.compare(worker, cases.IN_FLIGHT_512, itself, rounds=5)
            for case, fastest in ((cases.IN_FLIGHT_32, RAW_SOCKET), (cases.IN_FLIGHT_128, AIOHTTP)):
                baseline = Baseline(worker=http_worker, client=fastest)
                run.compare(worker, case, baseline, rounds=5)
            run.compare_all(worker, [cases.FAULTS], rounds=1)
        run.measure_peaks(client, [cases.IMAGES])


def _tracing(run: Run) -> None:
    """Measure the CPU that the LangChain class adds to the client, and the share of tracing."""
    with Worker(LANGCHAIN) as worker:
        for case in (cases.TEN, cases.ALL_100):
            for other in (CORE, UNTRACED):
                baseline = Baseline(worker=worker, client=other)
                run.compare(worker, case, baseline, rounds=51)


def measure_main_cases(results: Results) -> None:
    """Measure the figures of the targets, and the most used peers in the two most common cases."""
    with Run(results, save=results.save) as run:
        _targets(run)
        _tracing(run)
        run.measure_imports(imports.OURS, rounds=5)
        run.measure_local_service(rounds=31)
        for client in COMMON_PEERS:
            with Worker(client) as worker:
                run.compare_all(worker, [cases.TEN, cases.ALL_100], rounds=3)


def measure_all_cases(results: Results) -> None:
    """Measure every client in every case."""
    with Run(results, save=results.save) as run:
        _targets(run)
        _tracing(run)
        run.measure_imports([*imports.OURS, *imports.PEERS], rounds=5)
        run.measure_local_service(rounds=31)
        for client in (BASELINE, *PEERS, *ON_OTHER_TRANSPORTS, *HTTP_CLIENTS):
            with Worker(client) as worker:
                run.compare_all(worker, _ONE_BY_ONE, rounds=5)
                run.compare_all(worker, [cases.IMAGES, *_CONCURRENT], rounds=2)
                run.compare_all(worker, [cases.FAULTS], rounds=1)
            run.measure_peaks(client, [cases.IMAGES])
        _transports(run)
        _scaling(run)


def _transports(run: Run) -> None:
    """Compare our client on other transports with its own connections."""
    for client in ON_OTHER_TRANSPORTS:
        with Worker(client) as worker, Worker(CORE) as core:
            for case in TRANSPORT_CASES:
                if case.applies_to(client):
                    baseline = Baseline(worker=core, client=CORE)
                    run.compare(worker, case, baseline, rounds=5)


def _scaling(run: Run) -> None:
    """Measure how clients scale with the number of documents and of calls in flight."""
    for client in (BASELINE, *OURS, *PEERS, AIOHTTP):
        with Worker(client) as worker:
            run.compare_all(worker, cases.BY_DOCUMENTS, rounds=5)
            run.compare_all(worker, cases.BY_IN_FLIGHT, rounds=1)
        run.measure_peaks(client, cases.BY_DOCUMENTS)


def measure_selected(client_prefix: str, case_prefix: str) -> None:
    """Measure the clients and cases whose names begin with the prefixes. Only print the figures."""
    wanted: list[Case] = [case for case in cases.ALL if case.name.startswith(case_prefix)]
    with Run(Results(), save=lambda: None) as run:
        if CORE.name.startswith(client_prefix) and local_service.NAME.startswith(case_prefix):
            run.measure_local_service(rounds=31)
        for client in ALL_CLIENTS:
            if wanted and client.name.startswith(client_prefix):
                with Worker(client) as worker:
                    run.compare_all(worker, wanted, rounds=9)
