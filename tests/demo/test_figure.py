import re
from xml.etree import ElementTree as ET

import pytest
from openrouter_rerank.demo.comparison import Change, Comparison
from openrouter_rerank.demo.figure import slope_chart


def change(before, after, question="a < b & c?"):
    """Return a question with these places."""
    return Change(question=question, before=before, after=after, ndcg_before=0, ndcg_after=0)


CHANGES = [change(18, 1), change(4, 2), change(2, 5), change(1, 1), change(None, None)]


@pytest.fixture(scope="module")
def svg():
    """Return the chart of a few questions."""
    return slope_chart(Comparison(CHANGES), candidates=25, source="Reranked by a model")


def test_the_chart_is_xml_with_a_sentence_for_readers_of_screens(svg):
    """The chart is an image whose label has the numbers."""
    root = ET.fromstring(svg)  # noqa: S314 - our own text

    assert root.get("role") == "img"
    label = root.get("aria-label")
    assert "for 5 questions. The right passage was first for 1 questions before, and for 2" in label
    assert label.endswith("2 better, 1 worse, 1 unchanged, 1 not found.")


def test_every_question_that_was_found_has_a_line(svg):
    """Gains and losses have a line each, with the question and its places."""
    assert re.findall(r"<title>(.*?)</title>", svg) == [
        "a &lt; b &amp; c? 1 → 1",
        "a &lt; b &amp; c? 4 → 2",
        "a &lt; b &amp; c? 18 → 1",
        "a &lt; b &amp; c? 2 → 5",
    ]


def test_gains_and_losses_differ_without_colours(svg):
    """A loss has a dashed line and another sign than a gain."""
    signs = {
        name: re.search(r'<path class="sign" d="M\d+ [\d.]+(h10l-5 -?9z)"', part)[1]
        for name in ("better", "worse")
        for part in [svg.partition(f'<g class="{name}">')[2].partition("</g>")[0]]
    }

    assert signs["better"] != signs["worse"]
    assert ".worse .line { stroke-dasharray" in svg


def test_the_chart_is_readable_on_a_small_screen_in_light_and_dark(svg):
    """At a width of 360 no letter is smaller than 13 pixels, and both colour schemes are drawn."""
    sizes = [int(size) for size in re.findall(r"font(?:-size)?: (\d+)px", svg)]

    assert 'viewBox="0 0 360 ' in svg
    assert min(sizes) >= 13
    assert "@media (prefers-color-scheme: dark)" in svg


def test_equal_questions_give_an_equal_chart(svg):
    """The chart depends on the places alone, and not on the order of the questions."""
    again = slope_chart(Comparison(CHANGES[::-1]), candidates=25, source="Reranked by a model")

    assert again == svg
