"""Metadata that are ranked before the text: the values that `rank_fields` understands."""

import math
import sys
import uuid
from collections import UserDict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.documents import contents
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError

from tests.hostile_values import HOSTILE
from tests.langchain.converted_documents import PNG, URL, uri

ID = uuid.UUID("12345678-1234-5678-1234-567812345678")


class Colour(Enum):
    """An enumeration of texts."""

    RED = "red"
    NOTHING = None


class Name(StrEnum):
    """An enumeration of strings."""

    CAT = "cat"


class Size(IntEnum):
    """An enumeration of numbers."""

    SMALL = 1


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("two\n words", "two words"),
        (True, "True"),
        (7, "7"),
        (0, "0"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.50"),
        (Fraction(1, 3), "1/3"),
        (date(2026, 11, 30), "2026-11-30"),
        (datetime(2026, 11, 30, 12, tzinfo=UTC), "2026-11-30 12:00:00+00:00"),
        (time(12, 30), "12:30:00"),
        (timedelta(minutes=5), "0:05:00"),
        (ID, str(ID)),
        (PurePosixPath("a/b.pdf"), "a/b.pdf"),
        (Colour.RED, "red"),
        (Name.CAT, "cat"),
        (Size.SMALL, "1"),
        (np.float32(0.1), "0.1"),
        (np.float64(0.1), "0.1"),
        (np.int64(7), "7"),
        (np.bool_(True), "True"),
        (np.str_("a"), "a"),
        (np.datetime64("2026-11-30"), "2026-11-30"),
        ([np.int64(1), ID, Colour.RED, object()], f"1, {ID}, red"),
        (("a", "b"), "a, b"),
        ([10**5000, "a"], "a"),
        ([Decimal("sNaN"), "a"], "a"),
        ({"b", "a"}, "a, b"),
        (frozenset({2, 1}), "1, 2"),
    ],
)
def test_every_scalar_value_is_written(value, written):
    """Texts, numbers, dates, times, identifiers, paths, enumerations and NumPy's are written."""
    document = Document("A cat", metadata={"x": value})

    assert contents([document], rank_fields=["x"]) == [f"x: {written}\nA cat"]


def test_without_numpy_the_other_values_of_a_list_are_written(monkeypatch):
    """A list with an object that cannot be written has its other values, also without NumPy."""
    monkeypatch.delitem(sys.modules, "numpy")
    document = Document("A cat", metadata={"x": [object(), "a"]})

    assert contents([document], rank_fields=["x"]) == ["x: a\nA cat"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        float("nan"),
        np.float64("nan"),
        np.datetime64("NaT", "D"),
        Decimal("NaN"),
        Decimal("sNaN"),
        10**5000,
        Colour.NOTHING,
        {"a": 1},
        b"bytes",
        object(),
        np.zeros(3),
        [],
        set(),
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_other_values_are_left_out(value):
    """Empty values, mappings, arrays and objects are not a line of text."""
    document = Document("A cat", metadata={"x": value})

    assert contents([document], rank_fields=["x"]) == ["A cat"]


@pytest.mark.parametrize("names", [["text"], ["text", "title"], ["title", "text", "image"]])
def test_the_text_of_a_mapping_is_written_once(names):
    """The keys `text` and `image` of a mapping are its content, and no further lines."""
    item = {"text": "Purr", "title": "Cats", "image": URL}
    title = "title: Cats\n" if "title" in names else ""

    assert contents([item], rank_fields=names) == [RerankDocument(text=f"{title}Purr", image=URL)]


def test_a_field_with_the_text_itself_is_not_written():
    """Stores copy the text into the metadata. It is ranked once."""
    document = Document("A  cat\nsleeps", metadata={"text": "A cat sleeps", "title": "Cats"})

    assert contents([document], rank_fields=["text", "title", "title"]) == [
        "title: Cats\nA  cat\nsleeps"
    ]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"text": "Purr", "title": "Cats", "id": 5}, "title: Cats\nPurr"),
        ({"title": "Cats", "body": object()}, "title: Cats"),
        ({"type": "article", "title": "Cats"}, "title: Cats"),
        ({"id": 5}, ""),
        (UserDict(title="Cats", id=5), "title: Cats"),
    ],
)
def test_other_keys_of_a_mapping_are_ignored_if_fields_are_named(item, expected):
    """With `rank_fields`, the user has said what is ranked, so other keys are not a mistake."""
    assert contents([item], rank_fields=["title"]) == [expected]


def test_other_keys_of_a_mapping_are_refused_if_no_field_is_named():
    """Without `rank_fields`, an unknown key is more likely a mistake."""
    with pytest.raises(InvalidRequestError, match="unknown key 'title'"):
        contents([{"text": "Purr", "title": "Cats"}])


@pytest.mark.parametrize("name", ["failing list", "failing integer", "failing attributes"])
def test_a_value_that_fails_is_left_out(name):
    """A field whose value cannot be read is left out, and so is an array without dimensions."""
    document = Document("A cat", metadata={"x": HOSTILE[name]})
    array = Document("A cat", metadata={"x": np.array(3)})

    [with_array] = contents([array], image_keys=["x"])

    assert contents([document], rank_fields=["x"]) == ["A cat"]
    assert with_array.text == "A cat"
    assert with_array.reason.startswith("the field 'x' has no image")


def test_values_of_numpy_are_left_out_without_numpy(monkeypatch):
    """NumPy is not imported for its values."""
    document = Document("A cat", metadata={"x": np.datetime64("2026-11-30")})
    monkeypatch.delitem(sys.modules, "numpy")

    assert contents([document], rank_fields=["x"]) == ["A cat"]
    assert "numpy" not in sys.modules


@given(st.dictionaries(st.sampled_from("abc"), st.none() | st.integers() | st.text(max_size=5)))
def test_each_field_is_written_at_most_once(metadata):
    """Each named field is one line before the text, in the order of the names."""
    [content] = contents([Document("The text", metadata=metadata)], rank_fields=["c", "a", "c"])

    *lines, text = content.split("\n")
    assert text == "The text"
    has_value = {name for name, value in metadata.items() if str(value or value == 0 or "").strip()}
    assert [line[0] for line in lines] == [name for name in "ca" if name in has_value]


METADATA = {
    "title": "The  cat\nof Paris",
    "authors": ["A. Smith", "", "B. Jones", {"role": "editor"}],
    "year": 2024,
    "price": Decimal("1.50"),
    "day": date(2024, 2, 29),
    "score": 0.5,
    "empty": math.nan,
    "none": None,
    "blank": " ",
    "nested": {"a": 1},
    "photo": URL,
}


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (["title"], "title: The cat of Paris\n"),
        (["year", "title"], "year: 2024\ntitle: The cat of Paris\n"),
        (["authors"], "authors: A. Smith, B. Jones\n"),
        (["price", "day", "score"], "price: 1.50\nday: 2024-02-29\nscore: 0.5\n"),
        (["empty", "none", "blank", "nested", "missing"], ""),
        ([], ""),
    ],
)
def test_rank_fields_are_put_before_the_text(names, lines):
    """Each field with a text, a number or a date is a line, in the order of `rank_fields`."""
    document = Document("A cat", metadata=METADATA)

    assert contents([document], rank_fields=names) == [f"{lines}A cat"]


def test_rank_fields_are_ranked_with_an_image():
    """The fields are the text of an image, or the whole content if there is nothing else."""
    documents = [
        Document(uri(PNG), metadata={"title": "A cat"}),
        Document("", metadata={"title": "A cat", "image": URL}),
        Document("", metadata={"title": "A cat"}),
        Document("Purrs", metadata={"title": "A cat", "photo": URL}),
    ]

    converted = contents(documents, rank_fields=["title"], image_keys=["photo"])

    assert converted == [
        RerankDocument(text="title: A cat", image=uri(PNG)),
        RerankDocument(text="title: A cat", image=URL),
        "title: A cat",
        RerankDocument(text="title: A cat\nPurrs", image=URL),
    ]
