"""
An evaluation in a terminal or in a pipe: the table of the plans, notes, and the verdict.

The tables of other commands (`cli.tables`) are only for terminals. This table has the same form in
a pipe, and writes long names in several lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from openrouter_rerank.cli.escapes import one_line
from openrouter_rerank.evaluation.analysis import number_formats as people
from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.collection.bm25 import BM25_NAME
from openrouter_rerank.evaluation.result import PlanResult

from .local_answers import local_answers
from .selection import is_marked, short_list

WIDTH_OF_PIPE = 100
_GAP = 2
_INDENT = 4
_LEAST_PLAN = 20
# A longer name has several lines, so that more columns fit.
_LONGEST_LINE_OF_PLAN = 32
_LONGEST_METRIC = 12
_MOST_WARNINGS = 3
# The width of the change with its interval: `+0.036 (+.01 +.06)`.
_WIDTH_OF_CHANGE = 18
_BAR = 8
_COLOURS = {"yes": "bold green", "no": "bold red", "unsure": "bold yellow"}
_ASCII = str.maketrans({"▶": ">", "→": ">", people.NO_VALUE: "-", "·": ".", "…": "~"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column with its heading and a cell for each row."""

    heading: str
    cells: Sequence[Text]

    @property
    def width(self) -> int:
        return max(cell_len(self.heading), *(each.cell_len for each in self.cells))


def show(findings: Findings, console: Console, *, report: Path | None = None) -> None:
    """
    Print the table, the most important notes, the verdict, and the path of the report.

    Columns are left out if the terminal is too narrow for them; a pipe has 100 columns of text. No
    number is cut.

    Args:
        findings: The evaluation.
        console: Where it is printed.
        report: The path of the report.
    """
    width = console.width if console.is_terminal else WIDTH_OF_PIPE
    is_unicode = console.encoding.lower().startswith("utf")
    lines = [_heading(findings), *_origin(findings)]
    # Without a question, all numbers would be 0.
    lines += _table(findings, width, is_unicode=is_unicode) if findings.questions else []
    for warning in _missing(findings):
        lines += _wrapped(warning, console, width)
    style = _COLOURS[findings.verdict.kind]
    lines += _wrapped(Text(_plain(findings.verdict.sentence), style=style), console, width)
    if findings.verdict.small_print:
        lines += _wrapped(Text(_plain(findings.verdict.small_print), style="dim"), console, width)
    if report is not None:
        lines.append(Text(one_line(str(report))))
    for line in lines:
        line.rstrip()
        shown = line if is_unicode else _in_ascii(line)
        console.print(shown, soft_wrap=True)


def _heading(findings: Findings) -> Text:
    collection = findings.collection
    depth = max(findings.depths, default=0)
    candidates = people.count(depth, "candidate")
    lengths = (len(collection.candidates.get(each, ())) for each in findings.questions)
    line = Text(
        f"{one_line(collection.name)}: {people.count(len(findings.questions), 'question')}, "
        f"{people.count(len(collection.documents), 'document')}, "
        + (f"{candidates} each" if min(lengths, default=0) >= depth else f"up to {candidates}")
    )
    return line if findings.is_complete else line.append(", incomplete", style="yellow")


def _origin(findings: Findings) -> list[Text]:
    """Return what the reader must know of candidates and models before reading the table."""
    found: list[str] = []
    if findings.collection.first_stage == BM25_NAME:
        found.append(f"first stage: {BM25_NAME}")
    if local := local_answers(findings):
        found.append(one_line(local))
    return [Text(each, style="yellow") for each in found]


def _missing(findings: Findings) -> list[Text]:
    """Return what is missing or left out, and how much of this is only in the report."""
    shown = [_plain(each) for each in findings.warnings[:_MOST_WARNINGS]]
    rest = len(findings.warnings) - len(shown)
    if rest:
        shown.append(f"{people.count(rest, 'more note')} in the report.")
    return [Text(each, style="yellow") for each in shown]


def _table(findings: Findings, width: int, *, is_unicode: bool) -> list[Text]:
    plans = [findings.first_stage, *short_list(findings)]
    names = [_name(findings, each) for each in plans]
    if findings.ceiling:
        names.append(Text("  (perfect order)", style="dim"))
    # Plans of two steps may have two lines.
    longest = max(cell_len(part) + 2 for name in names for part in _parts(name))
    columns = _columns(findings, plans, is_unicode=is_unicode)
    columns = _fitting(columns, width - min(longest, _LONGEST_LINE_OF_PLAN))
    rest = sum(each.width + _GAP for each in columns)
    plan_width = min(max(each.cell_len for each in names), max(_LEAST_PLAN, width - rest))
    headings = "".join(f"{'':{_GAP}}{each.heading:>{each.width}}" for each in columns)
    lines = [Text(f"{'plan':{plan_width}}{headings}", style="dim")]
    for row, name in enumerate(names):
        *before, last = _folded(name, plan_width)
        lines += before
        last.pad_right(plan_width - last.cell_len)
        for column in columns:
            cell = column.cells[row]
            last.append(" " * (_GAP + column.width - cell.cell_len)).append_text(cell)
        lines.append(last)
    return lines


def _parts(name: Text) -> list[str]:
    return name.plain.strip("▶ ").split("→ ")


def _fitting(columns: Sequence[_Column], width: int) -> list[_Column]:
    """Return the columns that fit into `width`: first without R@10, then without won/same/lost."""
    kept = [*columns]
    for dropped in ("R@10", "won/same/lost"):
        if sum(each.width + _GAP for each in kept) > width:
            kept = [each for each in kept if each.heading != dropped]
    return kept


def _heading_of(metric: str) -> str:
    name = one_line(metric)
    return name if len(name) <= _LONGEST_METRIC else f"{name[: _LONGEST_METRIC - 1]}…"


def _columns(findings: Findings, plans: Sequence[PlanResult], *, is_unicode: bool) -> list[_Column]:
    metric, first = findings.settings.metric, findings.first_stage
    blank = [Text("")] if findings.ceiling else []
    depth = max(findings.ceiling, default=0)
    ceiling = findings.ceiling.get(depth, 0.0)
    best = [Text(people.quality(ceiling), style="dim")] if findings.ceiling else []
    change = _change(ceiling - first.value).ljust(_WIDTH_OF_CHANGE)
    gain = [Text(change, "dim")] if findings.ceiling else []
    columns = [
        _Column(
            heading=_heading_of(metric),
            cells=[*(Text(people.quality(e.value)) for e in plans), *best],
        ),
        _Column(heading="change (95 %)", cells=[*map(_interval, plans), *gain]),
        _Column(heading="won/same/lost", cells=[*_bars(plans, is_unicode=is_unicode), *blank]),
        _Column(heading="$/1,000", cells=[*map(_price, plans), *blank]),
        _Column(heading="p50", cells=[*map(_seconds, plans), *blank]),
    ]
    recall = [each.measures.get("R@10") for each in plans]
    if metric != "R@10" and all(value is not None for value in recall):
        cells = [Text(people.quality(value)) for value in recall if value is not None]
        columns.insert(1, _Column(heading="R@10", cells=[*cells, *blank]))
    return columns


def _name(findings: Findings, result: PlanResult) -> Text:
    marked = is_marked(findings, result)
    name = f"{'▶' if marked else ' '} {one_line(result.plan.name)}"
    name += " (estimate)" if result.is_estimate else ""
    style = "bold" if marked else "dim" if not result.plan.steps else ""
    return Text(name, style=style)


def _folded(name: Text, width: int) -> list[Text]:
    """Return a name in lines of at most `width`; all but the first are indented."""
    lines: list[Text] = []
    rest = name.plain
    while cell_len(rest) > width:
        end = next(end for end in range(width, 0, -1) if cell_len(rest[:end]) <= width)
        # A space, or a part of a name, is a better end than the middle of a word.
        better = max(rest.rfind(character, _INDENT, end) + 1 for character in " -/")
        end = better if better > width // 2 else end
        lines.append(Text(rest[:end].rstrip(), style=name.style))
        rest = " " * _INDENT + rest[end:].lstrip()
    return [*lines, Text(rest, style=name.style)]


def _interval(result: PlanResult) -> Text:
    if not result.plan.steps:
        return Text("")
    low, high = result.interval
    style = "green" if low > 0 else "red" if high < 0 else ""
    interval = f" ({_short(low)} {_short(high)})"
    return Text.assemble((_change(result.change), style), (interval, "dim"))


def _plain(text: str) -> str:
    """Return `text` with escaped control characters, and minus signs that any terminal has."""
    return one_line(text).replace(people.MINUS, "-")


def _change(value: float) -> str:
    return _plain(people.change(value))


def _short(value: float) -> str:
    """Return two decimals without the zero before the point, such as `+.01`."""
    text = _plain(people.change(value, 2))
    return text.replace("0.", ".", 1) if abs(value) < 0.995 else text


def _bars(plans: Sequence[PlanResult], *, is_unicode: bool) -> list[Text]:
    """Return the numbers of won, equal and lost questions, and a bar of their shares."""
    numbers = [
        f"{each.won:,}/{each.same:,}/{each.lost:,}" if each.plan.steps else "" for each in plans
    ]
    if not is_unicode:
        return [*map(Text, numbers)]
    return [
        Text.assemble(number, " ", _bar(each)) if number else Text("")
        for number, each in zip(numbers, plans, strict=True)
    ]


def _bar(result: PlanResult) -> Text:
    all_questions = max(1, result.won + result.same + result.lost)
    good = _cells(result.won, all_questions)
    bad = min(_BAR - good, _cells(result.lost, all_questions))
    return Text.assemble(
        ("█" * good, "green"), ("·" * (_BAR - good - bad), "dim"), ("▒" * bad, "red")
    )


def _cells(number: int, all_questions: int) -> int:
    """Return how many cells of a bar `number` fills: at least one if there are any."""
    return min(_BAR, max(1, round(_BAR * number / all_questions))) if number else 0


def _price(result: PlanResult) -> Text:
    return Text(people.price(result.price_per_1000) if result.plan.steps else "")


def _seconds(result: PlanResult) -> Text:
    return Text(people.seconds(result.seconds_p50) if result.plan.steps else "")


def _wrapped(text: Text, console: Console, width: int) -> list[Text]:
    return [*text.wrap(console, width)]


def _in_ascii(line: Text) -> Text:
    plain = line.plain.translate(_ASCII).encode("ascii", "replace").decode()
    return Text(plain, style=line.style)
