"""The part of a document that a report shows."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.evaluation.report.page.snippets import LENGTH, snippet

FILLER = "Nobody would look for this sentence about harbours and ferries. "


def marked(markup):
    """Return the marked words."""
    return re.findall("<mark>(.*?)</mark>", markup)


def test_words_of_the_question_are_marked():
    """Words of the question are marked in any form, but stop words are not."""
    found = snippet(
        "The refund is paid. Refunds of the parcel: see there.", "the refunds of parcels"
    )

    assert marked(found) == ["refund", "Refunds", "parcel"]


def test_stop_words_are_those_of_the_language():
    """German stop words are not marked in a German text."""
    found = snippet("Das Geld wird auf die Karte gebucht, und das ist es.", "Wann kommt das Geld?")

    assert marked(found) == ["Geld"]


def test_words_without_spaces_are_marked():
    """In scripts without spaces, common pairs of characters are marked."""
    assert "東京" in "".join(marked(snippet("日本の首都は東京です。", "東京はどこですか")))


def test_a_snippet_begins_and_ends_with_a_word():
    """A long document is shown from the words of the question, in whole words."""
    document = FILLER * 20 + "Copper prices rose in May. " + FILLER * 20
    found = snippet(document, "price of copper")

    assert marked(found) == ["Copper", "prices"]
    plain = re.sub("<.*?>", "", found)
    assert plain.startswith("… ")
    assert plain.endswith(" …")
    assert set(plain.strip("… ").split()) <= set(document.split())
    assert len(plain) <= LENGTH + 4


def test_a_document_without_the_words_is_shown_from_its_start():
    """If no word of the question occurs, the snippet is the beginning of the document."""
    assert snippet(FILLER * 20, "copper").startswith("Nobody would look")


def test_white_space_of_a_document_becomes_single_spaces():
    """Line breaks and several spaces are shown as one space."""
    assert snippet("one\n\n  two\tthree", "x") == "one two three"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "<b>bold</b> & co"])
def test_markup_in_documents_and_questions_is_text(text):
    """Elements of a document are escaped, also those that are marked."""
    found = snippet(text, text)

    assert re.sub("</?mark>", "", found).find("<") == -1


@given(st.text(max_size=800), st.text(max_size=80))
def test_every_document_has_a_snippet(document, question):
    """Any document and any question give a snippet, which is a part of the document."""
    found = re.sub("</?mark>", "", snippet(document, question))

    assert len(found) <= 6 * (LENGTH + 4)
