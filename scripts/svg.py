"""
Draws the figures of the documentation as SVG.

A figure is 360 units wide, so its letters have 13 pixels on a phone. It has its own background, and
the colours of the light or the dark scheme of the reader's system.
"""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

WIDTH = 360

# Classes of shapes and texts. `a` to `d` are fills that text can stand on.
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: var(--ink) }
.bold { font-weight: 600 }
.soft { fill: var(--soft) }
.paper { fill: var(--paper) }
.axis { stroke: var(--soft); fill: none }
.tip { fill: var(--soft) }
.grid { stroke: var(--grid); fill: none }
.a { fill: var(--a); stroke: var(--soft) }
.b { fill: var(--b); stroke: var(--soft) }
.c { fill: var(--c); stroke: var(--soft) }
.d { fill: var(--d); stroke: var(--soft) }
.blue, .orange, .green { fill: none; stroke-width: 2.5 }
.blue { stroke: var(--blue) }
.orange { stroke: var(--orange); stroke-dasharray: 8 4 }
.green { stroke: var(--green); stroke-dasharray: 2 4 }
.bar { fill: var(--bar) }
.ours { fill: var(--blue) }
svg { --paper: #fff; --ink: #1f2328; --soft: #59636e; --grid: #d8dee4; --bar: #b6bec8;
  --a: #cfe3fd; --b: #d6f0da; --c: #fde3c3; --d: #eceff2;
  --blue: #0a5bc4; --orange: #a84300; --green: #17702c }
@media (prefers-color-scheme: dark) {
  svg { --paper: #1b1e26; --ink: #e6e9ef; --soft: #a5adba; --grid: #3a404c; --bar: #5a6373;
    --a: #1f4272; --b: #1e4d2b; --c: #66401a; --d: #343a46;
    --blue: #71aaff; --orange: #ff9f5a; --green: #6fd184 }
}
"""

_TIP = (
    '<marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
    '<path class="tip" d="M0 0 8 4 0 8z"/></marker>'
)


def figure(height: float, description: str, parts: Iterable[str]) -> str:
    """
    Return a figure.

    Args:
        height: Its height; its width is 360.
        description: What a screen reader says instead of it.
        parts: The shapes and texts, from back to front.
    """
    size = f'width="{WIDTH}" height="{height:g}"'
    name = quoteattr(description)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {height:g}"',
        f'role="img" aria-label={name}>',
        f"<style>{_STYLE}</style>",
        f"<defs>{_TIP}</defs>",
        f'<rect class="paper" {size} rx="8"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def text(x: float, y: float, content: str, kind: str = "", *, anchor: str = "start") -> str:
    """Return a line of text; `y` is the line that its letters stand on."""
    attributes = f' class="{kind}"' if kind else ""
    if anchor != "start":
        attributes += f' text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{escape(content)}</text>'


def rectangle(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a rectangle."""
    return (
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="3"/>'
    )


def box(x: float, y: float, width: float, height: float, kind: str, *lines: str) -> str:
    """Return a rectangle with lines of text in its middle."""
    first = y + height / 2 + 4.5 - 8 * (len(lines) - 1)
    texts = [
        text(x + width / 2, first + 16 * number, each, anchor="middle")
        for number, each in enumerate(lines)
        if each
    ]
    return "\n".join([rectangle(x, y, width, height, kind), *texts])


def line(points: Sequence[tuple[float, float]], kind: str, *, has_tip: bool = False) -> str:
    """Return a line through `points`, which may end in the tip of an arrow."""
    joined = " ".join(f"{x:.5g},{y:.5g}" for x, y in points)
    tip = ' marker-end="url(#tip)"' if has_tip else ""
    return f'<polyline class="{kind}" points="{joined}"{tip}/>'
