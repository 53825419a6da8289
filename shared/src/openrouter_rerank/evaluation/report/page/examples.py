"""
The questions with the largest gains and losses: their first documents before and after.
"""

from collections.abc import Sequence

from openrouter_rerank.evaluation.analysis import number_formats as people
from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.report.selection import question_changes
from openrouter_rerank.evaluation.result import PlanResult

from .markup import Markup, element, joined
from .snippets import snippet

_QUESTIONS = 3
_DOCUMENTS = 3
_LONGEST_QUESTION = 300


def examples(findings: Findings, result: PlanResult) -> Markup | None:
    """Return the questions that `result` changes most; `None` if it changes none."""
    changes = question_changes(findings, result)
    order = sorted(changes, key=lambda question: -changes[question])
    gains = [question for question in order if changes[question] > 0][:_QUESTIONS]
    losses = [question for question in reversed(order) if changes[question] < 0][:_QUESTIONS]
    parts: list[Markup] = []
    for title, kind, questions in (
        ("Largest gains", "gain-text", gains),
        ("Largest losses", "loss-text", losses),
    ):
        if questions:
            parts.append(element("h3", title, class_=kind))
            parts += [
                _example(findings, result, question, changes[question], is_open=not index)
                for index, question in enumerate(questions)
            ]
    return joined(parts) if parts else None


def _example(
    findings: Findings, result: PlanResult, question: str, change: float, *, is_open: bool
) -> Markup:
    text = findings.collection.questions.get(question, question)
    shown = text if len(text) <= _LONGEST_QUESTION else f"{text[:_LONGEST_QUESTION]}…"
    summary = element(
        "summary",
        element("b", people.change(change, 2), class_="gain-text" if change > 0 else "loss-text"),
        " ",
        element("span", shown, dir="auto", class_="question"),
        " ",
        element("span", _movement(findings, result, question), class_="small"),
    )
    lists = [
        element("div", element("h4", title), _documents(findings, question, order))
        for title, order in (
            ("Before", findings.first_stage.orders.get(question, ())),
            ("After", result.orders.get(question, ())),
        )
    ]
    return element("details", summary, element("div", *lists, class_="pair"), open=is_open)


def _movement(findings: Findings, result: PlanResult, question: str) -> str:
    """Return where the first relevant document is before and after."""
    before, after = (
        _first_relevant(findings, question, each.orders.get(question, ()))
        for each in (findings.first_stage, result)
    )
    if before is None or after is None:
        return ""
    if before == after:
        return f"The first relevant document stays in place {before}."
    return f"The first relevant document moves from place {before} to place {after}."


def _first_relevant(findings: Findings, question: str, order: Sequence[str]) -> int | None:
    grades = findings.collection.judgements.get(question, {})
    return next(
        (place for place, document in enumerate(order, 1) if grades.get(document, 0) > 0), None
    )


def _documents(findings: Findings, question: str, order: Sequence[str]) -> Markup:
    grades = findings.collection.judgements.get(question, {})
    text = findings.collection.questions.get(question, "")
    items: list[Markup] = []
    for document in order[:_DOCUMENTS]:
        grade = grades.get(document)
        label = "not judged" if grade is None else "relevant" if grade > 0 else "not relevant"
        items.append(
            element(
                "li",
                element("span", label, class_="tag"),
                element(
                    "p", snippet(findings.collection.documents.get(document, ""), text), dir="auto"
                ),
                class_="relevant" if grade is not None and grade > 0 else None,
            )
        )
    return element("ol", *items)
