"""
An evaluation in a notebook: the verdict, the table and the charts.

The style sheet applies only to elements of the class `orr`. Its colours have enough contrast on
white and on black, because a page cannot know whether its notebook is light or dark.
"""

from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.report.local_answers import local_answers
from openrouter_rerank.evaluation.report.selection import leading_plan, short_list

from .charts import against_depth, against_price, against_time
from .markup import Markup, element
from .page import figures, style_sheet, verdict, warnings
from .question_chart import by_question
from .tables import plan_table


def notebook_html(findings: Findings) -> str:
    """Return the verdict, the table of the plans and the charts, for a cell of a notebook."""
    leading, local = leading_plan(findings), local_answers(findings)
    charts = [against_price(findings), against_time(findings), against_depth(findings)]
    if leading is not None:
        charts.append(by_question(findings, leading))
    shown = [chart for chart in charts if chart is not None] if findings.plans else []
    # Without a question, all numbers would be 0.
    numbers = [plan_table(findings, short_list(findings), "The plans in short"), figures(shown)]
    return element(
        "div",
        element("style", style_sheet("charts.css"), style_sheet("notebook.css")),
        verdict(findings),
        element("p", local, class_="local", dir="auto") if local else Markup(""),
        warnings(findings) or Markup(""),
        *(numbers if findings.questions else []),
        class_="orr orr-notebook",
    )
