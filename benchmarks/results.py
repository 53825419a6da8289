"""What was measured, and the file that keeps it between measuring and writing."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from .children import ROOT
from .imports import ImportCost
from .pairing import Comparison

_Item = TypeVar("_Item")

FILE = ROOT / "build" / "benchmarks.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakMemory:
    """How far one call raises the peak of its process."""

    client: str
    case: str
    bytes: int
    body: int
    """Of the request."""


@dataclass(slots=True, kw_only=True)
class Results:
    """All measurements of a run; later ones of the same replace earlier ones."""

    machine: str = ""
    comparisons: list[Comparison] = field(default_factory=list)
    peaks: list[PeakMemory] = field(default_factory=list)
    imports: list[ImportCost] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Clients that could not make a call, with their own words."""

    def comparison(self, client: str, case: str, yardstick: str = "httpx") -> Comparison | None:
        """Return what was measured of a client, a case and a yardstick."""
        wanted = (client, case, yardstick)
        return _found(
            self.comparisons, lambda each: (each.client, each.case, each.yardstick) == wanted
        )

    def peak(self, client: str, case: str) -> PeakMemory | None:
        """Return the peak memory of a client in a case."""
        return _found(self.peaks, lambda each: (each.client, each.case) == (client, case))

    def imported(self, client: str) -> ImportCost | None:
        """Return what importing a client costs."""
        return _found(self.imports, lambda each: each.client == client)

    def save(self, file: Path = FILE) -> None:
        """Write all to `file`."""
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1), "utf-8")

    @classmethod
    def load(cls, file: Path = FILE) -> "Results":
        """Read what `save` has written."""
        kept = json.loads(file.read_text("utf-8"))
        return cls(
            machine=kept["machine"],
            comparisons=[Comparison(**each) for each in kept["comparisons"]],
            peaks=[PeakMemory(**each) for each in kept["peaks"]],
            imports=[ImportCost(**each) for each in kept["imports"]],
            refused=kept["refused"],
        )


def _found(items: list[_Item], is_wanted: Callable[[_Item], bool]) -> _Item | None:
    return next((item for item in reversed(items) if is_wanted(item)), None)
