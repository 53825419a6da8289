"""The cases: which calls are measured."""

from dataclasses import dataclass, replace

from .catalog import Client
from .task import Task
from .workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The calls of one measurement. `Task` explains the fields that both classes have."""

    name: str
    workload: Workload
    calls: int
    """Number of calls in one block."""
    asynchronous: bool = False
    delay: int = 0
    faults: int = 0
    in_flight: int = 1

    def applies_to(self, client: Client) -> bool:
        """Return `True` if `client` can make such calls."""
        maker = client.asynchronous if self.asynchronous else client.synchronous
        if maker is None or (self.faults and client.family == "HTTP"):
            # An HTTP client does not promise any retries.
            return False
        return client.takes_images or not self.workload.images

    def task(self, service: str) -> Task:
        """Describe the case to the worker of a client."""
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


def _concurrent(in_flight: int, calls: int) -> Case:
    """Make a case with `in_flight` concurrent calls to a service that takes 50 ms."""
    return Case(
        name=f"async, {in_flight} in flight",
        workload=Workload(documents=25),
        calls=calls,
        asynchronous=True,
        delay=50,
        in_flight=in_flight,
    )


TEN = _one_by_one("sync, 10 documents", 25, documents=10)
ASYNC_25 = _one_by_one("async, 25 documents", 20, documents=25, asynchronous=True)
TOP_100 = _one_by_one("100 documents, top_n 10", 15, documents=100, top_n=10)
ALL_100 = _one_by_one("100 documents, all returned", 12, documents=100)
TOP_1000 = _one_by_one("1,000 documents, top_n 10", 4, documents=1000, top_n=10)
ALL_1000 = _one_by_one("1,000 documents, all returned", 3, documents=1000)
IN_FLIGHT_32 = _concurrent(32, 128)
IN_FLIGHT_128 = _concurrent(128, 256)
IN_FLIGHT_512 = _concurrent(512, 512)
IMAGES = Case(name="20 images of 1 MB", workload=Workload(documents=20, images=True), calls=1)
FAULTS = Case(
    name="every tenth attempt fails (429 or reset)",
    workload=Workload(documents=10),
    calls=40,
    faults=10,
)

MAIN = (TEN, ASYNC_25, TOP_100, ALL_100, TOP_1000, ALL_1000, IN_FLIGHT_32, IN_FLIGHT_128, IMAGES)
"""The cases in which CPU or throughput is compared with the baseline's."""
ALL = (*MAIN, IN_FLIGHT_512, FAULTS)
BY_DOCUMENTS = tuple(
    _one_by_one(f"{documents:,} documents", max(1, 300 // documents), documents=documents)
    for documents in (10, 100, 1000, 10_000)
)
"""How a call scales with the number of documents. All documents are returned."""
BY_IN_FLIGHT = tuple(
    replace(_concurrent(in_flight, max(16, min(512, 2 * in_flight))), name=f"{in_flight} in flight")
    for in_flight in (1, 8, 32, 128, 512)
)
"""How throughput scales with the number of calls in flight."""
