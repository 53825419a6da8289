"""The code fences of a Markdown page, also those in tabs and with attributes."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_OPENING = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`]*)$")


@dataclass(frozen=True)
class Fence:
    """One code fence of a page."""

    language: str
    """The first word of the info string, such as `python`."""
    info: str
    """The whole info string."""
    line: int
    """The number of the first line of the code."""
    code: str
    follows: int
    """How many lines with text are between this fence and the fence before it."""


def fences(page: Path) -> Iterator[Fence]:
    """Yield the fences of `page` in their order."""
    lines = iter(enumerate(page.read_text("utf-8").splitlines(), start=1))
    between = 0
    for number, line in lines:
        opening = _OPENING.match(line)
        if opening is None:
            between += bool(line.strip())
            continue
        code = []
        for _, inside in lines:
            if inside.strip() == opening["ticks"]:
                break
            code.append(inside)
        else:
            raise ValueError(f"{page}:{number}: the fence has no end")
        info = opening["info"].strip()
        yield Fence(
            language=_language(info),
            info=info,
            line=number + 1,
            code=textwrap.dedent("\n".join(code)),
            follows=between,
        )
        between = 0


def _language(info: str) -> str:
    """Return `python` for `python`, `python title="a.py"` and `{ .python .old }`."""
    first = re.match(r"\{?\s*\.?([\w-]+)", info)
    return first[1] if first else ""
