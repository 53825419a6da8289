"""
The tables of the plans and of the thresholds. On a narrow page, each row is a card.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openrouter_rerank.evaluation.analysis import number_formats as people
from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.report.selection import is_marked
from openrouter_rerank.evaluation.result import Judging, PlanResult, Share, Threshold

from .markup import Markup, element, foreign, joined

WON_SAME_LOST = (
    "won\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}same\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}lost"
)
_MOST_MEASURES = 2
"""As many other metrics fit into the short table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: its heading, and one cell for each other column."""

    heading: Markup
    cells: Sequence[str]
    classes: str = ""


def table(
    caption: str, columns: Sequence[str], rows: Sequence[Row], *, optional: Sequence[str] = ()
) -> Markup:
    """
    Return a table, in a frame that scrolls if the page is too narrow for it.

    Args:
        caption: What a screen reader says before the table.
        columns: The headings. The first is that of the headings of the rows.
        rows: The rows.
        optional: The columns that cards, paper and notebooks leave out.
    """
    # Style sheets that turn rows into cards hide the table from screen readers, unless its parts
    # have roles.
    shown = {column: "optional" if column in optional else None for column in columns}
    head = [
        element(
            "th", people.unbroken(column), scope="col", role="columnheader", class_=shown[column]
        )
        for column in columns
    ]
    body = [_row(row, columns, shown) for row in rows]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *head, role="row"), role="rowgroup"),
            element("tbody", *body, role="rowgroup"),
            role="table",
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def _row(row: Row, columns: Sequence[str], classes: Mapping[str, str | None]) -> Markup:
    cells = [
        element("td", _content(cell), role="cell", data_label=column, class_=classes[column])
        for column, cell in zip(columns[1:], row.cells, strict=True)
    ]
    heading = element("th", row.heading, scope="row", role="rowheader")
    return element("tr", heading, *cells, role="row", class_=row.classes or None)


def _content(cell: str) -> Markup:
    return element("span", cell, class_="cell") if cell else Markup("")


def plan_table(findings: Findings, results: Sequence[PlanResult], caption: str) -> Markup:
    """Return the table of some plans, with what they are compared with above and below them."""
    metric = findings.settings.metric
    measures = _other_measures(findings)
    columns = ["plan", metric, "change (95 % interval)", "p", WON_SAME_LOST]
    columns += [*measures, "per 1,000 questions", "time p50 / p95"]
    first = findings.first_stage
    rows = [
        Row(
            heading=element("span", "first stage"),
            cells=[people.quality(first.value), "", "", "", *_measures(first, measures), "", ""],
            classes="reference",
        )
    ]
    rows += [_plan_row(findings, each, measures) for each in results]
    if findings.ceiling:
        depth = max(findings.ceiling)
        ceiling = findings.ceiling[depth]
        change = people.change(ceiling - first.value)
        rows.append(
            Row(
                heading=element("span", f"perfect order of {people.count(depth, 'candidate')}"),
                cells=[people.quality(ceiling), change, *[""] * (len(columns) - 3)],
                classes="reference",
            )
        )
    return table(caption, columns, rows, optional=measures)


def _plan_row(findings: Findings, result: PlanResult, measures: Sequence[str]) -> Row:
    recommended = is_marked(findings, result)
    heading = plan_name(result)
    if recommended:
        heading = joined([heading, " ", element("span", "recommended", class_="badge")])
    return Row(
        heading=heading,
        cells=[
            people.quality(result.value),
            _change(result),
            people.probability(result.p),
            _won_same_lost(result),
            *_measures(result, measures),
            people.price(result.price_per_1000),
            _times(result),
        ],
        classes="recommended" if recommended else "",
    )


def plan_name(result: PlanResult) -> Markup:
    """Return the name of a plan, with each model's name apart from the text around it."""
    steps: list[str] = []
    for step in result.plan.steps:
        depth = element("span", f"@{step.depth}", class_="nowrap")
        steps += [" → ", foreign(step.model), " ", depth]
    if result.is_estimate:
        steps += [" ", element("span", "estimate", class_="small")]
    return joined(steps[1:]) if steps else joined([result.plan.name])


def _change(result: PlanResult) -> Markup:
    low, high = result.interval
    kind = "gain-text" if low > 0 else "loss-text" if high < 0 else None
    interval = f"{people.change(low)} to {people.change(high)}"
    return joined(
        [
            element("b", people.change(result.change), class_=kind),
            " ",
            element("span", interval, class_="small nowrap"),
        ]
    )


def _won_same_lost(result: PlanResult) -> Markup:
    parts = (("gain", result.won), ("same", result.same), ("loss", result.lost))
    bars = [element("i", class_=kind, style=f"flex-grow:{each}") for kind, each in parts if each]
    numbers = f"{result.won:,} · {result.same:,} · {result.lost:,}"
    return joined(
        [
            element("span", *bars, class_="bar", aria_hidden="true"),
            element("span", numbers, class_="small nowrap"),
        ]
    )


def _times(result: PlanResult) -> Markup:
    if not result.plan.steps:
        return Markup("")
    if result.seconds_p50 is None:
        return joined([people.NO_VALUE])
    if result.seconds_p95 is None:
        return element("span", people.seconds(result.seconds_p50), class_="nowrap")
    slow = element("span", f"/ {people.seconds(result.seconds_p95)}", class_="small nowrap")
    return joined([element("span", people.seconds(result.seconds_p50), class_="nowrap"), " ", slow])


def _other_measures(findings: Findings) -> list[str]:
    """Return the names of the metrics that the short table shows: not the deciding one."""
    names = [name for name in findings.first_stage.measures if name != findings.settings.metric]
    names.sort(key=lambda name: not name.startswith(("MRR@10", "RR@10", "R@10")))
    return names[:_MOST_MEASURES]


def _measures(result: PlanResult, names: Sequence[str]) -> list[str]:
    found = (result.measures.get(name) for name in names)
    return [people.NO_VALUE if value is None else people.quality(value) for value in found]


def measure_table(findings: Findings) -> Markup:
    """Return the table of all plans and all metrics."""
    names = [*findings.first_stage.measures]
    if findings.settings.metric not in names:
        names.insert(0, findings.settings.metric)
    rows = [
        Row(
            heading=plan_name(each),
            cells=[
                people.quality(each.measures.get(name, each.value))
                if name == findings.settings.metric
                else _measures(each, [name])[0]
                for name in names
            ]
            + [people.price(each.price_per_1000) if each.plan.steps else "", _times(each)],
            classes="recommended" if is_marked(findings, each) else "",
        )
        for each in (findings.first_stage, *findings.plans)
    ]
    columns = ["plan", *names, "per 1,000 questions", "time p50 / p95"]
    return table("All plans and metrics", columns, rows)


def threshold_table(findings: Findings) -> Markup:
    """Return the table of the thresholds of all models."""
    columns = [
        *("model", "threshold (95 % interval)", "separation"),
        *(
            "others removed",
            "mean documents left",
            "questions left empty",
            "kept on unseen questions",
        ),
    ]
    rows = [_threshold_row(each) for each in findings.thresholds.values()]
    return table("A score threshold for each model", columns, rows)


def _threshold_row(threshold: Threshold) -> Row:
    heading = foreign(threshold.model)
    if threshold.score is None:
        reason = threshold.reason or "not enough relevant candidates"
        return Row(heading=heading, cells=["none", wrapping(reason), "", "", "", ""])
    score = element("b", people.quality(threshold.score))
    if threshold.low is not None and threshold.high is not None:
        interval = f"{people.quality(threshold.low)} to {people.quality(threshold.high)}"
        score = joined([score, " ", element("span", interval, class_="small nowrap")])
    left, empty = threshold.mean_left, threshold.empty_questions
    return Row(
        heading=heading,
        cells=[
            score,
            "clean" if threshold.separates else wrapping(f"not clean. {threshold.reason or ''}"),
            people.unbroken(people.percent(threshold.removed)),
            people.NO_VALUE if left is None else f"{left:,.1f} of {threshold.depth:,}",
            people.NO_VALUE if empty is None else f"{empty:,}",
            _recall(threshold),
        ],
    )


def judge_table(judging: Judging) -> Markup:
    """Return the table of what judges graded, what it cost, and how far the user agrees."""
    columns = ["judge", "documents", "questions", "cost", "agreed with you"]
    columns += ["relevant, of what it calls relevant", "missed, of what is relevant"]
    checked = judging.agreement
    agreement = ["not checked", people.NO_VALUE, people.NO_VALUE]
    if checked is not None:
        kappa = "" if checked.kappa is None else f"Cohen's kappa {checked.kappa:.2f}"
        agreed = f"{checked.agreed:,} of {checked.checked:,}"
        agreement = [
            joined([agreed, " ", element("span", kappa, class_="small nowrap")]),
            _share(checked.precision),
            _share(checked.missed),
        ]
    first, *others = map(foreign, judging.judges)
    heading = joined([first, *(part for name in others for part in (", confirmed by ", name))])
    cells = [f"{judging.documents:,}", f"{judging.questions:,}", people.price(judging.cost)]
    row = Row(heading=heading, cells=[*cells, *agreement])
    return table("What the judge graded", columns, [row])


def _share(share: Share | None) -> Markup:
    if share is None:
        return joined([people.NO_VALUE])
    value, low, high = map(people.percent, (share.value, share.low, share.high))
    interval = people.unbroken(f"{low} to {high}")
    return joined([people.unbroken(value), " ", element("span", interval, class_="small nowrap")])


def wrapping(text: str) -> Markup:
    """Return a text that may have several lines in its cell."""
    return element("span", people.unbroken(text), class_="wrapping")


def _recall(threshold: Threshold) -> Markup:
    parts: list[str] = [people.unbroken(people.percent(threshold.recall))]
    if threshold.recall_low is not None:
        low = people.unbroken(f"low {people.percent(threshold.recall_low)}")
        parts += [" ", element("span", low, class_="small")]
    return joined(parts)
