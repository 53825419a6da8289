"""The tables of docs/benchmarks.md."""

import re
from collections.abc import Sequence

from .pairing import ROOT
from .results import Results
from .targets import NAMES, TARGETS, Target

PAGE = ROOT / "docs" / "benchmarks.md"


def target_table(results: Results) -> str:
    """Put what was reached beside what must be, for each of our packages."""
    lines = [f"| | {' | '.join(NAMES)} |", "|---|---|---|---|"]
    for target in TARGETS:
        cells = [
            _cell(target, target.read(results, name), wanted)
            for name, wanted in zip(NAMES, target.wanted, strict=True)
        ]
        lines.append(f"| {target.title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def unmet(results: Results) -> list[str]:
    """Name what must be reached and is not."""
    return [
        f"{name}: {target.title}"
        for target in TARGETS
        for name, (must, _) in zip(NAMES, target.wanted, strict=True)
        if (reached := target.read(results, name)) is not None and not target.meets(reached, must)
    ]


def _cell(target: Target, reached: float | None, wanted: tuple[float, float]) -> str:
    if reached is None:
        return "not measured"
    must, aim = wanted
    verdict = "not met"
    if target.meets(reached, must):
        verdict = "met, aim met" if target.meets(reached, aim) else "met"
    sign = "≥" if target.at_least else "≤"
    shown = f"{reached:.{target.digits}f}{target.unit}"
    return f"**{shown}** (must {sign} {must:g}, aim {aim:g}): {verdict}"


def replaced(page: str, section: str, text: str) -> str:
    """Put `text` between the marks of a section of the page."""
    mark = re.compile(rf"(?<=<!-- generated: {section} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    if not mark.search(page):
        raise LookupError(section)
    return mark.sub(lambda _: f"\n{text}\n\n", page)


def write(sections: Sequence[tuple[str, str]]) -> None:
    """Rewrite sections of the page; the others, and the words between, stay."""
    page = PAGE.read_text("utf-8")
    for section, text in sections:
        page = replaced(page, section, text)
    PAGE.write_text(page, "utf-8")
