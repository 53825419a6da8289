"""The questions that a report shows as examples."""

from dataclasses import replace

import pytest
from openrouter_rerank.evaluation.analysis.number_formats import MINUS
from openrouter_rerank.evaluation.report.page.examples import examples

from tests.evaluation.example_evaluations import example_evaluation


@pytest.fixture(scope="module")
def evaluation():
    """An evaluation with gains and losses."""
    return example_evaluation(questions=80)


def changed(evaluation, changes, orders):
    """Return the plan with these changes of the first questions, and with these orders."""
    before = evaluation.first_stage.per_question
    metric = {question: value + changes.get(question, 0.0) for question, value in before.items()}
    return replace(evaluation.recommended, per_question=metric, orders=orders)


def test_the_largest_changes_are_shown(evaluation):
    """Of four gains and one loss, the three largest gains and the loss are shown, in order."""
    names = evaluation.questions
    changes = dict(zip(names, (0.2, 0.4, 0.1, 0.3, -0.2), strict=False))
    html = examples(evaluation, changed(evaluation, changes, evaluation.recommended.orders))

    places = [
        html.index(text) for text in ("+0.40", "+0.30", "+0.20", "Largest losses", f"{MINUS}0.20")
    ]
    assert places == sorted(places)
    assert "+0.10" not in html
    assert html.count("<details open>") == 2


def test_without_changes_there_are_no_examples(evaluation):
    """If no question changes, there is nothing to show; without losses, only gains."""
    first = evaluation.first_stage

    assert examples(evaluation, first) is None
    gains = examples(evaluation, changed(evaluation, {evaluation.questions[0]: 0.5}, first.orders))
    assert "Largest losses" not in gains


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (3, 1, "moves from place 3 to place 1."),
        (2, 2, "stays in place 2."),
        (None, 1, None),
        (None, None, None),
    ],
)
def test_the_place_of_the_relevant_document_is_said(evaluation, before, after, sentence):
    """The summary says where the first relevant document was and is, if it is there."""
    question = evaluation.questions[0]
    relevant = next(
        document for document, grade in evaluation.collection.judgements[question].items() if grade
    )
    others = [each for each in evaluation.collection.documents if each != relevant][:5]

    def order(place):
        return tuple(others if place is None else [*others[: place - 1], relevant, *others[place:]])

    first = replace(evaluation.first_stage, orders={question: order(before)})
    html = examples(
        replace(evaluation, first_stage=first),
        changed(evaluation, {question: 0.5}, {question: order(after)}),
    )

    assert ("The first relevant document" in html) is (sentence is not None)
    assert sentence is None or sentence in html
