"""The work of a worker: the calls of one client, the service and the workload."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Self

from .workload import Workload

KEY = "sk-benchmark"

Call = Callable[[], int]
"""Makes one call and returns the number of results."""
AsyncCall = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The work of one client. The worker's process receives it as JSON."""

    service: str
    """The URL of the service, `http://127.0.0.1:PORT`."""
    workload: Workload
    delay: int = 0
    """Milliseconds that the service waits before each response."""
    faults: int = 0
    """One attempt in this many fails. 0: no attempt fails."""
    in_flight: int = 1
    """Number of concurrent calls. Synchronous clients make one call after the other."""
    asynchronous: bool = False

    def base_url(self, api: str) -> str:
        """Return the base URL at which the service has the API of `api`."""
        return f"{self.service}/{api}/{self.delay}/{self.faults}"

    def fields(self) -> dict[str, object]:
        """Return the arguments of `of`, in types that JSON has."""
        return asdict(self)

    @classmethod
    def of(cls, *, workload: dict[str, Any], **fields: Any) -> Self:
        """Make the task with these fields."""
        return cls(workload=Workload(**workload), **fields)
