"""
Draws the judged questions as a slope chart: where the right passage stood, before and after.

The chart is readable at a width of 360 pixels, in light and in dark. Better, worse and unchanged
places differ in colour, in the line and in the sign at its end.
"""

import math
import textwrap
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

from openrouter_rerank.cli.summary import ranked_by
from openrouter_rerank.demo.comparison import Change, Comparison, Verdict
from openrouter_rerank.demo.introduction import CANDIDATES
from openrouter_rerank.demo.presentation import Judged

_WIDTH, _HEIGHT = 360, 500
_LEFT, _RIGHT = 104, 256
_TOP, _BOTTOM = 136, 356
_LEGEND = 396
_SOURCE = 464
_SOURCE_WIDTH = 44
_TICKS = (1, 2, 3, 5, 10, 25, 50)

_STYLE = f"\n{Path(__file__).with_name('figure.css').read_text('utf-8')}"


class _Kind(NamedTuple):
    """How the questions with a verdict are drawn."""

    verdict: Verdict
    css_class: str
    name: str


# In the order of drawing, so that few lines are not below many.
_LINES = (
    _Kind("unchanged", "unchanged", "unchanged"),
    _Kind("better", "better", "better"),
    _Kind("worse", "worse", "worse"),
)
_NOT_FOUND = _Kind("not found", "not-found", "not found")


def chart(judged: Judged) -> str:
    """Return the chart of the judged questions of a run."""
    names = sorted({ranked_by(each) for answer in judged.answers for each in answer.rankings})
    return slope_chart(
        judged.comparison, candidates=CANDIDATES, source=f"Reranked by {'; '.join(names)}"
    )


def slope_chart(found: Comparison, *, candidates: int, source: str) -> str:
    """
    Return the chart as SVG. Equal arguments give equal text.

    Args:
        found: The judged questions.
        candidates: How many passages the retriever has fetched for each question.
        source: What has ranked, for the last line of the chart.
    """
    before, after = found.among(1)
    count = len(found.changes)
    counts = ", ".join(
        f"{len(found.of(kind.verdict))} {kind.name}"
        for kind in (_LINES[1], _LINES[2], _LINES[0], _NOT_FOUND)
    )
    label = (
        f"Slope chart of the place of the first right passage among {candidates} candidates, "
        f"before and after reranking, for {count} questions. The right passage was first for "
        f"{before} questions before, and for {after} after. {counts[0].upper()}{counts[1:]}."
    )
    size = f'width="{_WIDTH * 4 // 3}" height="{_HEIGHT * 4 // 3}"'
    view_box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view_box}',
        f'role="img" aria-label="{escape(label)}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" x=".5" y=".5" width="{_WIDTH - 1}" height="{_HEIGHT - 1}" rx="8"/>',
        _text(_WIDTH / 2, 30, "Where the right passage stood", "text heading middle"),
        _text(_WIDTH / 2, 52, f"{count} questions, {candidates} candidates each", "quiet middle"),
        *_axis(_LEFT, "retriever", before),
        *_axis(_RIGHT, "reranked", after),
        *_ticks(candidates),
        *(part for kind in _LINES for part in _lines(found.of(kind.verdict), kind, candidates)),
        *_legend(found),
        *(
            _text(_WIDTH / 2, _SOURCE + 18 * number, line, "quiet small middle")
            for number, line in enumerate(textwrap.wrap(source, _SOURCE_WIDTH))
        ),
        "</svg>\n",
    )
    return "\n".join(parts)


def _axis(x: float, name: str, first: int) -> Iterator[str]:
    yield _text(x, 82, name, "text name middle")
    yield (
        f'<text class="text middle" x="{x}" y="110"><tspan class="number">{first}</tspan>'
        '<tspan class="quiet"> first</tspan></text>'
    )
    yield f'<path class="axis" d="M{x} {_TOP}V{_BOTTOM}"/>'


def _ticks(candidates: int) -> Iterator[str]:
    for rank in _TICKS:
        if rank <= candidates:
            y = _y(rank, candidates) + 5
            name = f"place {rank}" if rank == 1 else str(rank)
            yield _text(_LEFT - 16, y, name, "quiet end")
            yield _text(_RIGHT + 16, y, str(rank), "quiet")


def _lines(changes: list[Change], kind: _Kind, candidates: int) -> Iterator[str]:
    yield f'<g class="{kind.css_class}">'
    middle = (_LEFT + _RIGHT) // 2
    for change in sorted(changes, key=lambda each: (each.before or 0, each.after or 0)):
        if change.before is not None and change.after is not None:
            before, after = _y(change.before, candidates), _y(change.after, candidates)
            yield (
                f'<path class="line" d="M{_LEFT} {before:g}C{middle} {before:g} {middle} {after:g} '
                f'{_RIGHT} {after:g}"><title>{escape(change.question)} {change.before} → '
                f"{change.after}</title></path>"
            )
            yield f'<circle class="sign" cx="{_LEFT}" cy="{before:g}" r="2.5"/>'
            yield _sign(kind, _RIGHT, after)
    yield "</g>"


def _legend(found: Comparison) -> Iterator[str]:
    kinds = (_LINES[1], _LINES[2], _LINES[0], _NOT_FOUND)
    for number, kind in enumerate(kinds):
        x, y = 24 + 150 * (number % 2), _LEGEND + 30 * (number // 2)
        yield f'<g class="{kind.css_class}">'
        if kind is not _NOT_FOUND:
            yield f'<path class="line" d="M{x} {y}H{x + 26}"/>'
        yield _sign(kind, x + 28, y)
        yield "</g>"
        count = len(found.of(kind.verdict))
        yield _text(x + 40, y + 5, f"{count} {kind.name}", "text")


def _sign(kind: _Kind, x: float, y: float) -> str:
    match kind.verdict:
        case "better":
            return f'<path class="sign" d="M{x - 5} {y + 4:g}h10l-5 -9z"/>'
        case "worse":
            return f'<path class="sign" d="M{x - 5} {y - 4:g}h10l-5 9z"/>'
        case "unchanged" | "not found":
            return f'<circle class="sign" cx="{x}" cy="{y:g}" r="4"/>'


def _y(rank: int, candidates: int) -> float:
    """Return the height of a rank. The first ranks matter most, so they have most of the room."""
    return round(_TOP + (_BOTTOM - _TOP) * math.log(rank) / math.log(candidates), 1)


def _text(x: float, y: float, text: str, css_class: str) -> str:
    return f'<text class="{css_class}" x="{x:g}" y="{y:g}">{escape(text)}</text>'
