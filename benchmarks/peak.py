"""The peak memory of this process, as the operating system reports it."""

import re
import resource
import sys
from pathlib import Path
from typing import Self

_STATUS = Path("/proc/self/status")


class Peak:
    """
    Measures the increase of this process's peak memory in a `with` block, in bytes.

    On Linux the peak is reset before the block. On other systems, an earlier and higher peak hides
    the peak of the block.
    """

    bytes = 0

    def __enter__(self) -> Self:
        if _STATUS.exists():
            Path("/proc/self/clear_refs").write_text("5", "ascii")
        self._before = _kilobytes("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = max(0, _kilobytes("VmHWM") - self._before) * 1024


def _kilobytes(field: str) -> int:
    if _STATUS.exists():
        found = re.search(rf"{field}:\s*(\d+) kB", _STATUS.read_text("ascii"))
        return int(found[1]) if found else 0
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest // 1024 if sys.platform == "darwin" else highest
