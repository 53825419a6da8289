"""
The chart of a model's scores: relevant candidates above the axis, all others below it.
"""

import math
from collections.abc import Sequence

from openrouter_rerank.evaluation.analysis import number_formats as people
from openrouter_rerank.evaluation.result import Threshold

from .drawing import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, Chart, Drawing
from .labels import Box, LabelSpace, Point, at
from .scale import Scale, linear

_BINS = 40


def of_scores(threshold: Threshold, name: str) -> Chart | None:
    """
    Return the chart of a model's scores.

    `None` if there are none of one of the two kinds, or if they have no range that can be drawn.
    """
    relevant, others = threshold.relevant_scores, threshold.other_scores
    if not relevant or not others:
        return None
    # The largest floats are further apart than a float can tell.
    span = max(*relevant, *others) - min(*relevant, *others)
    if not 0 < span < math.inf:
        return None
    title = f"Scores of {name}"
    caption = _caption(threshold)
    x_scale = linear([*relevant, *others], LEFT, RIGHT, margin=0.0)
    drawing = Drawing(
        description=f"{title}. {caption}", space=LabelSpace(area=Box(LEFT, 2, RIGHT, BOTTOM))
    )
    ticks = [(x_scale(tick), f"{tick:g}") for tick in x_scale.ticks()]
    drawing.x_axis(ticks, "relevance score")
    middle = (TOP + BOTTOM) / 2
    if threshold.low is not None and threshold.high is not None:
        left, right = x_scale(threshold.low), x_scale(threshold.high)
        corners = [(left, TOP), (right, TOP), (right, BOTTOM), (left, BOTTOM)]
        interval = f"95 % interval: {_score(threshold.low)} to {_score(threshold.high)}"
        drawing.area(corners, "interval", interval)
    for scores, end, kind, word in (
        (relevant, TOP + 14, "gain", "relevant"),
        (others, BOTTOM - 6, "others", "other"),
    ):
        text = people.count(len(scores), f"{word} candidate")
        drawing.area(_outline(scores, x_scale, middle, end), kind, text)
    drawing.line([(LEFT, middle), (RIGHT, middle)], "zero")
    drawing.write(at((4, 12), f"{len(relevant):,} relevant"), "name gain-text")
    drawing.write(at((4, HEIGHT - 6), f"{len(others):,} others"))
    if threshold.score is not None:
        x = x_scale(threshold.score)
        drawing.line([(x, TOP - 8), (x, BOTTOM)], "threshold")
        label = at((x + 5, TOP), f"threshold {_score(threshold.score)}")
        if label.box.right > RIGHT:
            label = at((x - 5, TOP), label.text, "end")
        drawing.write(label, "strong halo")
    return Chart(title=title, caption=caption, svg=drawing.svg())


def _caption(threshold: Threshold) -> str:
    if threshold.score is None:
        return threshold.reason or "There is no threshold."
    text = (
        f"Documents with a score of at least {_score(threshold.score)}: 95 % of the relevant ones, "
        f"and {people.percent(None if threshold.removed is None else 1 - threshold.removed)} of "
        "the others."
    )
    if not threshold.separates:
        text = f"{text} There is no clean separation."
    return people.unbroken(text)


def _score(score: float) -> str:
    return people.quality(score)


def _outline(scores: Sequence[float], x_scale: Scale, middle: float, end: float) -> list[Point]:
    """Return the outline of a histogram. Its highest bar reaches `end`."""
    bins = [0] * _BINS
    for score in scores:
        share = (score - x_scale.low) / (x_scale.high - x_scale.low)
        bins[min(_BINS - 1, max(0, int(share * _BINS)))] += 1
    highest = max(bins)
    wide = (x_scale.end - x_scale.start) / _BINS
    points: list[Point] = [(x_scale.start, middle)]
    for index, number in enumerate(bins):
        y = middle + (end - middle) * number / highest
        points += [(x_scale.start + index * wide, y), (x_scale.start + (index + 1) * wide, y)]
    return [*points, (x_scale.end, middle)]
