"""The request for a grade, the part of a document that a judge sees, and the grade in a reply."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._call.passages import estimated_tokens
from openrouter_rerank.evaluation.judge.rubric import (
    GRADES,
    MOST_TOKENS,
    RUBRIC,
    grade_in,
    passage_of,
    request_body,
)

REPLIES = [
    ('{"grade": 0}', 0),
    ('{"grade":3}', 3),
    (' \n{"grade": 2, "reason": "line 7 of 9"}', 2),
    ('{"grade": "2"}', 2),
    ("1", 1),
    ("Grade: 3.", 3),
    ("```json\n{'grade': 1}\n```", 1),
    ("", None),
    ("none", None),
    ("2 or 3", None),
    ("3/3", None),
    ("2.0", None),
    ("-1", None),
    ("12", None),
    ("4", None),
    ("\u0663", None),
    ('{"grade": 4}', None),
    ('{"grade": true}', None),
    ('{"grade": null}', None),
    ('{"grade": [3, 2]}', None),
    ('{"grade": 99999999999999999999999999}', None),
    ("[" * 100_000, None),
    ("1" * 100_000, None),
    ("x" * 5_000 + "3", None),
]


@pytest.mark.parametrize(("reply", "grade"), REPLIES)
def test_the_grade_in_a_reply(reply, grade):
    """It is that of the JSON, or the only number from 0 to 3."""
    assert grade_in(reply) == grade


@given(st.text())
def test_any_reply_can_be_read(reply):
    """No text raises an exception."""
    assert grade_in(reply) in {None, *GRADES}


@given(st.text(max_size=200), st.text(max_size=200))
def test_texts_are_data(question, passage):
    """Any question and passage are the two strings of one JSON object, and nowhere else."""
    body = request_body("maker/judge", question, passage)

    system, user = body["messages"]
    assert system["content"] == RUBRIC
    assert json.loads(user["content"]) == {"question": question, "passage": passage}
    assert body["model"] == "maker/judge"


DOCUMENTS = [
    "hello world " * 5_000,
    "x" * 100_000,
    "\u65e5\u672c\u8a9e" * 5_000,
    " " * 50_000,
    "\U0001f600" * 9_000,
    "A" * 2_001,
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document[:5])
def test_a_long_document_is_cut(document):
    """The passage is the beginning of the document, and has nearly 2,000 tokens."""
    passage = passage_of(document)

    assert document.startswith(passage)
    assert 0.95 * MOST_TOKENS < estimated_tokens(passage) <= MOST_TOKENS


@pytest.mark.parametrize("document", ["", "short", "A" * 2_000, " " * 19_999])
def test_a_short_document_is_whole(document):
    """A document of 2,000 tokens is not changed."""
    assert passage_of(document) == document


def test_a_document_is_not_cut_in_a_word():
    """The passage ends with a whole word."""
    words = " ".join(f"word{number}" for number in range(10_000))

    assert words[len(passage_of(words))] == " "


@given(st.text(alphabet="ab \n\u65e5\U0001f600", max_size=6_000))
def test_a_passage_is_never_too_long(document):
    """No passage has more than 2,000 tokens, and each is a beginning of its document."""
    passage = passage_of(document)

    assert document.startswith(passage)
    assert estimated_tokens(passage) <= MOST_TOKENS
    assert bool(passage) == bool(document)
