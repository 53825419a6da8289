"""The measurements of a run, and the file that keeps them for the page."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from .comparison import Comparison
from .imports import ImportCost
from .processes import ROOT

_Item = TypeVar("_Item")

FILE = ROOT / "build" / "benchmarks.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakMemory:
    """By how many bytes one call increases the peak memory of its process."""

    client: str
    case: str
    bytes: int
    body: int
    """Size of the request's body, in bytes."""


@dataclass(slots=True, kw_only=True)
class Results:
    """All measurements of a run. A repeated measurement replaces the earlier one."""

    machine: str = ""
    comparisons: list[Comparison] = field(default_factory=list)
    peaks: list[PeakMemory] = field(default_factory=list)
    imports: list[ImportCost] = field(default_factory=list)
    local_service: float | None = None
    """The time of a call to `openrouter-rerank serve`, as a multiple of a bare Starlette app's."""
    failures: list[str] = field(default_factory=list)
    """The clients that could not make a call, each with its error."""

    def comparison(self, client: str, case: str, baseline: str = "httpx") -> Comparison | None:
        """Return the comparison of a client with a baseline in a case."""
        wanted = (client, case, baseline)
        return _found(
            self.comparisons, lambda each: (each.client, each.case, each.baseline) == wanted
        )

    def peak(self, client: str, case: str) -> PeakMemory | None:
        """Return the peak memory of a client in a case."""
        return _found(self.peaks, lambda each: (each.client, each.case) == (client, case))

    def imported(self, client: str) -> ImportCost | None:
        """Return the CPU time of importing a client."""
        return _found(self.imports, lambda each: each.client == client)

    def save(self, file: Path = FILE) -> None:
        """Write all measurements to `file`."""
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1), "utf-8")

    @classmethod
    def load(cls, file: Path = FILE) -> "Results":
        """Read a file that `save` has written."""
        kept = json.loads(file.read_text("utf-8"))
        return cls(
            machine=kept["machine"],
            comparisons=[Comparison(**each) for each in kept["comparisons"]],
            peaks=[PeakMemory(**each) for each in kept["peaks"]],
            imports=[ImportCost(**each) for each in kept["imports"]],
            local_service=kept["local_service"],
            failures=kept["failures"],
        )


def _found(items: list[_Item], is_wanted: Callable[[_Item], bool]) -> _Item | None:
    return next((item for item in reversed(items) if is_wanted(item)), None)
