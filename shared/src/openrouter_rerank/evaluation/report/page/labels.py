"""
Places labels next to what they name, so that no label covers another label or a point.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, TypeAlias

Point: TypeAlias = tuple[float, float]
Anchor: TypeAlias = Literal["start", "middle", "end"]

SIZE = 12.0
"""The size of the text, in units of the drawing."""
# As a fraction of the size, for a wide font. Narrower fonts leave some space.
_WIDTH_OF_CHARACTER = 0.61
# How much further away a label may be. It is connected with its point then.
_DISTANCES = (0.0, 10.0, 22.0, 38.0, 58.0, 82.0, 112.0)
_DIRECTIONS: tuple[tuple[Point, Anchor], ...] = (
    ((1, 0), "start"),
    ((-1, 0), "end"),
    ((0, -1), "middle"),
    ((0, 1), "middle"),
    ((0.8, -0.8), "start"),
    ((0.8, 0.8), "start"),
    ((-0.8, -0.8), "end"),
    ((-0.8, 0.8), "end"),
)


def width(text: str) -> float:
    """Return about how wide `text` is."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return ((len(text) - wide) * _WIDTH_OF_CHARACTER + wide * 1.05) * SIZE


def shortened(text: str, longest: int) -> str:
    """Return `text`, or its beginning and an ellipsis if it has more than `longest` characters."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a drawing."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Return `True` if the rectangles have an area in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def contains(self, other: "Box") -> bool:
        """Return `True` if `other` is within this rectangle."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


def around(point: Point, radius: float) -> Box:
    """Return the square around a point."""
    x, y = point
    return Box(x - radius, y - radius, x + radius, y + radius)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text at its place. `leader` is the point that a line connects it with."""

    text: str
    x: float
    y: float
    """The base line."""
    anchor: Anchor
    box: Box
    leader: Point | None = None


@dataclass(slots=True, kw_only=True)
class LabelSpace:
    """The area of a drawing that may have labels, and what is there already."""

    area: Box
    taken: list[Box] = field(default_factory=list[Box])
    """Points and labels, which no label covers."""
    lines: list[Box] = field(default_factory=list[Box])
    """Parts of lines, which labels cover only if there is no other place."""

    def add_line(self, points: Sequence[Point]) -> None:
        """Let labels avoid the line through `points`."""
        for (x1, y1), (x2, y2) in pairwise(points):
            steps = max(1, int(max(abs(x2 - x1), abs(y2 - y1)) / 4))
            for step in range(steps + 1):
                share = step / steps
                self.lines.append(around((x1 + (x2 - x1) * share, y1 + (y2 - y1) * share), 1.5))

    def place(self, text: str, points: Iterable[Point], gap: float = 8.0) -> Label | None:
        """
        Return a label near one of `points`, the first if possible; `None` if there is no space.

        The space of the label is taken then.

        Args:
            text: The text of the label.
            points: Where it may be, in the order of preference.
            gap: The distance between a point and the label.
        """
        best: tuple[float, Label] | None = None
        for preference, point in enumerate(points):
            for cost, label in _candidates(text, point, gap):
                total = cost + preference * 3
                if (best is None or total < best[0]) and self._is_free(label.box):
                    total += 4 * sum(label.box.overlaps(each) for each in self.lines)
                    best = (total, label) if best is None or total < best[0] else best
        if best is None:
            return None
        self.taken.append(best[1].box)
        return best[1]

    def _is_free(self, box: Box) -> bool:
        return self.area.contains(box) and not any(box.overlaps(each) for each in self.taken)


def _candidates(text: str, point: Point, gap: float) -> Iterator[tuple[float, Label]]:
    """Yield labels around `point`, and how much worse than the best place each is."""
    for further in _DISTANCES:
        distance = gap + further
        for order, ((x, y), anchor) in enumerate(_DIRECTIONS):
            # A label is wider than high: above and below, its middle is further from its edge.
            middle = point[1] + y * (distance + SIZE / 2 if anchor == "middle" else distance)
            label = at((point[0] + x * distance, middle + SIZE * 0.35), text, anchor)
            yield further + order * 0.5, replace(label, leader=point if further else None)


def at(point: Point, text: str, anchor: Anchor = "start") -> Label:
    """Return a label whose base line begins, has its middle, or ends at `point`."""
    x, y = point
    wide = width(text)
    left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
    box = Box(left - 1, y - SIZE * 0.85, left + wide + 1, y + SIZE * 0.3)
    return Label(text=text, x=x, y=y, anchor=anchor, box=box)


def spread(positions: Sequence[float], *, distance: float, low: float, high: float) -> list[float]:
    """
    Return `positions`, moved so that they have at least `distance` from each other.

    They keep their order, and stay from `low` to `high` if there is space for all.
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    moved = [*positions]
    at_least = low
    for index in order:
        moved[index] = at_least = max(moved[index], at_least)
        at_least += distance
    at_most = high
    for index in reversed(order):
        moved[index] = at_most = min(moved[index], at_most)
        at_most -= distance
    return moved
