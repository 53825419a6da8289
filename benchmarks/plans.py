"""Which clients are measured in which cases."""

from . import cases, imports
from .cases import Case
from .catalog import (
    AIOHTTP,
    COMMON_PEERS,
    CORE,
    EVERYBODY,
    HTTP,
    LANGCHAIN,
    ON_OTHERS,
    OURS,
    PEERS,
    RAW_SOCKET,
    UNTRACED,
    YARDSTICK,
)
from .children import Worker
from .measure import Measuring
from .pairing import Yardstick
from .results import Results

TRANSPORT_CASES = (cases.TEN, cases.ALL_100, cases.FLIGHT_32, cases.FLIGHT_128)
_ONE_BY_ONE = [case for case in cases.MAIN if case.in_flight == 1 and not case.workload.images]
_CROWDED = [case for case in cases.MAIN if case.in_flight > 1]


def _targets(measuring: Measuring) -> None:
    """Measure all that the targets are about."""
    for client in OURS:
        with Worker(client) as worker, Worker(AIOHTTP) as others:
            measuring.cases(worker, _ONE_BY_ONE, rounds=31)
            measuring.cases(worker, [cases.IMAGES], rounds=5)
            measuring.cases(worker, _CROWDED, rounds=9)
            itself = Yardstick(worker=worker, client=client, case=cases.FLIGHT_32)
            measuring.beside(worker, cases.FLIGHT_512, itself, rounds=5)
            for case, fastest in ((cases.FLIGHT_32, RAW_SOCKET), (cases.FLIGHT_128, AIOHTTP)):
                yardstick = Yardstick(worker=others, client=fastest)
                measuring.beside(worker, case, yardstick, rounds=5)
            measuring.cases(worker, [cases.FAULTS], rounds=1)
        measuring.peaks(client, [cases.IMAGES])


def _tracing(measuring: Measuring) -> None:
    """Measure what LangChain's class adds to the client, and what of that is tracing."""
    with Worker(LANGCHAIN) as worker:
        for case in (cases.TEN, cases.ALL_100):
            for other in (CORE, UNTRACED):
                yardstick = Yardstick(worker=worker, client=other)
                measuring.beside(worker, case, yardstick, rounds=51)


def main_cases(results: Results) -> None:
    """Measure our packages against their targets, and the peers in the commonest cases."""
    with Measuring(results, save=results.save) as measuring:
        _targets(measuring)
        _tracing(measuring)
        measuring.imports(imports.OURS, rounds=5)
        for client in COMMON_PEERS:
            with Worker(client) as worker:
                measuring.cases(worker, [cases.TEN, cases.ALL_100], rounds=3)


def all_cases(results: Results) -> None:
    """Measure every client in every case."""
    with Measuring(results, save=results.save) as measuring:
        _targets(measuring)
        _tracing(measuring)
        measuring.imports([*imports.OURS, *imports.PEERS], rounds=5)
        for client in (YARDSTICK, *PEERS, *ON_OTHERS, *HTTP):
            with Worker(client) as worker:
                measuring.cases(worker, _ONE_BY_ONE, rounds=5)
                measuring.cases(worker, [cases.IMAGES, *_CROWDED], rounds=2)
                measuring.cases(worker, [cases.FAULTS], rounds=1)
            measuring.peaks(client, [cases.IMAGES])
        _transports(measuring)
        _scaling(measuring)


def _transports(measuring: Measuring) -> None:
    """Measure what another transport gives our client."""
    for client in ON_OTHERS:
        with Worker(client) as worker, Worker(CORE) as core:
            for case in TRANSPORT_CASES:
                if case.suits(client):
                    yardstick = Yardstick(worker=core, client=CORE)
                    measuring.beside(worker, case, yardstick, rounds=5)


def _scaling(measuring: Measuring) -> None:
    for client in (YARDSTICK, *OURS, *PEERS, AIOHTTP):
        with Worker(client) as worker:
            measuring.cases(worker, cases.BY_DOCUMENTS, rounds=5)
            measuring.cases(worker, cases.BY_IN_FLIGHT, rounds=1)
        measuring.peaks(client, cases.BY_DOCUMENTS)


def some(client_prefix: str, case_prefix: str) -> None:
    """Measure the clients and the cases whose names begin so, and only print it."""
    wanted: list[Case] = [case for case in cases.ALL if case.name.startswith(case_prefix)]
    with Measuring(Results(), save=lambda: None) as measuring:
        for client in EVERYBODY:
            if client.name.startswith(client_prefix):
                with Worker(client) as worker:
                    measuring.cases(worker, wanted, rounds=9)
