"""
The report: one HTML file without scripts that loads nothing.
"""

from collections.abc import Sequence
from importlib.resources import files

from openrouter_rerank.evaluation.analysis import number_formats as people
from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.report.local_answers import local_answers
from openrouter_rerank.evaluation.report.page.visible_text import visible
from openrouter_rerank.evaluation.report.selection import is_marked, leading_plan, short_list
from openrouter_rerank.evaluation.result import Judging, ModelUse, PlanResult

from .charts import against_depth, against_price, against_time, model_names
from .drawing import Chart
from .examples import examples
from .how_to_read import how_to_read
from .markup import Markup, element, foreign
from .question_chart import by_question
from .score_chart import of_scores
from .tables import (
    WON_SAME_LOST,
    Row,
    judge_table,
    measure_table,
    plan_table,
    table,
    threshold_table,
    wrapping,
)

_PACKAGE = "openrouter_rerank.evaluation.report.page"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_VERDICTS = {
    "yes": ("✓", "Worth it"),
    "no": ("✕", "Not worth it"),
    "unsure": ("?", "Not sure"),
}
_MOST_HISTOGRAMS = 2


def report_html(findings: Findings, *, command: str = "", date: str = "") -> str:
    """
    Return the report as an HTML file.

    Args:
        findings: What it reports.
        command: The command that makes the same evaluation, for the end of the report.
        date: When the evaluation was made, for its head.
    """
    title = f"Is reranking worth it on {findings.collection.name}?"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="color-scheme", content="light dark"),
        element("title", visible(title)),
        element("style", style_sheet("charts.css"), style_sheet("page.css")),
    )
    leading = leading_plan(findings)
    counted = bool(findings.questions)
    # Without a question, all numbers would be 0.
    sections = [
        _header(findings, date),
        verdict(findings),
        warnings(findings),
        tiles(findings) if counted else None,
        _plans(findings) if counted else None,
        _judging(findings.judging),
        _charts(findings, leading) if counted else None,
        _thresholds(findings) if counted else None,
        _examples(findings, leading),
        _section("How to read this report", how_to_read(findings)),
        _models(findings),
        _command(command),
    ]
    main = element("main", *(each for each in sections if each is not None), class_="orr")
    return f"<!doctype html>\n{element('html', head, element('body', main), lang='en')}\n"


def style_sheet(name: str) -> Markup:
    """Return a style sheet of this package."""
    return Markup(files(_PACKAGE).joinpath(name).read_text(encoding="utf-8"))


def _header(findings: Findings, date: str) -> Markup:
    collection = findings.collection
    facts = [
        people.count(len(findings.questions), "question"),
        people.count(len(collection.documents), "document"),
        f"first stage: {collection.first_stage}",
        date,
    ]
    parts: list[str] = []
    for fact in filter(None, facts):
        parts += [" · ", element("span", fact, dir="auto")]
    local = local_answers(findings)
    return element(
        "header",
        element("h1", "Is reranking worth it on ", foreign(collection.name), "?"),
        element("p", *parts[1:], class_="muted-text"),
        element("p", local, class_="local", dir="auto") if local else Markup(""),
    )


def verdict(findings: Findings) -> Markup:
    """Return the band with the verdict."""
    sign, word = _VERDICTS[findings.verdict.kind]
    incomplete = element(
        "p",
        "This evaluation is incomplete. Run the command again to continue it.",
        class_="incomplete",
    )
    return element(
        "section",
        element("h2", element("span", sign, class_="sign", aria_hidden="true"), word),
        element("p", people.unbroken(_after(word, findings.verdict.sentence)), class_="sentence"),
        element("p", people.unbroken(findings.verdict.small_print), class_="small"),
        incomplete if not findings.is_complete else Markup(""),
        class_=f"verdict {findings.verdict.kind}",
        aria_label="Verdict",
    )


def warnings(findings: Findings) -> Markup | None:
    """Return the list of what is missing or was left out; `None` if nothing is."""
    items = [element("li", people.unbroken(each), dir="auto") for each in findings.warnings]
    if not items:
        return None
    return element("section", element("ul", *items), class_="warnings", aria_label="Notes")


def _after(word: str, sentence: str) -> str:
    """
    Return the sentence of the verdict without `word`, which the heading has already.

    The names of judges may come before the word.
    """
    rest = sentence.replace(f"{word}: ", "", 1)
    first = rest.split(" ", 1)[0]
    # The name of a model keeps its small letter.
    return rest if "/" in first else f"{rest[:1].upper()}{rest[1:]}"


def tiles(findings: Findings) -> Markup:
    """Return five numbers: quality, questions, ceiling, price and time."""
    metric, first, leading = findings.settings.metric, findings.first_stage, leading_plan(findings)
    is_for_use = leading is not None and is_marked(findings, leading)
    of_plan = "recommended plan" if is_for_use else "best so far"
    ceiling_depth = max(findings.ceiling, default=0)
    ceiling = findings.ceiling.get(ceiling_depth)
    shown = [(people.quality(first.value), f"{metric} of the first stage")]
    if leading is not None:
        quality = f"{people.quality(first.value)} → {people.quality(leading.value)}"
        questions = f"{leading.won:,} · {leading.same:,} · {leading.lost:,}"
        shown = [
            (quality, f"{metric}: first stage → {of_plan}"),
            (questions, f"questions: {WON_SAME_LOST}"),
        ]
    if ceiling is not None:
        shown.append((people.quality(ceiling), f"perfect order of {ceiling_depth} candidates"))
    if leading is not None:
        price, duration = people.price(leading.price_per_1000), leading.seconds_p50
        shown.append((price, "price of 1,000 questions"))
        shown.append(
            (people.seconds(duration), "median time added to a question")
            if duration is not None
            else ("not measured", "time added to a question")
        )
    items = [
        element("div", element("dt", label), element("dd", number), class_="tile")
        for number, label in shown
    ]
    return element("dl", *items, class_="tiles")


def _plans(findings: Findings) -> Markup | None:
    if not findings.plans:
        return None
    shown = short_list(findings)
    keep = people.unbroken(people.percent(findings.settings.keep))
    text = (
        f"Of each model, the smallest depth that keeps {keep} of its largest gain, and the best "
        "plan. "
        "@20 means that the first 20 candidates are reranked. A change is compared with the first "
        "stage."
    )
    rest = len(findings.plans) - len(shown)
    every = element(
        "details",
        element("summary", f"All {people.count(len(findings.plans), 'plan')} and metrics"),
        measure_table(findings),
    )
    return _section(
        "The plans",
        element("p", text, class_="lead"),
        plan_table(findings, shown, "The plans in short"),
        every if rest or len(findings.first_stage.measures) > 1 else Markup(""),
    )


def _judging(judging: Judging | None) -> Markup | None:
    if judging is None:
        return None
    judges = people.count(len(judging.judges), "chat model")
    text = (
        f"{judges} graded the documents that have no judgement, from 0 to 3. A document with a "
        "grade of 2 or 3 is relevant. "
    )
    text += (
        "You have not checked these grades: --check lets you grade some documents yourself."
        if judging.agreement is None
        else "The last three numbers compare these grades with yours."
    )
    return _section("The judge", element("p", text, class_="lead"), judge_table(judging))


def _charts(findings: Findings, leading: PlanResult | None) -> Markup | None:
    charts = [against_price(findings), against_time(findings), against_depth(findings)]
    if leading is not None:
        charts.append(by_question(findings, leading))
    shown = [chart for chart in charts if chart is not None] if findings.plans else []
    return _section("Quality, price and time", figures(shown)) if shown else None


def figures(charts: Sequence[Chart]) -> Markup:
    """Return charts in two columns, or in one on a narrow page."""
    return element(
        "div",
        *(
            element(
                "figure",
                element("figcaption", element("h3", each.title), element("p", each.caption)),
                each.svg,
            )
            for each in charts
        ),
        class_="figures",
    )


def _thresholds(findings: Findings) -> Markup | None:
    if not findings.thresholds:
        return None
    depth = max(each.depth for each in findings.thresholds.values())
    text = (
        f"Of the first {people.count(depth, 'candidate')}, documents with a lower score can be "
        "left out, and 95 % of the relevant ones stay. A threshold is valid for one model only, "
        "and for questions like these. Use none where the separation is not clean. Documents "
        "without a judgement count as not relevant. In 95 % of the trials with unseen questions, "
        "at least the low share of the relevant documents is kept."
    )
    names = model_names(findings)
    leading = leading_plan(findings)
    first = leading.plan.steps[-1].model if leading is not None and leading.plan.steps else ""
    ordered = sorted(
        findings.thresholds.values(),
        key=lambda each: (each.model != first, each.score is None, -(each.removed or 0.0)),
    )
    charts = [of_scores(each, names.get(each.model, each.model)) for each in ordered]
    shown = [chart for chart in charts if chart is not None][:_MOST_HISTOGRAMS]
    return _section(
        "A threshold for the score",
        element("p", text, class_="lead"),
        threshold_table(findings),
        figures(shown) if shown else Markup(""),
    )


def _examples(findings: Findings, leading: PlanResult | None) -> Markup | None:
    found = examples(findings, leading) if leading is not None else None
    if leading is None or found is None:
        return None
    text = (
        f"{leading.plan.name} compared with the first stage: the questions that change most, with "
        "the first three documents. Words of the question are marked."
    )
    return _section("Examples", element("p", text, class_="lead"), found)


def _models(findings: Findings) -> Markup | None:
    if not findings.uses:
        return None
    columns = ["model", "questions", "failed", "cost", "served as", "provider", "smaller depths"]
    rows = [_use_row(findings, each) for each in findings.uses]
    cost = people.price(findings.cost)
    total = {"free": "Everything was free.", "unknown": "The total cost is unknown."}
    return _section(
        "What was asked",
        element("p", total.get(cost, f"Everything cost {cost}."), class_="lead"),
        table("What was asked of each model", columns, rows),
    )


def _use_row(findings: Findings, use: ModelUse) -> Row:
    return Row(
        heading=foreign(use.model),
        cells=[
            f"{use.questions:,}",
            f"{use.failed:,}",
            people.price(use.cost),
            wrapping(", ".join(use.served_models) or people.NO_VALUE),
            wrapping(", ".join(use.providers) or people.NO_VALUE),
            wrapping(_smaller_depths(findings, use)),
        ],
    )


def _smaller_depths(findings: Findings, use: ModelUse) -> str:
    if len(findings.depths) < 2:
        return people.NO_VALUE
    if use.replays:
        checked = "equal in probes" if use.is_checked else "not checked by probes"
        return f"computed from the largest, {checked}"
    plans = (each for each in findings.plans if each.plan.steps[0].model == use.model)
    return "estimated from the largest" if any(each.is_estimate for each in plans) else "asked"


def _command(command: str) -> Markup | None:
    if not command:
        return None
    return _section("The command", element("pre", command, tabindex="0"))


def _section(title: str, *children: str) -> Markup:
    return element("section", element("h2", title), *children)
