"""The targets of our packages, and how to read the measured figure of each."""

from collections.abc import Callable
from dataclasses import dataclass

from . import cases, local_service
from .catalog import AIOHTTP, CORE, LANGCHAIN, LLAMAINDEX, RAW_SOCKET
from .results import Results

NAMES = (CORE.name, LANGCHAIN.name, LLAMAINDEX.name)
STEADY = f"{cases.IN_FLIGHT_512.name}, compared with 32 in flight"

Read = Callable[[Results, str], float | None]
"""Returns the measured figure of a client, or `None` if it was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One row of the table: what each of our packages must reach, and what it aims at."""

    title: str
    read: Read
    wanted: tuple[tuple[float, float] | None, ...]
    """
    Required figure and aim, for the core, the LangChain class and the LlamaIndex class. `None`: the
    target is not about this package.
    """
    at_least: bool = False
    """`True` if higher is better."""
    unit: str = ""
    digits: int = 2

    def meets(self, measured: float, wanted: float) -> bool:
        """Return `True` if `measured` is at least as good as `wanted`."""
        return measured >= wanted if self.at_least else measured <= wanted


def _cpu(case: str) -> Read:
    def read(results: Results, client: str) -> float | None:
        found = results.comparison(client, case)
        return found.cpu if found else None

    return read


def _throughput(case: str, baseline: str = "httpx") -> Read:
    def read(results: Results, client: str) -> float | None:
        found = results.comparison(client, case, baseline)
        return 1 / found.wall if found else None

    return read


def _steady(results: Results, client: str) -> float | None:
    found = results.comparison(client, cases.IN_FLIGHT_512.name, client)
    return found.cpu if found else None


def _peak(results: Results, client: str) -> float | None:
    found = results.peak(client, cases.IMAGES.name)
    return found.bytes / found.body if found else None


def _failed(results: Results, client: str) -> float | None:
    found = results.comparison(client, cases.FAULTS.name)
    return float(found.failed) if found else None


def _import(results: Results, client: str) -> float | None:
    found = results.imported(client)
    if found is None:
        return None
    return float(found.loads_httpx) if client == CORE.name else found.beyond_base


def _local_service(results: Results, client: str) -> float | None:
    return results.local_service if client == CORE.name else None


def _cost(case: str, *wanted: tuple[float, float]) -> Target:
    return Target(title=f"{case}: CPU", read=_cpu(case), wanted=wanted)


def _speed(case: str, *wanted: tuple[float, float], baseline: str = "httpx") -> Target:
    title = f"{case}: throughput" + ("" if baseline == "httpx" else f" compared with {baseline}")
    return Target(title=title, read=_throughput(case, baseline), wanted=wanted, at_least=True)


TARGETS = (
    _cost(cases.TEN.name, (0.9, 0.75), (1.0, 0.85), (1.15, 1.0)),
    _cost(cases.ASYNC_25.name, (0.9, 0.75), (1.0, 0.85), (1.15, 1.0)),
    _cost(cases.TOP_100.name, (1.0, 0.85), (1.15, 1.0), (1.75, 1.2)),
    _cost(cases.ALL_100.name, (1.1, 0.95), (1.5, 1.25), (1.85, 1.3)),
    _cost(cases.TOP_1000.name, (2.2, 1.5), (2.5, 1.75), (5.0, 3.5)),
    _cost(cases.ALL_1000.name, (1.6, 1.4), (2.6, 1.9), (2.8, 2.1)),
    _speed(cases.IN_FLIGHT_32.name, (1.8, 2.2), (1.7, 2.0), (1.7, 2.0)),
    # 32 calls in flight, 50 ms each, allow 640 calls per second. No client comes closer to this
    # limit than a raw socket.
    _speed(cases.IN_FLIGHT_32.name, *[(0.8, 0.9)] * 3, baseline=RAW_SOCKET.name),
    _speed(cases.IN_FLIGHT_128.name, (2.7, 3.5), (2.4, 3.0), (2.4, 3.0)),
    _speed(cases.IN_FLIGHT_128.name, *[(0.5, 0.5)] * 3, baseline=AIOHTTP.name),
    # Two measurements of one client differ by up to a tenth.
    Target(title=f"{STEADY}: CPU", read=_steady, wanted=((1.1, 1.0),) * 3),
    _cost(cases.IMAGES.name, (2.0, 1.3), (2.0, 1.4), (2.0, 1.5)),
    Target(
        title=f"{cases.IMAGES.name}: peak memory as a multiple of the body",
        read=_peak,
        wanted=((2.2, 1.3), (2.2, 1.4), (2.2, 1.5)),
    ),
    Target(
        title=f"{cases.FAULTS.name}: failed calls",
        read=_failed,
        wanted=((0, 0),) * 3,
        digits=0,
    ),
    Target(
        title="import: httpx loaded (core), CPU on top of the framework's base class (others)",
        read=_import,
        wanted=((0, 0), (30, 30), (30, 30)),
        unit=" ms",
        digits=0,
    ),
    Target(
        title=f"{local_service.NAME}: time of a call, compared with a bare Starlette app",
        read=_local_service,
        wanted=((2.0, 1.5), None, None),
    ),
)
