"""What plans cost and how long they take."""

import pytest

pytest.importorskip("ir_measures", reason="the extra `evaluate` is not installed")
from openrouter_rerank.evaluation.analysis.analysis import analyse
from openrouter_rerank.evaluation.settings import Settings

from tests.evaluation.constructed import call, collection, scores_of

A, B = "a/small", "b/large"
QUESTIONS = [f"q{number}" for number in range(4)]
SCORES = [0, 1, 2, 3]


def evaluated(calls, *, models=(A,), listwise=(), **fields):
    """Return the evaluation of four questions with four candidates, at the depths 2 and 4."""
    return analyse(
        collection({question: [0, 0, 0, 1] for question in QUESTIONS}),
        scores_of(calls, depths=(2, 4), listwise=frozenset(listwise), **fields),
        Settings(models=models, depths=(2, 4), two_step=len(models) > 1),
    )


def asked(cost, model=A, depth=4):
    """Return a call for each question."""
    return [call(model, question, SCORES[:depth], cost=cost) for question in QUESTIONS]


def probes(depth, *, model=A, **fields):
    """Return a probe for each of the first two questions."""
    return [
        call(model, question, SCORES[:depth], kind="probe", **fields) for question in QUESTIONS[:2]
    ]


def prices(evaluation):
    """Return the price of each plan by name."""
    return {each.plan.name: each.price_per_1000 for each in evaluation.plans}


def test_the_price_of_a_smaller_depth_is_a_share_of_the_largest():
    """The probes say which share of the cost at the largest depth a smaller one has."""
    found = evaluated([*asked(0.002), *probes(2, cost=0.003), *probes(4, cost=0.004)])

    assert prices(found) == pytest.approx({"a/small @2": 1.5, "a/small @4": 2.0})


def test_only_questions_with_both_probes_count():
    """A probe whose twin failed says nothing about the share."""
    found = evaluated([*asked(0.002), *probes(2, cost=0.001), probes(4, cost=0.004)[0]])

    assert prices(found)["a/small @2"] == pytest.approx(0.5)


def test_a_price_without_probes_is_unknown():
    """Without probes, only the price of the largest depth is known."""
    assert prices(evaluated(asked(0.002))) == {"a/small @2": None, "a/small @4": 2.0}


def test_probes_of_smaller_depths_alone_say_nothing_about_the_price():
    """If the probes ended before the largest depth, the prices of smaller depths are unknown."""
    found = evaluated([*asked(0.002), *probes(2, cost=0.001)])

    assert prices(found) == {"a/small @2": None, "a/small @4": 2.0}


def test_an_unknown_price_is_at_most_that_of_the_largest_depth():
    """Of three equally good depths without probes, the smallest is recommended."""
    found = analyse(
        collection({question: [0, 1, 0, 0] for question in QUESTIONS}),
        scores_of(
            [call(A, each, [0, 1, 0, 0], cost=0.002) for each in QUESTIONS], depths=(2, 3, 4)
        ),
        Settings(models=(A,), depths=(2, 3, 4)),
    )

    assert prices(found) == {"a/small @2": None, "a/small @3": None, "a/small @4": 2.0}
    assert found.recommended.plan.name == "a/small @2"


def test_a_free_model_is_free_at_each_depth():
    """If the largest depth is free, so are the others, without probes."""
    assert prices(evaluated(asked(0.0))) == {"a/small @2": 0.0, "a/small @4": 0.0}


def test_an_unreported_cost_is_not_free():
    """If one cost was not reported, the price is unknown."""
    found = evaluated([*asked(0.002)[1:], *asked(None)[:1], *probes(2, cost=0.0)])

    assert prices(found) == {"a/small @2": None, "a/small @4": None}
    assert found.cost is None
    assert found.uses[0].cost is None


def test_an_unreported_cost_of_a_probe():
    """If the cost of a probe was not reported, the price of its depth is unknown."""
    found = evaluated([*asked(0.002), *probes(2, cost=None), *probes(4, cost=0.002)])

    assert prices(found) == {"a/small @2": None, "a/small @4": 2.0}


def test_a_depth_that_was_asked_has_its_own_price():
    """A listwise model needs no probes: each depth was paid for."""
    found = evaluated([*asked(0.001, depth=2), *asked(0.004)], listwise=[A])

    assert prices(found) == pytest.approx({"a/small @2": 1.0, "a/small @4": 4.0})


def test_all_calls_are_paid():
    """The cost is the sum of all calls, probes included."""
    calls = [*asked(0.002), *probes(2, cost=0.001)]

    assert evaluated(calls).cost == pytest.approx(0.01)
    assert evaluated(calls).uses[0].cost == pytest.approx(0.01)


def test_times_come_from_probes_alone():
    """Calls that fill the scores have no times, however long they took."""
    found = evaluated([*asked(0.0), *probes(2, seconds=0.4), *probes(4, seconds=0.8)])

    assert [(each.seconds_p50, each.seconds_p95, each.probes) for each in found.plans] == [
        (0.4, 0.4, 2),
        (0.8, 0.8, 2),
    ]
    without = evaluated(asked(0.0)).plans[0]
    assert (without.seconds_p50, without.seconds_p95, without.probes) == (None, None, 0)


def test_retried_probes_have_no_time():
    """A probe that was retried does not count, and a note says how many there were."""
    retried = call(A, "q0", SCORES[:2], kind="probe", seconds=9.0, attempts=2)

    found = evaluated([*asked(0.0), retried, *probes(2, seconds=0.4)[1:]])

    assert (found.plans[0].seconds_p50, found.plans[0].probes) == (0.4, 1)
    assert found.notes == (
        "1 of 2 probes of a/small had to be retried and do not count for the times.",
    )


def test_two_steps_cost_the_sum():
    """In two steps, the first model has all candidates, and the second the best of these."""
    calls = [
        *asked(0.001),
        *probes(4, cost=0.001, seconds=0.1),
        *asked(0.006, B),
        *probes(2, model=B, cost=0.003, seconds=0.3),
        *probes(4, model=B, cost=0.006, seconds=0.5),
    ]

    found = evaluated(calls, models=(A, B)).plans[-1]

    assert found.plan.name == "a/small @4 → b/large @2"
    assert found.price_per_1000 == pytest.approx(1 + 3)
    assert found.seconds_p50 == pytest.approx(0.4)
    assert found.seconds_p95 is None
    assert found.probes == 2


def test_the_second_step_orders_what_the_first_has_chosen():
    """The second model orders only the documents that the first model put first."""
    calls = [call(A, each, [0, 1, 2, 3], cost=0.001) for each in QUESTIONS]
    calls += [call(B, each, [9, 8, 7, 6], cost=0.01) for each in QUESTIONS]

    found = evaluated(calls, models=(A, B)).plans[-1]

    assert found.orders["q0"] == ("q0/2", "q0/3", "q0/1", "q0/0")


@pytest.mark.parametrize(
    ("first", "second", "listwise"),
    [
        (0.003, 0.006, ()),
        (None, 0.006, ()),
        (0.001, None, ()),
        (0.0, 0.0, ()),
        (0.001, 0.006, (B,)),
    ],
)
def test_no_two_steps(first, second, listwise):
    """Two steps need a first model at less than half the price, and a second that replays."""
    calls = [*asked(first), *asked(second, B), *asked(second, B, depth=2)]

    found = evaluated(calls, models=(A, B), listwise=listwise)

    assert {len(each.plan.steps) for each in found.plans} == {1}
