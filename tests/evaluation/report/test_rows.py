"""The plans and questions of an evaluation as dictionaries."""

from dataclasses import replace

from openrouter_rerank.evaluation.report.rows import plan_rows

from tests.evaluation.example_evaluations import example_evaluation


def test_there_is_a_row_for_each_plan():
    """The first row is the first stage, and the others are the plans, with all numbers."""
    evaluation = example_evaluation()
    first, *rows = evaluation.rows()

    assert first["plan"] == "first stage"
    assert first["change"] is first["p"] is first["price_per_1000"] is first["model"] is None
    assert [row["plan"] for row in rows] == [each.plan.name for each in evaluation.plans]
    for row, result in zip(rows, evaluation.plans, strict=True):
        assert (row["value"], row["change"]) == (result.value, result.change)
        assert (row["low"], row["high"]) == result.interval
        assert row["MRR@10"] == result.measures["MRR@10"]
        assert (row["model"], row["depth"]) == (
            result.plan.steps[0].model,
            result.plan.steps[0].depth,
        )
        assert (row["second_model"] is None) is (len(result.plan.steps) == 1)


def test_the_recommended_plan_is_marked():
    """One row is that of the recommended plan, and some are on the frontier."""
    evaluation = example_evaluation()
    rows = plan_rows(evaluation)

    assert [row["plan"] for row in rows if row["recommended"]] == [evaluation.recommended.plan.name]
    assert {row["plan"] for row in rows if row["frontier"]} == {
        each.plan.name for each in evaluation.frontier
    }


def test_there_is_a_row_for_each_question():
    """A row has the text of a question and the metric of each plan; `None` if it has none."""
    evaluation = example_evaluation()
    question = evaluation.questions[0]
    plan = evaluation.plans[0]
    without = replace(plan, per_question={})
    rows = replace(evaluation, plans=(without, *evaluation.plans[1:])).per_question()

    assert [row["question"] for row in rows] == list(evaluation.questions)
    assert rows[0]["text"] == evaluation.collection.questions[question]
    assert rows[0]["first stage"] == evaluation.first_stage.per_question[question]
    assert rows[0][plan.plan.name] is None
