"""Elements escape all texts and attributes."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.evaluation.report.page.markup import element, foreign, joined, number, text


class Reader(HTMLParser):
    """Reads elements, attributes and texts, as a browser does."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        """Keep an element with its attributes."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Keep a text."""
        self.texts.append(data)


def read(markup):
    """Return the elements and texts of `markup`."""
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x>', "&lt;", "a & b"])
def test_a_text_stays_text(hostile):
    """A text with markup is read as the same text, in an element and in an attribute."""
    found = read(element("p", hostile, foreign(hostile), title=hostile))

    assert found.tags == [("p", {"title": hostile}), ("bdi", {})]
    assert "".join(found.texts) == hostile * 2


@given(st.text(), st.text())
def test_no_text_becomes_an_element(content, attribute):
    """With any text, there is one element with one attribute."""
    found = read(element("p", content, title=attribute))

    assert [(tag, [*attributes]) for tag, attributes in found.tags] == [("p", ["title"])]


def test_attributes_have_names_of_html():
    """Underscores become hyphens, and `None` and `False` leave an attribute out."""
    made = element("i", class_="a", aria_hidden="true", x1=1.25, open=True, id=None, hidden=False)

    assert made == '<i class="a" aria-hidden="true" x1="1.2" open></i>'


def test_elements_are_not_escaped_again():
    """Elements can be put together with texts, and only the texts are escaped."""
    assert joined([element("b", "<"), "&", text(">")]) == "<b>&lt;</b>&amp;&gt;"
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'


@pytest.mark.parametrize(
    ("value", "written"), [(1, "1"), (1.04, "1"), (-0.01, "0"), (-3.26, "-3.3"), (200.0, "200")]
)
def test_a_coordinate_has_at_most_one_decimal(value, written):
    """A coordinate has one decimal, or none if it is zero."""
    assert number(value) == written
