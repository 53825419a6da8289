"""What chance can do to the changes of plans."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.evaluation.analysis.chance import chance, first_with_share, held_out

from tests.repetitions import repetitions

changes_of_plans = st.integers(0, 12).flatmap(
    lambda questions: st.lists(
        st.lists(
            st.sampled_from([-1.0, -0.1, 0.0, 0.1, 0.3, 1.0]),
            min_size=questions,
            max_size=questions,
        ),
        min_size=1,
        max_size=4,
    )
)


def like_metrics(random, plans, questions, effect=0.0):
    """Return changes like those of a metric: most are 0, and plans agree in part."""
    common = random.normal(size=questions)
    changes = (common + random.normal(size=(plans, questions))) * 0.2
    changes[random.random((plans, questions)) < 0.5] = 0.0
    return changes + effect


def test_false_alarms_are_rare():
    """Of data sets without an effect, at most 6 % show one for the best of 24 plans."""
    random = np.random.default_rng(0)
    sets = repetitions(local=50, ci=100, full=400)

    alarms = sum(
        chance(like_metrics(random, plans=24, questions=60), seed).p.min() < 0.05
        for seed in range(sets)
    )

    # Fewer sets have a larger share by chance.
    assert alarms <= (0.06 if sets == 400 else 0.1) * sets


def test_an_effect_is_seen_as_often_as_promised():
    """The smallest visible change is seen in about 80 % of the data sets."""
    random = np.random.default_rng(1)
    sets = repetitions(local=50, ci=100, full=400)
    effect = np.mean(
        [
            chance(like_metrics(random, plans=4, questions=100), seed).visible_change(0)
            for seed in range(20)
        ]
    )

    seen = sum(
        chance(like_metrics(random, plans=4, questions=100, effect=effect), seed).p[0] < 0.05
        for seed in range(sets)
    )

    assert 0.7 * sets <= seen <= 0.9 * sets


def test_the_number_of_questions_that_are_needed_is_enough():
    """With the number of questions that is needed, about 80 % of the data sets show the change."""
    random = np.random.default_rng(2)
    sets = repetitions(local=100, ci=100, full=400)
    small = np.array([0.05, *[0.0] * 7, 0.2, -0.1] * 3) + 0.005
    needed = chance(small[None], 0).questions_needed(0)
    assert needed > small.size

    seen = sum(chance(random.choice(small, (1, needed)), seed).p[0] < 0.05 for seed in range(sets))

    assert 0.7 * sets <= seen <= 0.93 * sets


@pytest.mark.parametrize("effect", [0.0, 0.03, 0.06, 0.1])
def test_the_probability_of_one_plan_is_that_of_scipy(effect):
    """For one plan, the probability is that of scipy's permutation test of paired samples."""
    pytest.importorskip("scipy", minversion="1.15")
    from scipy import stats

    changes = like_metrics(np.random.default_rng(3), plans=1, questions=40, effect=effect)

    def t(one, other, axis):
        difference = one - other
        return difference.mean(axis=axis) / difference.std(axis=axis)

    expected = stats.permutation_test(
        (changes[0], np.zeros(40)),
        t,
        permutation_type="samples",
        vectorized=True,
        n_resamples=9_999,
        rng=np.random.default_rng(4),
    ).pvalue

    found = chance(changes, 0).p[0]
    # Three standard errors of the difference of two random estimates
    assert found == pytest.approx(expected, abs=3 * math.sqrt(2 * expected / 9_999) + 2e-4)


def test_the_numbers_are_those_of_all_signs():
    """For a few questions, all sets of signs give the same numbers as the random ones."""
    changes = np.array([[0.3, 0.1, 0.4, 0.2, 0.5, -0.1, 0.6, 0.2], [0.0, 0.5, 0.0, 0.1] * 2])
    questions = changes.shape[1]
    deviation = changes.std(axis=1)

    def t(changed):
        with np.errstate(divide="ignore"):
            return np.abs(changed.mean(axis=1)) / (changed.std(axis=1) / math.sqrt(questions))

    largest = [t(changes * signs).max() for signs in itertools.product((-1, 1), repeat=questions)]
    found = chance(changes, 0)

    for row, observed in enumerate(t(changes)):
        expected = np.mean([each >= observed * (1 - 1e-9) for each in largest])
        assert found.p[row] == pytest.approx(expected, abs=0.01)
    assert np.quantile(largest, 0.94) <= found.critical <= np.quantile(largest, 0.96)
    error = found.critical * deviation / math.sqrt(questions)
    assert found.low == pytest.approx(changes.mean(axis=1) - error)
    assert found.high == pytest.approx(changes.mean(axis=1) + error)
    assert found.visible_change(0) == pytest.approx(
        (found.critical + 0.84) * deviation[0] / math.sqrt(questions)
    )
    assert found.questions_needed(1) == math.ceil(
        ((found.critical + 0.84) * deviation[1] / changes[1].mean()) ** 2
    )


@given(changes_of_plans)
def test_the_probability_and_the_interval_agree(changes):
    """A probability below 5 % and an interval without 0 mean the same; all numbers are finite."""
    changes = np.array(changes, dtype=float)
    found = chance(changes, 0)

    assert np.all((found.p > 0) & (found.p <= 1))
    assert np.array_equal(found.p < 0.05, (found.low > 0) | (found.high < 0))
    assert np.all((found.low <= found.mean) & (found.mean <= found.high))
    assert np.all(np.isfinite([found.low, found.high, found.mean, found.deviation]))


@given(changes_of_plans)
def test_more_plans_make_a_change_less_certain(changes):
    """The probability with other plans is at least that of the plan alone."""
    changes = np.array(changes, dtype=float)

    assert chance(changes[:1], 0).p[0] <= chance(changes, 0).p[0]


@pytest.mark.parametrize("questions", range(6))
def test_few_questions_show_nothing(questions):
    """With five questions or fewer, no change is certain, and no number of questions is named."""
    found = chance(np.full((1, questions), 0.5), 0)

    assert found.p[0] >= 0.05
    assert found.visible_change(0) is None
    assert found.questions_needed(0) is None


def test_equal_changes_are_certain():
    """If all of ten questions change by the same value, the change is certain."""
    found = chance(np.full((1, 10), 0.1), 0)

    assert found.p[0] < 0.05
    assert [*found.low, *found.high] == pytest.approx([0.1, 0.1])


def test_no_change_is_no_effect():
    """Plans that change nothing have the probability 1 and an interval of 0."""
    found = chance(np.zeros((2, 10)), 0)

    assert found.p.tolist() == [1.0, 1.0]
    assert [*found.low, *found.high] == [0.0] * 4
    assert found.questions_needed(0) is None


def test_the_first_plan_with_the_share_is_chosen():
    """The first plan with the share of the largest gain is chosen, and none without a gain."""
    gains = np.array([[0.05, 0.09, 0.1], [0.1, 0.1, 0.1], [0.0, -0.1, 0.0], [-1.0, -2.0, 1e-15]])

    assert first_with_share(gains, 0.9, worth=0.0).tolist() == [1, 0, -1, -1]


def test_the_held_out_gain_of_a_real_effect():
    """A plan that is better everywhere gains as much on the other half."""
    found = held_out(np.array([[0.0] * 20, [0.1] * 20]), keep=0.9, worth=0.0, seed=0)

    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert found.share_positive == 1.0


def test_the_held_out_gain_of_the_luckiest_plan():
    """A plan that is chosen because of one question gains nothing on the other."""
    found = held_out(np.array([[1.0, 0.0], [0.0, 1.0]]), keep=0.9, worth=0.0, seed=0)

    assert (found.mean, found.low, found.high, found.share_positive) == (0.0, 0.0, 0.0, 0.0)


def test_the_held_out_gain_of_no_effect():
    """The best of many plans without an effect gains nothing on the other half."""
    changes = np.random.default_rng(0).normal(size=(24, 100))
    changes -= changes.mean(axis=1, keepdims=True)

    found = held_out(changes, keep=0.9, worth=0.0, seed=0)

    assert found.mean < 0.05
    assert found.share_positive < 0.5


def test_a_half_without_a_gain_keeps_the_first_stage():
    """If no plan is better on one half, the gain on the other half is 0."""
    found = held_out(np.full((2, 10), -0.5), keep=0.9, worth=0.0, seed=0)

    assert (found.mean, found.low, found.high, found.share_positive) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("shape", [(0, 10), (3, 0), (3, 1)])
def test_too_little_has_no_held_out_gain(shape):
    """Without plans, or with fewer than two questions, there is no held-out gain."""
    assert held_out(np.ones(shape), keep=0.9, worth=0.0, seed=0) is None


@pytest.mark.parametrize(
    ("gains", "chosen"), [([0.019, 0.02], 1), ([0.018, 0.019], 0), ([0.02, 0.0205], 0)]
)
def test_a_plan_that_is_worth_it_is_chosen_if_there_is_one(gains, chosen):
    """90 % of the largest gain is not enough if only the largest gain is worth having."""
    assert first_with_share(np.array([gains]), 0.9, worth=0.02).tolist() == [chosen]
