"""What a worker is asked to prepare: a client, against a service, for a workload."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Self

from .workload import Workload

KEY = "sk-of-nobody"

Call = Callable[[], int]
"""Makes one call, and returns how many documents came back."""
AsyncCall = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One client's work; it crosses to the worker's process as JSON."""

    service: str
    """Where the service is, `http://127.0.0.1:PORT`."""
    workload: Workload
    delay: int = 0
    """Milliseconds that the service waits before it answers."""
    faults: int = 0
    """Of how many requests one fails; 0 for none."""
    in_flight: int = 1
    """How many calls are made at a time; above 1 for asynchronous clients only."""
    asynchronous: bool = False

    def base(self, wire: str) -> str:
        """Where the service speaks `wire`."""
        return f"{self.service}/{wire}/{self.delay}/{self.faults}"

    def fields(self) -> dict[str, object]:
        """Return what `of` takes, as JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, *, workload: dict[str, Any], **fields: Any) -> Self:
        """Make the task that `fields` describe."""
        return cls(workload=Workload(**workload), **fields)
