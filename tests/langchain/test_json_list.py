"""The lists in JSON texts: their items, and the same text with the items in another order."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_openrouter_rerank._json_list import (
    MOST_CHARACTERS,
    MOST_ITEMS,
    TooLargeError,
    json_list,
    named_list,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
THREE = '{"result": {"result": {"result": [1, 2]}}}'
WRAPPERS = {
    "list": lambda values: values,
    "results": lambda values: {"a": [1, {"results": [2, 3]}], "results": values, "z": {}},
    "nested": lambda values: {"structured_content": {"result": values}},
}


@given(
    values=st.lists(VALUES, min_size=2, max_size=6),
    wrapper=st.sampled_from(list(WRAPPERS.values())),
    style=st.fixed_dictionaries(
        {"indent": st.sampled_from([None, 1, "\t"]), "ensure_ascii": st.booleans()}
    ),
    data=st.data(),
)
def test_a_reordered_list_has_the_same_values(values, wrapper, style, data):
    """The text with reordered items is the JSON of the reordered values."""
    text = f" \n{json.dumps(wrapper(values), **style)}\t"
    order = data.draw(st.lists(st.sampled_from(range(len(values))), unique=True))

    found = json_list(text)

    assert found.values == values
    assert json.loads(found.reordered(order)) == wrapper([values[each] for each in order])
    assert found.reordered(range(len(values))).split() == text.split()


@given(st.text() | st.text(alphabet='[]{}",: \\0ru'))
def test_any_text_is_a_list_or_nothing(text):
    """A text that is not JSON, or has no list, yields no list and no error."""
    found = json_list(text)

    if found is not None:
        assert json.loads(text) is not None
        assert [json.loads(text[slice(*span)]) for span in found.spans] == found.values


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "[",
        "{}",
        '{"results": 1}',
        "[1, 2",
        "[1, 2] 3",
        THREE,
        pytest.param("a" * (MOST_CHARACTERS + 1), id="too long"),
        pytest.param("[" * 100_000 + "]" * 100_000, id="too deep"),
    ],
)
def test_other_texts_are_no_list(text):
    """A text that is not JSON, or has no list in one of the known places, yields no list."""
    assert json_list(text) is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[]", []),
        (" [1] ", [1]),
        ('{"results": []}', []),
        ('{"results":[1]}', [1]),
        ("[[2]]", [[2]]),
    ],
)
def test_short_lists_are_lists(text, values):
    """A list may be empty, or have one item."""
    assert json_list(text).values == values


def test_large_lists_are_refused():
    """Lists of 1,000 items in texts of 1,000,000 characters are read, and no larger ones."""
    most = json.dumps({"results": [0] * MOST_ITEMS})
    longest = json.dumps(["a" * (MOST_CHARACTERS - 7), 1])

    assert len(json_list(most).values) == 1000
    assert len(longest) == 1_000_000
    assert json_list(longest).values[1] == 1
    members = json.dumps({str(number): 0 for number in range(MOST_ITEMS + 1)})
    for text in (most.replace("[", "[1, "), longest + " ", members):
        with pytest.raises(TooLargeError):
            json_list(text)


@pytest.mark.parametrize(
    ("text", "is_parallel"),
    [
        ('{"documents": ["a", "b"], "ids": [1, 2], "n": 2}', True),
        ('{"ids": [[1], 2], "result": {"documents": ["a", "b"], "n": []}}', True),
        ('{"documents": ["a", "b"], "ids": [1, 2, 3], "n": {"ids": [1, 2]}, "name": "ab"}', False),
        ('{"documents": ["a", "b"], "ids": [1, 2], "ids": null}', False),
        ('["a", "b"]', False),
    ],
)
def test_a_list_of_the_same_length_is_parallel(text, is_parallel):
    """A list is parallel to another one of the same length, in any object around it."""
    assert json_list(text).is_parallel is is_parallel


def test_a_text_does_not_grow():
    """A hostile text with a million spaces between two values is not longer in another order."""
    values = ",".join("1" * 999)
    text = values.join(["[0," + " " * 900_000, "]"])
    found = json_list(text)

    changed = found.reordered(range(999, -1, -1))

    assert len(changed) < len(text)
    assert json.loads(changed) == [*[1] * 999, 0]
    assert json_list("[0,\n\n\n1, 2]").reordered([2, 1, 0]) == "[2, 1, 0]"


def test_the_last_of_two_equal_names_counts():
    """Of two equal names in an object the last counts, as for every reader of JSON."""
    text = '{"results": [1, 2], "results": [3, 4]}'

    assert json_list(text).reordered([1]) == '{"results": [1, 2], "results": [4]}'


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"a": [], "documents": 1, "results": 2}, "results"),
        ({"result": 1}, "result"),
        ({"a": []}, None),
        (["results"], None),
    ],
)
def test_the_list_of_an_object_has_one_of_four_names(values, name):
    """Other values than objects have no named list, and not every list is one of results."""
    assert named_list(values) == name
