"""The scales of charts and their ticks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.evaluation.report.page.scale import (
    Scale,
    for_magnitudes,
    linear,
    round_steps,
)

positive = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.66, 0.94, [0.7, 0.8, 0.9]),
        (0, 300, [0, 100, 200, 300]),
        (-0.4, 1.1, [0, 0.5, 1.0]),
    ],
)
def test_ticks_are_round(low, high, ticks):
    """The ticks are multiples of 1, 2 or 5 times a power of ten."""
    assert round_steps(low, high, 5 if high < 1 else 3) == ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.02, 9, [0.03, 0.1, 0.3, 1, 3]),
        (0.05, 1.5, [0.05, 0.1, 0.2, 0.5, 1]),
        (0.001, 100, [0.001, 0.01, 0.1, 1, 10, 100]),
    ],
)
def test_a_logarithmic_scale_has_round_ticks(low, high, ticks):
    """A logarithmic scale has powers of ten, and parts of them if these are few."""
    scale = Scale(low=low, high=high, start=0, end=1, is_logarithmic=True)

    assert scale.ticks() == ticks


@given(st.lists(positive, min_size=1, max_size=8))
def test_all_values_are_on_the_scale(values):
    """A scale has all its values and ticks between its ends, in the order of the values."""
    for scale in (for_magnitudes(values, 10, 200), linear(values, 10, 200)):
        places = [scale(value) for value in sorted([*values, *scale.ticks()])]

        assert places == sorted(places)
        assert all(9.99 <= place <= 200.01 for place in places)


def test_only_values_that_differ_by_much_have_a_logarithmic_scale():
    """Prices from 1 to 3 have a linear scale; from 1 to 10, a logarithmic one."""
    assert not for_magnitudes([1, 3], 0, 1).is_logarithmic
    assert for_magnitudes([1, 10], 0, 1).is_logarithmic
