"""
The charts of quality: against the price, against the time, and against the depth.

A chart is `None` if the evaluation has no data for it.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from openrouter_rerank.evaluation.analysis import number_formats as people
from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.report.selection import (
    by_model,
    is_marked,
    leading_plan,
    short_names,
)
from openrouter_rerank.evaluation.result import PlanResult

from .drawing import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Chart, Drawing
from .labels import SIZE, Box, LabelSpace, Point, at, shortened, spread, width
from .scale import Scale, for_magnitudes, linear

_SERIES = 6
"""The number of colours in the style sheet."""
_LONGEST_NAME = 22
_LONGEST_NAME_IN_MARGIN = 19
_GAP_OF_MARGIN = 12.0
_PERFECT_ORDER = "perfect order"
# The part of the horizontal axis for plans that cost nothing, which a logarithm cannot show.
_FREE = 30.0
# How far a label is from the middle of the ring around the recommended plan.
_RING = 13.0
# A ceiling that is further above the plans than this multiple of their range would flatten them.
_CEILING_REACH = 1.2

Position: TypeAlias = Callable[[PlanResult], float | None]


def colour(models: Sequence[str], model: str) -> str:
    """Return the class of the colour of a model."""
    return f"c{models.index(model) % _SERIES}" if model in models else "c0"


def model_names(findings: Findings, longest: int = _LONGEST_NAME) -> dict[str, str]:
    """Return a short name of each model."""
    return {
        model: shortened(name, longest)
        for model, name in short_names([*by_model(findings)]).items()
    }


def against_price(findings: Findings) -> Chart | None:
    """Return the chart of quality against the price; `None` if no plan has a price."""
    prices = [each.price_per_1000 for each in findings.plans]
    paid = [price for price in prices if price]
    if not paid:
        return None
    free = any(price == 0 for price in prices)
    scale = for_magnitudes(paid, LEFT + (_FREE + 16 if free else 6), RIGHT - 6)
    ticks = [(scale(tick), _dollars(tick)) for tick in scale.ticks()]
    if free:
        ticks.insert(0, (LEFT + _FREE / 2, "free"))

    def position(result: PlanResult) -> float | None:
        price = result.price_per_1000
        return None if price is None else scale(price) if price else LEFT + _FREE / 2

    unknown = sum(price is None for price in prices)
    caption = (
        "Higher and further left is better. A line is a model, and its points are depths. "
        + ("A diamond is a plan of two steps. " if _has_two_steps(findings) else "")
        + "The band connects the plans that no cheaper plan equals."
        + (f" {people.count(unknown, 'plan')} without a known price left out." if unknown else "")
    )
    kind = " (log scale)" if scale.is_logarithmic else ""
    title = f"US dollars per 1,000 questions{kind}"
    return _scatter(
        findings, "Quality against price", caption, position, ticks=ticks, x_title=title, band=True
    )


def against_time(findings: Findings) -> Chart | None:
    """Return the chart of quality against the time; `None` if no time was measured."""
    durations = [each.seconds_p50 for each in findings.plans if each.seconds_p50]
    if not durations:
        return None
    scale = for_magnitudes(durations, LEFT + 6, RIGHT - 6)
    ticks = [(scale(tick), f"{tick:g} s") for tick in scale.ticks()]

    def position(result: PlanResult) -> float | None:
        return scale(result.seconds_p50) if result.seconds_p50 else None

    caption = (
        "Higher and further left is better. The time is what a plan adds to a question, "
        "measured one request at a time."
    )
    kind = " (log scale)" if scale.is_logarithmic else ""
    title = f"median seconds per question{kind}"
    return _scatter(
        findings, "Quality against time", caption, position, ticks=ticks, x_title=title, band=False
    )


def _scatter(
    findings: Findings,
    title: str,
    caption: str,
    position: Position,
    *,
    ticks: Sequence[tuple[float, str]],
    x_title: str,
    band: bool,
) -> Chart:
    y_scale, ceiling = _quality_scale(findings)
    drawing = Drawing(description=f"{title}. {_summary(findings)}")
    drawing.y_axis(y_scale, findings.settings.metric, _value_text(y_scale))
    drawing.x_axis(ticks, x_title)

    def placed(results: Sequence[PlanResult]) -> list[tuple[PlanResult, Point]]:
        found = ((each, position(each)) for each in results)
        return [(each, (x, y_scale(each.value))) for each, x in found if x is not None]

    if band:
        _band(drawing, [point for _, point in placed(findings.frontier)])
    series = {model: placed(results) for model, results in by_model(findings).items()}
    models = [*series]
    for model, found in series.items():
        drawing.line([point for _, point in found], colour(models, model))
        for each, point in found:
            drawing.dot(point, colour(models, model), hover(findings, each))
    for each, point in placed([each for each in findings.plans if len(each.plan.steps) > 1]):
        drawing.diamond(point, hover(findings, each))
    _references(drawing, findings, y_scale, ceiling)
    for _, point in placed([each for each in findings.plans if is_marked(findings, each)]):
        drawing.ring(point)
        drawing.name("recommended", [point], "strong", gap=_RING)
    names = model_names(findings)
    for model, found in series.items():
        points = [point for _, point in reversed(found)]
        drawing.name(names[model], points, colour(models, model))
    return Chart(title=title, caption=caption, svg=drawing.svg())


def against_depth(findings: Findings) -> Chart | None:
    """Return the chart of quality against the depth; `None` if only one depth was evaluated."""
    series = {model: each for model, each in by_model(findings).items() if len(each) > 1}
    if not series:
        return None
    names, models = model_names(findings, _LONGEST_NAME_IN_MARGIN), [*by_model(findings)]
    right = WIDTH - _GAP_OF_MARGIN - max(map(width, (_PERFECT_ORDER, *names.values())))
    depths = sorted({each.plan.steps[0].depth for results in series.values() for each in results})
    x_scale = for_magnitudes([float(depth) for depth in depths], LEFT + 6, right - 6)
    ceilings = [
        (x_scale(depth), findings.ceiling[depth]) for depth in depths if depth in findings.ceiling
    ]
    values = [each.value for results in series.values() for each in results]
    values += [findings.first_stage.value, *(value for _, value in ceilings)]
    y_scale = linear(values, BOTTOM, TOP)
    drawing = Drawing(
        description=f"Quality against depth. {_summary(findings)}",
        right=right,
        space=LabelSpace(area=Box(LEFT, 2, right, BOTTOM - 2)),
    )
    drawing.y_axis(y_scale, findings.settings.metric, _value_text(y_scale))
    drawing.x_axis([(x_scale(depth), str(depth)) for depth in depths], "candidates reranked")
    ends: list[tuple[str, Point, str]] = []
    if ceilings:
        points = [(x, y_scale(value)) for x, value in ceilings]
        drawing.line(points, "ceiling")
        ends.append((_PERFECT_ORDER, points[-1], "muted"))
    for model, results in series.items():
        points = [(x_scale(each.plan.steps[0].depth), y_scale(each.value)) for each in results]
        drawing.line(points, colour(models, model))
        for each, found in zip(results, points, strict=True):
            drawing.dot(found, colour(models, model), hover(findings, each))
        ends.append((names[model], points[-1], f"name {colour(models, model)}"))
    _references(drawing, findings, y_scale, None)
    _margin_names(drawing, ends)
    caption = (
        "Where a line is flat, more candidates only cost more. Where it falls, they do harm. "
        "The dotted line is the best that any order of the candidates can reach."
    )
    return Chart(title="Quality against depth", caption=caption, svg=drawing.svg())


def _margin_names(drawing: Drawing, ends: Sequence[tuple[str, Point, str]]) -> None:
    """Write the names of lines to the right of their ends, with space between them."""
    wanted = [point[1] + SIZE * 0.35 for _, point, _ in ends]
    placed = spread(wanted, distance=SIZE * 1.2, low=SIZE, high=BOTTOM - 2)
    x = max(point[0] for _, point, _ in ends) + 14
    for (name, point, classes), y in zip(ends, placed, strict=True):
        label = at((x, y), name)
        drawing.leader((point[0] + 5, point[1]), (x - 3, y - SIZE * 0.35))
        drawing.write(label, classes)


def hover(findings: Findings, result: PlanResult) -> str:
    """Return the numbers of a plan in one line."""
    quality, change = people.quality(result.value), people.change(result.change)
    cost = people.price(result.price_per_1000)
    parts = [
        f"{findings.settings.metric} {quality} ({change})",
        f"{cost} per 1,000 questions" if result.price_per_1000 else f"price: {cost}",
    ]
    if result.seconds_p50 is not None:
        parts.append(people.seconds(result.seconds_p50))
    return f"{result.plan.name}: {', '.join(parts)}"


def _summary(findings: Findings) -> str:
    first, leading = people.quality(findings.first_stage.value), leading_plan(findings)
    first = f"The first stage has {findings.settings.metric} {first}."
    return f"{first} {hover(findings, leading)}." if leading is not None else first


def _has_two_steps(findings: Findings) -> bool:
    return any(len(each.plan.steps) > 1 for each in findings.plans)


def _quality_scale(findings: Findings) -> tuple[Scale, float | None]:
    """Return the vertical scale, and the ceiling if it is near enough to be shown."""
    values = [findings.first_stage.value, *(each.value for each in findings.plans)]
    ceiling = findings.ceiling[max(findings.ceiling)] if findings.ceiling else None
    reach = (max(values) - min(values)) * _CEILING_REACH
    if ceiling is None or ceiling - max(values) > reach:
        return linear(values, BOTTOM, TOP), None
    return linear([*values, ceiling], BOTTOM, TOP), ceiling


def _references(
    drawing: Drawing, findings: Findings, y_scale: Scale, ceiling: float | None
) -> None:
    first = findings.first_stage.value
    drawing.reference(y_scale(first), f"first stage {people.quality(first)}", "first-stage")
    if ceiling is not None:
        drawing.reference(y_scale(ceiling), f"perfect order {people.quality(ceiling)}", "ceiling")


def _band(drawing: Drawing, points: Sequence[Point]) -> None:
    """Draw steps through the plans that no cheaper plan equals."""
    steps: list[Point] = []
    for x, y in sorted(points):
        if steps:
            steps.append((x, steps[-1][1]))
        steps.append((x, y))
    if steps:
        steps.append((RIGHT, steps[-1][1]))
        drawing.line(steps, "band")
        drawing.space.lines.clear()


def _value_text(scale: Scale) -> Callable[[float], str]:
    """Return how the values of an axis are written: with as many decimals as its steps need."""
    ticks = scale.ticks(4)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 0.1
    digits = next((digits for digits in (1, 2, 3) if abs(step - round(step, digits)) < 1e-9), 4)
    return lambda value: f"{value:.{max(digits, 2)}f}"


def _dollars(value: float) -> str:
    return f"${value:,.10f}".rstrip("0").rstrip(".")
