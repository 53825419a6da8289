"""The agreement of a judge with the user: shares, intervals, kappa, and what is checked."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.evaluation.judge.agreement import agreement, sample, wilson


def keys(count, mark):
    """Return keys of passages."""
    return [(mark.encode(), str(number).encode()) for number in range(count)]


def graded(**counts):
    """Return as many grades as the counts of `g0` to `g3` say, by key."""
    return {key: int(name[1]) for name, count in counts.items() for key in keys(count, name)}


@pytest.mark.parametrize(
    ("share", "count", "expected"),
    [
        (0.0, 10, (0.0, 0.2775)),
        (0.5, 10, (0.2366, 0.7634)),
        (0.9, 10, (0.5958, 0.9821)),
        (1.0, 40, (0.9124, 1.0)),
    ],
)
def test_wilson_intervals(share, count, expected):
    """They are those of tables, and never leave 0 to 1."""
    assert wilson(share, count) == pytest.approx(expected, abs=1e-4)


def test_checked_passages_count_as_often_as_their_grade():
    """Precision and missed share are those of the pool, not of the sample with its equal parts."""
    judged = graded(g0=900, g1=60, g2=30, g3=10)
    # Of ten each, the user calls relevant: none, one, four and nine.
    user = {
        key: 3 if number < relevant else 0
        for name, relevant in (("g0", 0), ("g1", 1), ("g2", 4), ("g3", 9))
        for number, key in enumerate(keys(10, name))
    }
    found = agreement(judged, user)

    assert (found.checked, found.agreed) == (40, 10 + 9 + 4 + 9)
    # 30 passages count 0.4, and 10 count 0.9.
    assert found.precision.value == pytest.approx((30 * 0.4 + 10 * 0.9) / 40)
    # Of 60 passages one tenth is missed; 12 + 9 are found.
    assert found.missed.value == pytest.approx(6 / (6 + 12 + 9))
    assert found.precision.low < found.precision.value < found.precision.high
    # Weights of 3 and 1 make 20 passages worth 16.
    assert (found.precision.low, found.precision.high) == pytest.approx(wilson(21 / 40, 16))
    assert found.kappa == pytest.approx(0.6)


def test_an_agreement_in_everything():
    """A user with the grades of the judge has a precision of 1, misses nothing, and kappa is 1."""
    judged = graded(g0=20, g1=20, g2=20, g3=20)
    found = agreement(judged, judged)

    assert (found.precision.value, found.precision.high) == (1.0, 1.0)
    assert (found.missed.value, found.missed.low) == (0.0, 0.0)
    assert found.kappa == 1
    assert found.agreed == found.checked == 80


def test_what_cannot_be_known_is_none():
    """Without a relevant passage on one side there is no share, and without passages nothing."""
    judged = graded(g0=5, g1=5)
    found = agreement(judged, dict.fromkeys(judged, 0))

    assert (found.precision, found.missed, found.kappa) == (None, None, None)
    assert agreement(judged, {}) is None
    assert agreement({}, judged) is None
    only_user = agreement(judged, dict.fromkeys(judged, 3))
    assert only_user.precision is None
    assert only_user.missed.value == 1


def test_grades_of_other_passages_do_not_count():
    """Only passages of the pool are compared."""
    judged = graded(g3=4)
    found = agreement(judged, {**dict.fromkeys(judged, 3), **dict.fromkeys(keys(9, "other"), 0)})

    assert (found.checked, found.agreed) == (4, 4)


def test_a_sample_has_equal_parts():
    """Of 40 passages, ten have each grade."""
    judged = graded(g0=500, g1=100, g2=30, g3=12)
    chosen = sample(judged, (), 40)

    assert Counter(judged[key] for key in chosen) == dict.fromkeys(range(4), 10)
    assert len({*chosen}) == 40


def test_rare_grades_leave_room_for_others():
    """If there are too few passages of a grade, the others fill the sample."""
    judged = graded(g0=500, g1=100, g3=2)

    assert Counter(judged[key] for key in sample(judged, (), 40)) == {0: 19, 1: 19, 3: 2}
    assert len(sample(graded(g2=3), (), 40)) == 3
    assert sample({}, (), 40) == []


def test_passages_of_the_user_come_first():
    """What the user has graded is a part of the sample, so that it is not asked again."""
    judged = graded(g0=100, g1=100, g2=100, g3=100)
    known = keys(100, "g0")[-5:] + keys(100, "g3")[-20:]
    chosen = sample(judged, known, 40)

    assert {*known[:5]} <= {*chosen}
    assert sum(key in known for key in chosen) == 15


@given(
    st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 3)), min_size=1, max_size=60)
)
def test_all_shares_are_within_their_intervals(grades):
    """With any grades, shares are from 0 to 1, in their intervals, and kappa from -1 to 1."""
    judged = {(b"", str(at).encode()): grade for at, (grade, _) in enumerate(grades)}
    user = {
        (b"", str(at).encode()): grade for at, (_, grade) in enumerate(grades) if grade is not None
    }
    found = agreement(judged, user)

    assert (found is None) == (not user)
    for share in () if found is None else (found.precision, found.missed):
        if share is not None:
            assert 0 <= share.low <= share.value + 1e-9
            assert share.value - 1e-9 <= share.high <= 1
    assert found is None or found.kappa is None or -1 <= found.kappa <= 1
