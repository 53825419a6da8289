"""Text of files and services, made safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.evaluation.report.page.visible_text import visible, visible_lines

RIGHT_TO_LEFT_OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("a\x00b\x7f", "a␀b␡"),
        ("two\nlines\t", "two␊lines␉"),
        ("\x85\x9b", "��"),
        (f"abc{RIGHT_TO_LEFT_OVERRIDE}fed", "abc�fed"),
        ("half \ud800", "half �"),
        ("שלום\N{RIGHT-TO-LEFT MARK}! größer 東京", "שלום\N{RIGHT-TO-LEFT MARK}! größer 東京"),
    ],
)
def test_control_characters_have_a_visible_character(text, shown):
    """Control characters and overrides of the direction are replaced, and all others stay."""
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_no_control_character_is_left(text):
    """The result has no control character and as many characters as the text."""
    shown = visible(text)

    assert {unicodedata.category(character) for character in shown}.isdisjoint({"Cc", "Cs"})
    assert len(shown) == len(text)
    assert shown.encode().decode() == shown


def test_lines_stay_where_lines_are_shown():
    """`visible_lines` keeps line breaks and tabs, and replaces the other control characters."""
    assert visible_lines("a\n\tb\x1b") == "a\n\tb␛"
