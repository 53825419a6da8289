"""The charts of an evaluation, and which are left out."""

import re
from dataclasses import replace

import pytest
from openrouter_rerank.evaluation.report.page.charts import (
    against_depth,
    against_price,
    against_time,
)
from openrouter_rerank.evaluation.report.page.drawing import HEIGHT, WIDTH
from openrouter_rerank.evaluation.report.page.question_chart import by_question
from openrouter_rerank.evaluation.report.page.score_chart import of_scores

from tests.evaluation.example_evaluations import FREE, MODELS, example_evaluation


@pytest.fixture(scope="module")
def evaluation():
    """An evaluation with prices, times, depths and plans of two steps."""
    return example_evaluation()


@pytest.fixture(scope="module")
def free():
    """An evaluation of models that cost nothing."""
    return example_evaluation(models=FREE, two_step=False)


def titles(chart):
    """Return what is shown when the mouse is over the points and areas of a chart."""
    return re.findall("<title>(.*?)</title>", chart.svg)


def test_each_plan_is_a_point_with_its_numbers(evaluation):
    """The chart of prices has a point for each plan, with name, metric, price and time."""
    found = titles(against_price(evaluation))

    assert sorted(each.split(":")[0] for each in found) == sorted(
        each.plan.name for each in evaluation.plans
    )
    assert all(re.search(r"nDCG@10 0\.\d{3} \(.*\), \$[\d.]+ per 1,000", each) for each in found)


def test_a_free_model_has_a_place_in_a_chart_of_prices():
    """If some models are free and others are not, the axis begins with the free ones."""
    chart = against_price(example_evaluation(models={**FREE, **MODELS}))

    assert ">free</text>" in chart.svg
    assert sum("price: free" in each for each in titles(chart)) == 8


def test_a_plan_without_a_known_price_is_not_free():
    """A plan with an unknown price is left out, and the caption says so."""
    models = {**MODELS, "unknown/price": (0.3, None, 0.2)}
    chart = against_price(example_evaluation(models=models, two_step=False))

    assert "4 plans without a known price" in chart.caption
    assert not [each for each in titles(chart) if each.startswith("unknown/price")]


def test_charts_without_data_are_left_out(free):
    """There is no chart of prices if all is free, of times without times, of one depth."""
    no_time = {model: (noise, price, None) for model, (noise, price, _) in MODELS.items()}

    assert against_price(free) is None
    assert against_time(free) is not None
    assert against_time(example_evaluation(models=no_time)) is None
    assert against_depth(example_evaluation(depths=(50,), two_step=False)) is None
    assert by_question(free, free.first_stage) is None


def test_a_model_that_changes_nothing_can_be_drawn(free):
    """Plans that all equal the first stage have charts."""
    same = [
        replace(each, value=free.first_stage.value, change=0.0, price_per_1000=1.0, seconds_p50=0.5)
        for each in free.plans
    ]
    evaluation = replace(free, plans=tuple(same), frontier=(), recommended=None, ceiling={})

    for chart in (against_price, against_time, against_depth):
        assert len(titles(chart(evaluation))) == 8


def test_everything_is_within_the_chart(evaluation):
    """All coordinates are within the size of the chart."""
    charts = [against_price(evaluation), against_time(evaluation), against_depth(evaluation)]
    charts.append(by_question(evaluation, evaluation.recommended))
    charts += [of_scores(each, each.model) for each in evaluation.thresholds.values()]
    for chart in charts:
        across = re.findall(r' c?x[12]?="(-?[\d.]+)"', chart.svg)
        down = re.findall(r' c?y[12]?="(-?[\d.]+)"', chart.svg)
        paths = " ".join(re.findall(r' d="([^"]*)"', chart.svg))
        pairs = re.findall(r"(-?[\d.]+) (-?[\d.]+)", paths)

        assert all(0 <= float(x) <= WIDTH for x in [*across, *(x for x, _ in pairs)])
        assert all(0 <= float(y) <= HEIGHT for y in [*down, *(y for _, y in pairs)])


def test_a_chart_is_described(evaluation):
    """A screen reader gets the numbers of the first stage and of the recommended plan."""
    chart = against_price(evaluation)

    assert 'role="img"' in chart.svg
    assert f"{evaluation.first_stage.value:.3f}" in chart.svg
    assert 'aria-label="Quality against price. The first stage has nDCG@10' in chart.svg


@pytest.mark.parametrize("questions", [1, 7, 1200])
def test_any_number_of_questions_has_bars(questions):
    """The bars of one question, of few, and of more questions than the chart has units."""
    evaluation = example_evaluation(questions=questions, depths=(10, 20))
    best = evaluation.best
    chart = by_question(evaluation, best)

    if best.won:
        assert f"{best.won:,} better" in chart.svg
        assert len(chart.svg) < 12_000


def test_scores_have_bars_on_both_sides(evaluation):
    """The chart of scores has the relevant candidates, all others, and the threshold."""
    threshold = next(iter(evaluation.thresholds.values()))
    chart = of_scores(threshold, "lite")

    assert titles(chart)[1:] == [
        f"{len(threshold.relevant_scores):,} relevant candidates",
        f"{len(threshold.other_scores):,} other candidates",
    ]
    assert f"threshold {threshold.score:.3f}" in chart.svg


def test_scores_of_one_kind_have_no_chart(evaluation):
    """Without relevant candidates, or if all scores are equal, there is nothing to draw."""
    threshold = next(iter(evaluation.thresholds.values()))

    assert of_scores(replace(threshold, relevant_scores=()), "lite") is None
    assert (
        of_scores(replace(threshold, relevant_scores=(1.0,), other_scores=(1.0,)), "lite") is None
    )


def test_scores_too_far_apart_have_no_chart(evaluation):
    """The largest and the smallest float have no difference that can be drawn."""
    threshold = next(iter(evaluation.thresholds.values()))
    apart = replace(threshold, relevant_scores=(1.7e308,), other_scores=(-1.7e308,))

    assert of_scores(apart, "lite") is None


def test_scores_without_a_threshold_say_why(evaluation):
    """The caption has the reason, and there is no line."""
    threshold = replace(
        next(iter(evaluation.thresholds.values())),
        score=None,
        low=None,
        high=None,
        reason="Too few.",
    )
    chart = of_scores(threshold, "lite")

    assert chart.caption == "Too few."
    assert "threshold" not in chart.svg


@pytest.mark.parametrize("share", [1, -1])
def test_labels_fit_if_all_questions_gain_or_lose(evaluation, share):
    """If the bars fill the chart, the number of questions is on the other side of zero."""
    metric = {
        question: value + share * 0.5
        for question, value in evaluation.first_stage.per_question.items()
    }
    result = replace(evaluation.recommended, per_question=metric)
    chart = by_question(evaluation, result)

    word = "better" if share > 0 else "worse"
    assert f">60 {word}</text>" in chart.svg
    assert chart.svg.count("</title>") == 1


def test_a_threshold_at_the_right_end_has_its_label_to_the_left(evaluation):
    """The label of a high threshold ends at its line."""
    threshold = replace(next(iter(evaluation.thresholds.values())), score=0.998)
    chart = of_scores(threshold, "lite")

    assert re.search('text-anchor="end"[^>]*>threshold 0.998', chart.svg)
