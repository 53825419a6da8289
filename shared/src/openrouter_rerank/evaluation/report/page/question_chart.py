"""
The chart of all questions: how much each gains or loses, in descending order.
"""

from collections.abc import Sequence

from openrouter_rerank.evaluation.analysis import number_formats as people
from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.report.selection import question_changes
from openrouter_rerank.evaluation.result import PlanResult

from .drawing import BOTTOM, LEFT, RIGHT, TOP, Chart, Drawing
from .labels import Point, at
from .scale import Scale, round_steps

# More bars than the chart has units would not be seen.
_MOST_BARS = 340
# The space for a label above and below zero, as a fraction of the largest change.
_LEAST_SIDE = 0.2


def by_question(findings: Findings, result: PlanResult) -> Chart | None:
    """Return the chart; `None` if no question changes."""
    changes = sorted(question_changes(findings, result).values(), reverse=True)
    if not any(changes):
        return None
    most = max(abs(changes[0]), abs(changes[-1]))
    scale = Scale(
        low=min(1.08 * changes[-1], -_LEAST_SIDE * most),
        high=max(1.08 * changes[0], _LEAST_SIDE * most),
        start=BOTTOM,
        end=TOP,
    )
    caption = (
        f"{result.plan.name} compared with the first stage: {people.count(result.won, 'question')} "
        f"better, {result.same:,} the same, {result.lost:,} worse."
    )
    drawing = Drawing(description=f"Question by question. {caption}")
    digits = 1 if most > 0.3 else 2
    drawing.y_axis(
        scale, f"change of {findings.settings.metric}", lambda value: people.change(value, digits)
    )
    x_scale = Scale(low=0, high=len(changes), start=LEFT, end=RIGHT)
    whole = [tick for tick in round_steps(0, len(changes), 4) if tick == int(tick)]
    ticks = [(x_scale(tick), f"{int(tick):,}") for tick in whole]
    drawing.x_axis(ticks, "questions, from the largest gain to the largest loss")
    kinds = (("gain", result.won, "better"), ("loss", result.lost, "worse"))
    for kind, number, word in kinds:
        points = _bars(changes, x_scale, scale, is_gain=kind == "gain")
        if points:
            drawing.area(points, kind, f"{people.count(number, 'question')} {word}")
    drawing.line([(LEFT, scale(0)), (RIGHT, scale(0))], "zero")
    _write_counts(drawing, changes, x_scale, scale(0))
    return Chart(title="Question by question", caption=caption, svg=drawing.svg())


def _write_counts(drawing: Drawing, changes: Sequence[float], x_scale: Scale, zero: float) -> None:
    """Write how many questions are better and worse, next to their bars if there is space."""
    won, lost = sum(each > 0 for each in changes), sum(each < 0 for each in changes)
    above, below = zero - 6, zero + 16
    if won:
        label = at((x_scale(won) + 6, above), f"{won:,} better")
        if label.box.right > RIGHT:
            label = at((LEFT + 6, below), label.text)
        drawing.write(label, "name gain-text")
    if lost:
        label = at((x_scale(len(changes) - lost) - 6, below), f"{lost:,} worse", "end")
        if label.box.left < LEFT:
            label = at((RIGHT - 2, above), label.text, "end")
        drawing.write(label, "name loss-text")
    mean = f"mean {people.change(sum(changes) / len(changes))}"
    drawing.write(at((RIGHT, 12), mean, "end"), "strong")


def _bars(
    changes: Sequence[float], x_scale: Scale, y_scale: Scale, *, is_gain: bool
) -> list[Point]:
    """Return the outline of all bars above 0, or of all below."""
    groups = min(len(changes), _MOST_BARS)
    points: list[Point] = []
    for group in range(groups):
        first, end = group * len(changes) // groups, (group + 1) * len(changes) // groups
        mean = sum(changes[first:end]) / (end - first)
        if (mean > 0) if is_gain else (mean < 0):
            left, right, y = x_scale(first), x_scale(end), y_scale(mean)
            points += [(left, y), (right, y)]
    if points:
        points = [(points[0][0], y_scale(0)), *points, (points[-1][0], y_scale(0))]
    return points
