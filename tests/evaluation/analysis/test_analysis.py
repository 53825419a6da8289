"""All that an evaluation finds, for constructed collections and scores."""

import dataclasses
import itertools
import json
import math
import random

import pytest

pytest.importorskip("ir_measures", reason="the extra `evaluate` is not installed")
import pytrec_eval
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.evaluation.analysis.analysis import analyse
from openrouter_rerank.evaluation.asking.schedule import questions_of
from openrouter_rerank.evaluation.evaluation import Evaluation
from openrouter_rerank.evaluation.settings import Settings

from tests.evaluation.constructed import call, collection, random_evaluation, scores_of

A, B = "a/small", "b/large"


def settings(*models, depths=(2, 4), **fields):
    """Return settings for these models."""
    return Settings(models=models or (A,), depths=depths, **fields)


def numbers(value):
    """Yield all numbers in a result, also those in containers."""
    if isinstance(value, float):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from numbers(getattr(value, field.name))
    elif isinstance(value, dict):
        yield from numbers([*value.values()])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from numbers(each)


def plan(evaluation, name):
    """Return the result of the plan with this name."""
    return next(each for each in evaluation.plans if each.plan.name == name)


@pytest.fixture(scope="module")
def random_input():
    """Forty questions and two models of different strength, with probes."""
    return random_evaluation(
        questions=40, candidates=12, models={A: 0.5, B: 1.5}, depths=(2, 4, 8, 12)
    )


def test_smaller_depths_are_computed_from_the_largest():
    """The first candidates are ordered by their scores; the others keep their places."""
    found = analyse(
        collection({"q": [0, 0, 0, 1]}),
        scores_of([call(A, "q", [1, 2, 2, 3])], depths=(2, 4)),
        settings(),
    )

    assert found.first_stage.orders["q"] == ("q/0", "q/1", "q/2", "q/3")
    assert plan(found, "a/small @2").orders["q"] == ("q/1", "q/0", "q/2", "q/3")
    assert plan(found, "a/small @4").orders["q"] == ("q/3", "q/1", "q/2", "q/0")


def test_blank_documents_follow_those_with_a_score():
    """A document without a text has no score and follows the others within the depth."""
    found = analyse(
        collection({"q": [0, 0, 1, 0, 0]}, blank=["q/0"]),
        scores_of([call(A, "q", [None, 1, 2, 3])], depths=(3, 4)),
        settings(depths=(3, 4)),
    )

    assert plan(found, "a/small @3").orders["q"] == ("q/2", "q/1", "q/0", "q/3", "q/4")
    assert plan(found, "a/small @4").orders["q"] == ("q/3", "q/2", "q/1", "q/0", "q/4")


def test_a_model_whose_scores_depend_on_other_documents_is_not_computed():
    """The plan of a listwise model uses the scores that were asked at its depth."""
    calls = [call(A, "q", [1, 2]), call(A, "q", [2, 1, 0, 3])]

    found = analyse(
        collection({"q": [0, 0, 0, 1]}),
        scores_of(calls, depths=(2, 4), listwise=frozenset({A})),
        settings(),
    )

    assert plan(found, "a/small @2").orders["q"] == ("q/1", "q/0", "q/2", "q/3")
    assert plan(found, "a/small @4").orders["q"] == ("q/3", "q/0", "q/1", "q/2")
    assert not found.uses[0].replays
    assert found.notes == (
        (
            "The scores of a/small change with the other documents of a request, so each depth was"
            " asked."
        ),
    )


@pytest.mark.parametrize(
    ("difference", "replays", "first"), [(0.0009, True, "q/0"), (0.3, False, "q/1")]
)
def test_probes_show_whether_scores_can_be_computed(difference, replays, first):
    """If the scores of a probe differ, those at its depth are used, and the report says so."""
    calls = [
        call(A, "q", [2, 2 - 1e-6, 1, 0]),
        call(A, "q", [2, 2 - 1e-6 + difference], kind="probe"),
    ]

    found = analyse(collection({"q": [0, 0, 0, 1]}), scores_of(calls, depths=(2, 4)), settings())

    assert found.uses[0].replays is replays
    assert plan(found, "a/small @2").orders["q"][0] == first
    assert not plan(found, "a/small @2").is_estimate
    assert found.notes == (
        ()
        if replays
        else (
            (
                "The scores of a/small change by up to 0.3 with the other documents of a request,"
                " so each depth was asked."
            ),
        )
    )


def test_the_small_print_says_that_the_chosen_plan_is_an_estimate():
    """A verdict about a depth that was not asked for all questions says where it comes from."""
    calls = [
        call(A, "q", [1, 2, 0, 0]),
        call(A, "q", [1, 3], kind="probe"),
        call(A, "p", [1, 2, 0, 0]),
    ]

    found = analyse(
        collection({"q": [0, 1, 0, 0], "p": [0, 1, 0, 0]}),
        scores_of(calls, depths=(2, 4), listwise=frozenset({A}), budget_is_spent=True),
        settings(),
    )

    assert found.recommended == plan(found, "a/small @2")
    assert found.verdict.small_print.endswith(
        " This plan is an estimate from the scores at the largest depth."
    )


@pytest.mark.parametrize("listwise", [(), (A,)])
def test_a_depth_that_was_not_asked_for_all_questions_is_an_estimate(listwise):
    """No question is lost, no mean mixes asked and computed orders, and the result says so."""
    calls = [
        call(A, "q", [2, 1, 0, 3]),
        call(A, "q", [1, 2], kind="probe"),
        call(A, "p", [2, 1, 0, 3]),
    ]

    found = analyse(
        collection({"q": [0, 0, 0, 1], "p": [0, 1, 0, 0]}),
        scores_of(calls, depths=(2, 4), listwise=frozenset(listwise), budget_is_spent=True),
        settings(),
    )

    assert found.questions == ("q", "p")
    assert [each.is_estimate for each in found.plans] == [True, False]
    assert plan(found, "a/small @2").orders["q"] == ("q/0", "q/1", "q/2", "q/3")
    assert (
        "The scores of a/small change by up to 1 with the other documents of a request. Not each"
        " depth was asked for all questions, so its values at @2 are estimates from the largest"
        " depth."
    ) in found.notes


@pytest.mark.parametrize("fields", [{}, {"budget_is_spent": True}, {"interrupted": True}])
def test_more_answers_never_take_a_question_away(fields):
    """Each call that is added, in any order, keeps the questions that counted before."""
    grades = {f"q{number}": [0, 1, 0, 0] for number in range(6)} | {"none": [], "empty": []}
    input_ = collection(grades, judgements={question: {f"{question}/1": 1} for question in grades})
    wanted = [
        call(model, f"q{number}", [0, 1, 2, 3][:depth])
        for number in range(6)
        for model in (A, B)
        for depth in (2, 4)
    ]
    first = [call(model, "q0", [0, 1, 2, 3]) for model in (A, B)]

    for seed in range(5):
        order = first + random.Random(seed).sample(wanted, len(wanted))
        counted = [
            {
                *analyse(
                    input_,
                    scores_of(
                        order[:count],
                        depths=(2, 4),
                        listwise=frozenset({A} if count > len(order) // 2 else ()),
                        **fields,
                    ),
                    settings(A, B, seed=seed),
                ).questions
            }
            for count in range(2, len(order) + 1, 4)
        ]

        assert all(before <= after for before, after in itertools.pairwise(counted))
        assert counted[-1] == set(grades)


def test_scores_that_change_when_a_request_is_repeated():
    """If the same documents have other scores, the note does not blame the other documents."""
    calls = [call(A, "q", [3, 2, 1, 0]), call(A, "q", [3, 2, 1, 0.5], kind="probe")]

    found = analyse(collection({"q": [0, 0, 0, 1]}), scores_of(calls, depths=(2, 4)), settings())

    assert found.notes == (
        (
            "The scores of a/small change by up to 0.5 when the same request is repeated. Not each"
            " depth was asked for all questions, so its values at @2 are estimates from the largest"
            " depth."
        ),
    )


def test_a_question_with_few_candidates_is_complete():
    """A call with all candidates of a question answers for all larger depths."""
    calls = [call(A, "long", [0, 0, 0, 1]), call(A, "short", [0, 1])]
    input_ = collection({"long": [0, 0, 0, 1], "short": [0, 1]})

    for listwise in ((), (A,)):
        each = [call(A, "long", [0, 1]), *calls]
        found = analyse(
            input_, scores_of(each, depths=(2, 4), listwise=frozenset(listwise)), settings()
        )

        assert found.questions == ("long", "short")
        assert found.recommended.plan.name == "a/small @4"
        assert found.recommended.orders["short"] == ("short/1", "short/0")


def test_depths_are_cut_to_the_longest_list():
    """No depth is larger than the longest list of candidates, and the report says so."""
    found = analyse(
        collection({"q": [0, 0, 1]}),
        scores_of([call(A, "q", [0, 1, 2], depth=100)], depths=(2, 50, 100)),
        settings(depths=(2, 50, 100)),
    )

    assert found.depths == (2, 3)
    assert [each.plan.name for each in found.plans] == ["a/small @2", "a/small @3"]
    assert found.notes[0] == (
        "No question has more than 3 candidates, so larger depths were left out."
    )


def test_the_ceiling_and_what_is_found():
    """The ceiling is the metric of a perfect order; found is the share with a relevant one."""
    found = analyse(
        collection(
            {"q": [0, 0, 0, 1], "p": [0, 1, 0, 0], "r": [0] * 4},
            judgements={"q": {"q/3": 1}, "p": {"p/1": 2}, "r": {"elsewhere": 1}},
        ),
        scores_of([call(A, each, [0, 0, 0, 0]) for each in "qpr"], depths=(2, 4)),
        settings(metric="MRR@10"),
    )

    assert found.ceiling == pytest.approx({2: (1 / 4 + 1) / 3, 4: 2 / 3})
    assert found.found == pytest.approx(2 / 3)


def test_only_questions_that_all_models_answered_count():
    """Questions that failed for one model, or have no relevant document, do not count."""
    found = analyse(
        collection({"both": [0, 1], "failed": [0, 1], "nothing": [0, 0], "unjudged": [None, None]}),
        scores_of(
            [call(A, "both", [0, 1]), call(B, "both", [0, 1]), call(A, "failed", [0, 1])],
            failures={B: {"failed": "The model is down."}},
        ),
        settings(A, B, depths=(2,)),
    )

    assert found.questions == ("both",)
    assert not found.is_complete
    assert [(use.questions, use.failed) for use in found.uses] == [(2, 0), (1, 1)]
    assert found.notes[-2:] == (
        "b/large failed for 1 question: The model is down.",
        (
            "1 of 2 questions with a relevant document count: the others have no scores, or not"
            " those of every model."
        ),
    )


def test_a_model_without_an_answer_is_left_out():
    """If one model answers nothing, the other is still compared."""
    found = analyse(
        collection({"q": [0, 1]}), scores_of([call(A, "q", [0, 1])]), settings(A, B, depths=(2,))
    )

    assert [each.plan.name for each in found.plans] == ["a/small @2"]
    assert found.questions == ("q",)
    assert "b/large answered no question and is left out." in found.notes


def test_questions_without_a_text_count_as_nothing_found():
    """A question with no candidate, or only blank ones, has the value 0 in a complete run."""
    found = analyse(
        collection(
            {"q": [0, 1], "none": [], "blank": [0]},
            blank=["blank/0"],
            judgements={"q": {"q/1": 1}, "none": {"x": 1}, "blank": {"x": 1}},
        ),
        scores_of([call(A, "q", [0, 1])]),
        settings(depths=(2,)),
    )

    assert found.questions == ("q", "none", "blank")
    assert found.recommended.per_question["q"] == 1.0
    assert found.recommended.value == pytest.approx(1 / 3)


def test_questions_without_a_text_are_as_frequent_as_in_the_sample():
    """In a run that was cut short, only those count that come before the last answered question."""
    grades = {f"q{number}": [0, 1] if number % 2 else [] for number in range(200)}
    input_ = collection(grades, judgements={question: {f"{question}/1": 1} for question in grades})
    chosen = settings(depths=(2,))
    asked = [each for each in questions_of(input_, chosen) if grades[each]][:30]

    found = analyse(
        input_,
        scores_of([call(A, question, [0, 1]) for question in asked], budget_is_spent=True),
        chosen,
    )

    assert {*asked} <= {*found.questions}
    assert 15 < len(found.questions) - len(asked) < 45


@pytest.mark.parametrize("models", [(), (A,)])
def test_nothing_to_compare_is_a_result(models):
    """Without scores, or without judgements, there is a verdict and no crash."""
    empty = analyse(collection({"q": [0, 1]}), scores_of([]), settings(*models))
    unjudged = analyse(
        collection({"q": [None, None]}), scores_of([call(A, "q", [0, 1])]), settings(depths=(2,))
    )

    for found in (empty, unjudged):
        assert found.verdict.kind == "unsure"
        assert found.questions == ()
        assert (found.best, found.recommended, found.held_out, found.frontier) == (None,) * 3 + (
            (),
        )
        assert found.first_stage.value == 0.0
        assert all(map(math.isfinite, numbers(found)))


@pytest.mark.parametrize("count", [1, 2, 5, 20])
@pytest.mark.parametrize("scores", [[0, 0, 0, 0], [0, 1, 2, 3], [3, 2, 1, 0]])
@pytest.mark.parametrize("grades", [[0, 0, 0, 1], [1, 0, 0, 0], [1, 1, 1, 1], [3, None, 2, 0]])
def test_equal_questions_have_finite_numbers(count, scores, grades):
    """If all questions and changes are equal, every number is finite."""
    questions = {f"q{number}": grades for number in range(count)}
    calls = [call(A, question, scores, cost=None) for question in questions]

    found = analyse(collection(questions), scores_of(calls, depths=(2, 4)), settings())

    assert all(map(math.isfinite, numbers(found)))
    assert found.verdict.sentence


def test_an_order_that_changes_nothing_is_no_gain():
    """If all scores are equal, all plans are the first stage."""
    grades = {f"q{number}": [0, 1, 0, 0] for number in range(30)}
    calls = [call(A, question, [0.5] * 4) for question in grades]

    found = analyse(collection(grades), scores_of(calls, depths=(2, 4)), settings())

    assert found.recommended is None
    assert {(each.change, each.p, each.same) for each in found.plans} == {(0.0, 1.0, 30)}
    assert found.best.plan.name == "a/small @2"


def test_the_order_of_the_calls_has_no_effect(random_input):
    """The result is the same to the last bit for any order of the calls, and in each run."""
    input_, scores = random_input
    chosen = settings(A, B, two_step=True)
    first = analyse(input_, scores, chosen)

    for seed in range(3):
        calls = random.Random(seed).sample(scores.calls, len(scores.calls))
        again = analyse(input_, dataclasses.replace(scores, calls=tuple(calls)), chosen)

        assert again == first


def test_the_seed_has_an_effect(random_input):
    """Another seed gives other random signs and halves."""
    first, second = (analyse(*random_input, settings(A, B, seed=seed)) for seed in (0, 1))

    assert first.plans[0].value == second.plans[0].value
    assert first.held_out != second.held_out


def test_the_numbers_of_plans_agree(random_input):
    """Values, changes, counts and means of each plan fit together."""
    found = analyse(*random_input, settings(A, B))

    for each in found.plans:
        changes = [
            each.per_question[question] - found.first_stage.per_question[question]
            for question in found.questions
        ]
        assert each.value - found.first_stage.value == pytest.approx(each.change)
        assert each.change == pytest.approx(math.fsum(changes) / len(changes))
        assert each.won + each.same + each.lost == len(found.questions)
        assert each.won == sum(change > 1e-9 for change in changes)
        assert each.measures["nDCG@10"] == each.value
        assert each.value <= found.ceiling[each.plan.steps[0].depth] + 1e-9


def test_the_metric_of_each_plan_is_that_of_trec_eval(random_input):
    """Each value of each plan is what trec_eval computes from the order that the plan reports."""
    found = analyse(*random_input, settings(A, B, two_step=True))
    evaluator = pytrec_eval.RelevanceEvaluator(found.collection.judgements, {"ndcg_cut_10"})

    for each in (found.first_stage, *found.plans):
        run = {
            question: {document: -float(rank) for rank, document in enumerate(order)}
            for question, order in each.orders.items()
        }
        expected = {
            question: values["ndcg_cut_10"] for question, values in evaluator.evaluate(run).items()
        }
        assert each.per_question == pytest.approx(expected, abs=1e-9)


def test_the_cheapest_plan_with_enough_of_the_gain_is_recommended(random_input):
    """The recommended plan is the cheapest of one model with the share of the largest gain."""
    found = analyse(*random_input, settings(A, B, keep=0.5, two_step=True))

    enough = [
        each
        for each in found.plans
        if len(each.plan.steps) == 1 and each.change >= 0.5 * found.best.change
    ]
    assert found.best.change == max(each.change for each in enough)
    assert found.recommended.price_per_1000 == min(each.price_per_1000 for each in enough)
    assert found.recommended != found.best


def test_no_cheaper_plan_equals_one_of_the_frontier(random_input):
    """Each plan of the frontier is better than all that cost no more."""
    found = analyse(*random_input, settings(A, B, two_step=True))

    assert [each.price_per_1000 for each in found.frontier] == sorted(
        each.price_per_1000 for each in found.frontier
    )
    for each in found.plans:
        better = [
            other
            for other in (found.first_stage, *found.plans)
            if other.price_per_1000 <= each.price_per_1000 and other.value >= each.value
        ]
        assert (each in found.frontier) == (better == [each])


def test_rows_are_plain(random_input):
    """The rows of plans and questions are dicts that JSON can hold, one for each."""
    found = Evaluation.of(analyse(*random_input, settings(A, B)))

    rows, questions = found.rows(), found.per_question()

    assert [row["plan"] for row in rows] == ["first stage", *(p.plan.name for p in found.plans)]
    assert [row["plan"] for row in rows if row["recommended"]] == [found.recommended.plan.name]
    assert len(questions) == len(found.questions) == 40
    assert questions[3]["question"] == found.questions[3]
    assert questions[3]["b/large @12"] == found.plans[-1].per_question[found.questions[3]]
    assert json.loads(json.dumps([rows, questions], allow_nan=False)) == [rows, questions]


def test_an_unknown_metric_is_an_error():
    """A metric that ir-measures does not know is an error that names it."""
    with pytest.raises(ConfigurationError, match="metric='nope@3' cannot be computed"):
        analyse(collection({"q": [0, 1]}), scores_of([]), settings(metric="nope@3"))


def test_a_slug_that_several_models_served_is_noted():
    """More than one served model is a note, and all names are kept."""
    calls = [
        call(A, f"q{number}", [0, 1], served_model=f"a/small-{number}", provider="P")
        for number in range(2)
    ]

    found = analyse(
        collection({"q0": [0, 1], "q1": [0, 1]}), scores_of(calls), settings(depths=(2,))
    )

    assert found.uses[0].served_models == ("a/small-0", "a/small-1")
    assert found.uses[0].providers == ("P",)
    assert found.notes == (
        (
            "a/small was served by several models (a/small-0, a/small-1), so its scores and prices"
            " may differ between calls."
        ),
    )


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        (
            {"budget_is_spent": True},
            "The budget is spent. Run the command again to go on: each run has its own budget.",
        ),
        ({"interrupted": True}, "The run was interrupted. Run the command again to go on."),
    ],
)
def test_an_incomplete_run_is_noted(fields, note):
    """A run that was cut short is not complete, and says how to go on."""
    found = analyse(
        collection({"q": [0, 1]}),
        scores_of([call(A, "q", [0, 1])], **fields),
        settings(depths=(2,)),
    )

    assert not found.is_complete
    assert found.notes == (note,)


def test_a_run_without_a_budget_is_not_told_to_run_again():
    """With a budget of 0, another run changes nothing, so the note says to raise the budget."""
    found = analyse(
        collection({"q": [0, 1]}),
        scores_of([call(A, "q", [0, 1])], budget_is_spent=True),
        settings(depths=(2,), budget=0.0),
    )

    assert found.notes == (
        "The budget is 0, so only kept answers count. Raise it to ask the models.",
    )


def test_judgements_of_relevant_documents_alone_are_noted():
    """If only relevant documents are judged, one note says what this means."""
    found = analyse(
        collection({"q": [None, 1]}), scores_of([call(A, "q", [0, 1])]), settings(depths=(2,))
    )

    assert found.notes == (
        (
            "No document is judged as not relevant, so the judgements may name only some of the"
            " relevant documents."
        ),
    )


UNCHECKED = "No probe has checked that the scores of a/small are the same at smaller depths."


@pytest.mark.parametrize(
    ("probe", "depths", "is_checked", "is_noted"),
    [
        ([3, 2], (2, 4), True, False),
        ([3, 2, 1, 0], (2, 4), False, True),
        (None, (2, 4), False, True),
        (None, (4,), False, False),
    ],
)
def test_scores_that_no_probe_has_compared_are_noted(probe, depths, is_checked, is_noted):
    """Only a probe with fewer documents shows that smaller depths may be computed."""
    calls = [call(A, "q", [3, 2, 1, 0])]
    calls += [call(A, "q", probe, kind="probe")] if probe else []

    found = analyse(
        collection({"q": [0, 0, 0, 1]}), scores_of(calls, depths=depths), settings(depths=depths)
    )

    assert (found.uses[0].replays, found.uses[0].is_checked) == (True, is_checked)
    assert (UNCHECKED in found.notes) is is_noted


def test_failed_probes_are_noted():
    """Without them, times and prices are from fewer calls, so the evaluation is not complete."""
    found = analyse(
        collection({"q": [0, 1]}),
        scores_of([call(A, "q", [0, 1])], failed_probes={A: 2}),
        settings(depths=(2,)),
    )

    assert not found.is_complete
    assert found.warnings == (
        (
            "2 probes of a/small failed, so less is known of its times and prices. Run the command"
            " again to ask them."
        ),
    )


def test_one_served_model_for_two_is_noted():
    """Two requested models that one model answered for cannot differ."""
    calls = [call(model, "q", [0, 1], served_model="local/lexical") for model in (A, B)]

    found = analyse(collection({"q": [0, 1]}), scores_of(calls), settings(A, B, depths=(2,)))

    assert found.warnings == (
        "local/lexical answered for a/small and b/large: they are one model here.",
    )


@pytest.mark.parametrize(
    ("depths", "reason"),
    [
        (
            (2, 4),
            (
                "no model is known to cost less than half of another whose scores do not depend on"
                " the other documents of a request."
            ),
        ),
        ((4,), "they need more than one depth."),
    ],
)
def test_no_plan_of_two_steps_is_noted(depths, reason):
    """If there is nothing to compute for `two_step`, the result says why."""
    calls = [call(model, "q", [0, 1, 2, 3], cost=0.001) for model in (A, B)]
    calls += [call(model, "q", [0, 1], kind="probe", cost=0.001) for model in (A, B)]
    arguments = (collection({"q": [0, 0, 0, 1]}), scores_of(calls, depths=depths))

    found = analyse(*arguments, settings(A, B, depths=depths, two_step=True))

    assert found.warnings == (f"No plan of two steps: {reason}",)
    assert analyse(*arguments, settings(A, B, depths=depths)).warnings == ()


def test_warnings_are_the_first_notes():
    """The notes of the collection and what was left out come before all other notes."""
    input_ = collection({"q": [0, 1], "r": [0, 1]}, notes=("A note of the reader.",))

    found = analyse(input_, scores_of([call(A, "q", [0, 1])]), settings(depths=(2, 9)))

    assert found.warnings[0] == "A note of the reader."
    assert found.warnings[1].startswith("1 of 2 questions with a relevant document count")
    assert found.notes[: len(found.warnings)] == found.warnings


def test_the_text_of_a_result_in_a_shell_is_short(random_input):
    """The `repr` has what identifies a result, and no texts or numbers of all questions."""
    found = Evaluation.of(analyse(*random_input, settings(A, B, depths=(2, 4, 8, 12))))

    assert repr(found) == "Evaluation(collection='test', 40 questions, 8 plans, verdict='yes')"
    for each in (found.recommended, *found.thresholds.values(), found.verdict):
        assert len(repr(each)) < 1000
