"""The table of what our packages must reach, beside what they have reached."""

from .results import Results
from .targets import NAMES, TARGETS, Target


def target_table(results: Results) -> str:
    """Write what was reached beside what must be, for each of our packages."""
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
        verdict = "aim met" if target.meets(reached, aim) else "met"
    sign = "≥" if target.at_least else "≤"
    shown = f"{reached:.{target.digits}f}{target.unit}"
    return f"**{shown}** {verdict} ({sign} {must:g}, aim {aim:g})"
