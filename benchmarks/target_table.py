"""The table of the targets of our packages, with the measured figures."""

from .results import Results
from .targets import NAMES, TARGETS, Target


def target_table(results: Results) -> str:
    """Return a Markdown table with each target and its measured figure, for our packages."""
    lines = [f"| case | {' | '.join(NAMES)} |", "|---|---|---|---|"]
    for target in TARGETS:
        cells = [
            _cell(target, target.read(results, name), wanted)
            for name, wanted in zip(NAMES, target.wanted, strict=True)
        ]
        lines.append(f"| {target.title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def unmet(results: Results) -> list[str]:
    """Return the targets that are measured and not met, with the package of each."""
    return [
        f"{name}: {target.title}"
        for target in TARGETS
        for name, wanted in zip(NAMES, target.wanted, strict=True)
        if wanted is not None
        and (measured := target.read(results, name)) is not None
        and not target.meets(measured, wanted[0])
    ]


def _cell(target: Target, measured: float | None, wanted: tuple[float, float] | None) -> str:
    if wanted is None:
        return "-"
    if measured is None:
        return "not measured"
    must, aim = wanted
    verdict = "not met"
    if target.meets(measured, must):
        verdict = "aim met" if target.meets(measured, aim) else "met"
    sign = "≥" if target.at_least else "≤"
    shown = f"{measured:.{target.digits}f}{target.unit}"
    return f"**{shown}** {verdict} ({sign} {must:g}, aim {aim:g})"
