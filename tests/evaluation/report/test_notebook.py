"""An evaluation in a notebook."""

import re

from openrouter_rerank.evaluation.report.page.page import style_sheet

from tests.evaluation.example_evaluations import example_evaluation


def test_an_evaluation_shows_itself():
    """The last value of a cell is shown as verdict, table and charts."""
    html = example_evaluation()._repr_html_()

    assert html.startswith('<div class="orr orr-notebook">')
    assert html.count("<svg") == 4
    assert html.count("<table") == 1
    assert "Worth it" in html


def test_every_rule_is_only_for_the_evaluation():
    """Each selector of the style begins with a class of the evaluation."""
    for name, start in (("charts.css", ".orr "), ("notebook.css", ".orr-notebook")):
        css = re.sub(r"/\*.*?\*/", "", style_sheet(name), flags=re.DOTALL)
        selectors = [
            selector.strip()
            for group in re.findall(r"([^{}]+){", css)
            for selector in group.split(",")
        ]

        assert len(selectors) > 20
        assert [each for each in selectors if not each.startswith(start)] == []


def test_an_evaluation_without_plans_shows_itself():
    """Without plans there are no charts, and no error."""
    evaluation = example_evaluation(
        kind="no", plans=(), best=None, recommended=None, frontier=(), ceiling={}
    )

    assert "<svg" not in evaluation._repr_html_()
