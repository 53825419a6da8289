"""How numbers are written in reports."""

import pytest
from openrouter_rerank.evaluation.analysis import number_formats as people

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.68549, "0.685"), (1.0, "1.000"), (NAN, people.NO_VALUE)],
)
def test_a_metric_has_three_decimals(value, text):
    """A metric has three decimals; one that is not finite is a dash."""
    assert people.quality(value) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0362, 3, "+0.036"),
        (-0.0081, 3, f"{people.MINUS}0.008"),
        (0.0, 3, "0.000"),
        (-0.0004, 3, "0.000"),
        (0.018, 2, "+0.02"),
        (NAN, 3, people.NO_VALUE),
    ],
)
def test_a_change_has_a_sign_unless_it_is_zero(value, digits, text):
    """A change has a plus or a minus sign, and no sign if it is zero as it is written."""
    assert people.change(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0001, "0.0001"),
        (0.00149, "0.0015"),
        (0.132, "0.13"),
        (1.0, "1"),
        (0.0, "< 0.0001"),
        (NAN, people.NO_VALUE),
    ],
)
def test_a_probability_has_two_significant_digits(value, text):
    """A probability has two significant digits, and is never zero."""
    assert people.probability(value) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (None, "unknown"),
        (NAN, "unknown"),
        (0.0, "free"),
        (0.0000123, "$0.000012"),
        (0.0218, "$0.022"),
        (0.0996, "$0.10"),
        (0.415, "$0.41"),
        (4.2349, "$4.23"),
        (1234.5, "$1,234"),
    ],
)
def test_a_price_has_two_significant_digits(dollars, text):
    """A price has at least two significant digits; an unknown price is not free."""
    assert people.price(dollars) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (None, people.NO_VALUE),
        (0.0, "0 s"),
        (0.0124, "0.012 s"),
        (0.134, "0.13 s"),
        (0.996, "1.0 s"),
        (1.42, "1.4 s"),
        (12.6, "13 s"),
    ],
)
def test_seconds_have_two_significant_digits(duration, text):
    """Seconds have two significant digits; a time that was not measured is a dash."""
    assert people.seconds(duration) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, people.NO_VALUE),
        (0.0, "0 %"),
        (0.001, "1 %"),
        (0.954, "95 %"),
        (0.9999, "99 %"),
        (1.0, "100 %"),
    ],
)
def test_only_all_are_100_per_cent(share, text):
    """A share is rounded, but nearly all are not all, and few are not none."""
    assert people.percent(share) == text


def test_a_number_agrees_with_its_noun():
    """One question, two questions; thousands have a comma."""
    assert people.count(1, "question") == "1 question"
    assert people.count(5183, "document") == "5,183 documents"
    assert people.count(2, "query", "queries") == "2 queries"


def test_a_number_and_its_unit_stay_in_one_line():
    """The space between a number and its unit does not break a line, and others do."""
    sentence = people.unbroken("95 % of 20 samples take 0.13 s.")

    assert sentence.split(" ") == ["95\xa0%", "of", "20", "samples", "take", "0.13\xa0s."]
