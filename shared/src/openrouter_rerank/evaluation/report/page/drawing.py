"""
One chart as SVG: its frame, axes, lines, points and labels.

A chart has fixed units, and the page scales it. Colours come from the style sheet, by class.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .labels import Box, Label, LabelSpace, Point, around, at
from .markup import Markup, element, joined, number
from .scale import Scale

WIDTH, HEIGHT = 400.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 388.0, 26.0, 228.0
_RADIUS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart, and the text above it."""

    title: str
    caption: str
    svg: Markup


@dataclass(slots=True, kw_only=True)
class Drawing:
    """A chart while it is drawn."""

    description: str
    """What a screen reader says instead of the chart."""
    right: float = RIGHT
    """Where the axes end."""
    marks: list[Markup] = field(default_factory=list[Markup])
    texts: list[Markup] = field(default_factory=list[Markup])
    """They are above all marks."""
    space: LabelSpace = field(
        default_factory=lambda: LabelSpace(area=Box(LEFT, 2, WIDTH - 2, BOTTOM - 2))
    )

    def svg(self) -> Markup:
        """Return the chart."""
        return element(
            "svg",
            joined([*self.marks, *self.texts]),
            viewBox=f"0 0 {number(WIDTH)} {number(HEIGHT)}",
            role="img",
            aria_label=self.description,
        )

    def y_axis(self, scale: Scale, title: str, tick_text: Callable[[float], str]) -> None:
        """Draw the lines and values of the vertical axis. Its title is above it."""
        for tick in scale.ticks(4):
            y = scale(tick)
            self.marks.append(_line((LEFT, y), (self.right, y), "grid"))
            self.write(at((LEFT - 6, y + 4), tick_text(tick), "end"))
        self.write(at((4, 12), title))

    def x_axis(
        self,
        ticks: Sequence[tuple[float, str]],
        title: str,
    ) -> None:
        """Draw the horizontal axis, with a text at each position, and its title below."""
        self.marks.append(_line((LEFT, BOTTOM), (self.right, BOTTOM), "axis"))
        ends_at = 0.0
        for x, text in ticks:
            label = at((x, BOTTOM + 17), text, "middle")
            if label.box.left > ends_at:
                self.marks.append(_line((x, BOTTOM), (x, BOTTOM + 4), "axis"))
                self.write(label)
                ends_at = label.box.right + 4
        self.write(at(((LEFT + self.right) / 2, HEIGHT - 6), title, "middle"))

    def reference(self, y: float, text: str, kind: str) -> None:
        """Draw a horizontal line with a text at its right end, above or below it."""
        self.marks.append(_line((LEFT, y), (self.right, y), kind))
        self.space.add_line([(LEFT, y), (self.right, y)])
        for base in (y - 4, y + 13):
            label = at((self.right - 2, base), text, "end")
            if self.space.area.contains(label.box) and not any(
                label.box.overlaps(each) for each in self.space.taken
            ):
                break
        else:
            label = at((LEFT + 4, y - 4), text)
        self.space.taken.append(label.box)
        self.write(label, "muted halo")

    def line(self, points: Sequence[Point], classes: str) -> None:
        """Draw a line through `points`."""
        if len(points) > 1:
            self.marks.append(element("path", d=path(points), class_=f"line {classes}"))
            self.space.add_line(points)

    def dot(self, point: Point, classes: str, hover: str) -> None:
        """Draw a point. `hover` is shown when the mouse is over it."""
        x, y = point
        title = element("title", hover)
        self.marks.append(element("circle", title, cx=x, cy=y, r=_RADIUS, class_=f"dot {classes}"))
        self.space.taken.append(around(point, _RADIUS + 1))

    def diamond(self, point: Point, hover: str) -> None:
        """Draw a diamond. `hover` is shown when the mouse is over it."""
        x, y = point
        corners = [(x, y - 5.5), (x + 5.5, y), (x, y + 5.5), (x - 5.5, y)]
        title = element("title", hover)
        self.marks.append(element("path", title, d=f"{path(corners)}Z", class_="diamond"))
        self.space.taken.append(around(point, 6))

    def ring(self, point: Point) -> None:
        """Draw a ring around a point."""
        x, y = point
        self.marks.append(element("circle", cx=x, cy=y, r=8.5, class_="ring"))
        self.space.taken.append(around(point, 9))

    def area(self, points: Sequence[Point], classes: str, hover: str) -> None:
        """Fill the area that `points` enclose."""
        title = element("title", hover)
        self.marks.append(element("path", title, d=f"{path(points)}Z", class_=f"area {classes}"))

    def name(
        self, text: str, points: Sequence[Point], classes: str, *, gap: float = _RADIUS * 2
    ) -> None:
        """Write the name of a series or point where there is space near one of `points`."""
        label = self.space.place(text, points, gap)
        if label is not None:
            self.write(label, f"name halo {classes}")

    def leader(self, start: Point, end: Point) -> None:
        """Draw the thin line from a point to its label."""
        self.marks.append(_line(start, end, "leader"))

    def write(self, label: Label, classes: str = "muted") -> None:
        """Write a label, and the line that connects it with its point if they are apart."""
        if label.leader is not None:
            y = min(max(label.leader[1], label.box.top), label.box.bottom)
            x = min(max(label.leader[0], label.box.left), label.box.right)
            self.leader(label.leader, (x, y))
        anchor = None if label.anchor == "start" else label.anchor
        self.texts.append(
            element("text", label.text, x=label.x, y=label.y, text_anchor=anchor, class_=classes)
        )


def path(points: Sequence[Point]) -> str:
    """Return the data of a path through `points`."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def _line(start: Point, end: Point, classes: str) -> Markup:
    (x1, y1), (x2, y2) = start, end
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=classes)
