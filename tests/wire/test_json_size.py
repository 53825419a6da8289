"""Tests of the limit of values, against the number of values that Python's JSON parser finds."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openrouter_rerank._wire.json_size import has_few_values

TEXTS = st.text(alphabet='ab,[{"\\\n\u00e9\U0001f600', max_size=6)
TREES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def marks(tree):
    """Return the number of brackets that open and of commas in the JSON text of `tree`."""
    if not isinstance(tree, list | dict):
        return 0
    inner = tree if isinstance(tree, list) else tree.values()
    return 1 + max(len(tree) - 1, 0) + sum(map(marks, inner))


@given(TREES, st.booleans())
@settings(max_examples=300)
def test_marks_within_strings_are_not_counted(tree, escaped):
    """The limit counts all brackets and commas outside strings, and none within them."""
    text = json.dumps(tree, ensure_ascii=escaped).encode()

    assert has_few_values(text, marks(tree))
    assert marks(tree) == 0 or not has_few_values(text, marks(tree) - 1)


@pytest.mark.parametrize("unit", [b'","', b'"",', b'{"":"",'])
def test_many_quotes_are_refused(unit):
    """A text with more quotes than its values can have is refused; escaped quotes do not count."""
    assert not has_few_values(unit * 20_000, 10)
    assert has_few_values(b'"' + b'\\",' * 20_000 + b'"', 10)
