"""Which plans the short tables show."""

from dataclasses import replace

from openrouter_rerank.evaluation.report.selection import (
    by_model,
    is_recommended,
    leading_plan,
    short_list,
    short_names,
)

from tests.evaluation.example_evaluations import FREE, MODELS, example_evaluation


def test_each_model_is_shown_once_or_is_the_best_or_recommended():
    """The table has a plan of each model, the recommended, the best, and one of two steps."""
    evaluation = example_evaluation()

    shown = short_list(evaluation)

    assert {step.model for each in shown for step in each.plan.steps} == set(MODELS)
    assert evaluation.recommended in shown
    assert evaluation.best in shown
    assert sum(len(each.plan.steps) == 2 for each in shown) == 1
    assert len({each.plan for each in shown}) == len(shown) <= len(MODELS) + 3
    assert [each.value for each in shown] == sorted((e.value for e in shown), reverse=True)


def test_a_model_that_only_harms_is_shown_with_its_least_harm():
    """A model without a gain is shown at the depth with the smallest loss."""
    evaluation = example_evaluation(models=FREE, two_step=False)
    plans = tuple(
        replace(each, change=-each.plan.steps[0].depth / 1000) for each in evaluation.plans
    )
    evaluation = replace(evaluation, plans=plans, recommended=None, best=None)

    assert [each.plan.steps[0].depth for each in short_list(evaluation)] == [10, 10]


def test_the_leading_plan_is_recommended_or_the_best():
    """Without a recommended plan, reports are about the best one; without plans, about none."""
    evaluation = example_evaluation()

    assert leading_plan(evaluation) is evaluation.recommended
    assert is_recommended(evaluation, evaluation.recommended)
    evaluation = replace(evaluation, recommended=None)
    assert leading_plan(evaluation) is evaluation.best
    assert not is_recommended(evaluation, evaluation.best)
    assert leading_plan(replace(evaluation, best=None)) is None


def test_the_plans_of_a_model_are_in_the_order_of_depth():
    """Plans of two steps belong to no model."""
    found = by_model(example_evaluation())

    assert {
        model: [each.plan.steps[0].depth for each in plans] for model, plans in found.items()
    } == {model: [10, 20, 50, 100] for model in MODELS}


def test_a_short_name_belongs_to_one_model():
    """A short name is the last part of a name, unless two models have the same."""
    assert short_names(["a/one", "b/one", "b/two", "three", "four/"]) == {
        "a/one": "a/one",
        "b/one": "b/one",
        "b/two": "two",
        "three": "three",
        "four/": "four/",
    }
