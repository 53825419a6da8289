"""What is measured."""

from dataclasses import dataclass, replace

from .catalog import Client
from .task import Task
from .workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Describes the calls of a measurement."""

    name: str
    workload: Workload
    calls: int
    """In one block."""
    asynchronous: bool = False
    delay: int = 0
    faults: int = 0
    in_flight: int = 1

    def suits(self, client: Client) -> bool:
        """Tell whether `client` can make such calls."""
        maker = client.asynchronous if self.asynchronous else client.synchronous
        if maker is None or (self.faults and client.family == "HTTP"):
            # Below a rerank client nobody promises to repeat anything.
            return False
        return client.takes_images or not self.workload.images

    def task(self, service: str) -> Task:
        """Describe the work to the worker of a client."""
        return Task(
            service=service,
            workload=self.workload,
            delay=self.delay,
            faults=self.faults,
            in_flight=self.in_flight,
            asynchronous=self.asynchronous,
        )


def _one_by_one(
    name: str, calls: int, *, documents: int, top_n: int | None = None, asynchronous: bool = False
) -> Case:
    load = Workload(documents=documents, top_n=top_n)
    return Case(name=name, workload=load, calls=calls, asynchronous=asynchronous)


def in_flight(many: int, calls: int) -> Case:
    """Make the case of `many` calls at a time, which the service answers in 50 ms."""
    return Case(
        name=f"async, {many} in flight",
        workload=Workload(documents=25),
        calls=calls,
        asynchronous=True,
        delay=50,
        in_flight=many,
    )


TEN = _one_by_one("sync, 10 documents", 25, documents=10)
ASYNC_25 = _one_by_one("async, 25 documents", 20, documents=25, asynchronous=True)
TOP_100 = _one_by_one("100 documents, top_n 10", 15, documents=100, top_n=10)
ALL_100 = _one_by_one("100 documents, all returned", 12, documents=100)
TOP_1000 = _one_by_one("1,000 documents, top_n 10", 4, documents=1000, top_n=10)
ALL_1000 = _one_by_one("1,000 documents, all returned", 3, documents=1000)
FLIGHT_32 = in_flight(32, 128)
FLIGHT_128 = in_flight(128, 256)
FLIGHT_512 = in_flight(512, 512)
IMAGES = Case(name="20 images of 1 MB", workload=Workload(documents=20, images=True), calls=1)
FAULTS = Case(
    name="every tenth answer a 429 or a reset",
    workload=Workload(documents=10),
    calls=40,
    faults=10,
)

MAIN = (TEN, ASYNC_25, TOP_100, ALL_100, TOP_1000, ALL_1000, FLIGHT_32, FLIGHT_128, IMAGES)
"""The cases in which CPU or throughput is compared with the yardstick's."""
ALL = (*MAIN, FLIGHT_512, FAULTS)
BY_DOCUMENTS = tuple(
    _one_by_one(f"{documents:,} documents", max(1, 300 // documents), documents=documents)
    for documents in (10, 100, 1000, 10_000)
)
"""The scaling law over documents; all of them are returned."""
BY_IN_FLIGHT = tuple(
    replace(in_flight(many, max(16, min(512, 2 * many))), name=f"{many} in flight")
    for many in (1, 8, 32, 128, 512)
)
"""The scaling law over calls at a time."""
