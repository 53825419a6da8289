"""What our packages must reach, what they aim at, and what they have reached."""

from collections.abc import Callable
from dataclasses import dataclass

from . import cases
from .catalog import AIOHTTP, CORE, LANGCHAIN, LLAMAINDEX, RAW_SOCKET
from .results import Results

NAMES = (CORE.name, LANGCHAIN.name, LLAMAINDEX.name)
STEADY = f"{cases.FLIGHT_512.name}, beside itself at 32"

Read = Callable[[Results, str], float | None]
"""Returns what a client has reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One row of the table: for each of our packages, what it must reach and what it aims at."""

    title: str
    read: Read
    wanted: tuple[tuple[float, float], ...]
    """For the core, the LangChain class and the LlamaIndex class: must, aim."""
    at_least: bool = False
    """Whether more is better."""
    unit: str = ""
    digits: int = 2

    def meets(self, reached: float, wanted: float) -> bool:
        """Tell whether `reached` is as good as `wanted`."""
        return reached >= wanted if self.at_least else reached <= wanted


def _cpu(case: str) -> Read:
    def read(results: Results, client: str) -> float | None:
        found = results.comparison(client, case)
        return found.cpu if found else None

    return read


def _throughput(case: str, yardstick: str = "httpx") -> Read:
    def read(results: Results, client: str) -> float | None:
        found = results.comparison(client, case, yardstick)
        return 1 / found.wall if found else None

    return read


def _steady(results: Results, client: str) -> float | None:
    found = results.comparison(client, cases.FLIGHT_512.name, client)
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


def _cost(case: str, *wanted: tuple[float, float]) -> Target:
    return Target(title=f"{case}: CPU", read=_cpu(case), wanted=wanted)


def _speed(case: str, *wanted: tuple[float, float], over: str = "httpx") -> Target:
    title = f"{case}: throughput" + ("" if over == "httpx" else f" beside {over}")
    return Target(title=title, read=_throughput(case, over), wanted=wanted, at_least=True)


TARGETS = (
    _cost(cases.TEN.name, (0.9, 0.75), (1.0, 0.85), (1.15, 1.0)),
    _cost(cases.ASYNC_25.name, (0.9, 0.75), (1.0, 0.85), (1.15, 1.0)),
    _cost(cases.TOP_100.name, (1.0, 0.85), (1.15, 1.0), (1.75, 1.2)),
    _cost(cases.ALL_100.name, (1.1, 0.95), (1.5, 1.25), (1.85, 1.3)),
    _cost(cases.TOP_1000.name, (2.2, 1.5), (2.5, 1.75), (5.0, 3.5)),
    _cost(cases.ALL_1000.name, (1.6, 1.4), (2.6, 1.9), (2.8, 2.1)),
    _speed(cases.FLIGHT_32.name, (1.8, 2.2), (1.7, 2.0), (1.7, 2.0)),
    # Of what 50 ms allow, which is 640 calls a second, a socket without any client is the limit.
    _speed(cases.FLIGHT_32.name, *[(0.8, 0.9)] * 3, over=RAW_SOCKET.name),
    _speed(cases.FLIGHT_128.name, (2.7, 3.5), (2.4, 3.0), (2.4, 3.0)),
    _speed(cases.FLIGHT_128.name, *[(0.5, 0.5)] * 3, over=AIOHTTP.name),
    # A tenth is what two measurements of the same differ by.
    Target(title=f"{STEADY}: CPU", read=_steady, wanted=((1.1, 1.0),) * 3),
    _cost(cases.IMAGES.name, (2.0, 1.3), (2.0, 1.4), (2.0, 1.5)),
    Target(
        title=f"{cases.IMAGES.name}: peak memory over body",
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
        title="import: httpx loaded (core), beyond the framework's base class (others)",
        read=_import,
        wanted=((0, 0), (30, 30), (30, 30)),
        unit=" ms",
        digits=0,
    ),
)
