"""Fields that have the name of another format: the message says which one to rename."""

import json

import pytest
from openrouter_rerank.evaluation.collection.collection import Collection

CANDIDATE = {"id": "d1", "text": "one"}


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        (
            "candidates.jsonl",
            {"question": "one?", "candidates": ["one"]},
            "line 1: there is no 'query': rename 'question' to 'query'",
        ),
        (
            "candidates.jsonl",
            {"query": "one?", "docs": ["one"]},
            "line 1: there is no 'candidates': rename 'docs' to 'candidates'",
        ),
        (
            "candidates.jsonl",
            {"query": "one?", "candidates": [{"page_content": "one"}]},
            "line 1, candidate 0: there is no 'text': rename 'page_content' to 'text'",
        ),
        (
            "corpus.jsonl",
            {"id": "d1", "text": "one"},
            "line 1: there is no '_id': rename 'id' to '_id'",
        ),
        (
            "corpus.jsonl",
            {"_id": "d1", "contents": "one"},
            "line 1: there is no 'text': rename 'contents' to 'text'",
        ),
        (
            "queries.jsonl",
            {"_id": "q1", "query": "one?"},
            "line 1: there is no 'text': rename 'query' to 'text'",
        ),
    ],
)
def test_the_message_says_which_field_to_rename(message, name, row, expected):
    """A missing field that is there under another name is a matter of one word."""
    assert message(name, json.dumps(row)) == f"{name}, {expected}"


@pytest.mark.parametrize(
    ("candidate", "notes"),
    [
        (
            CANDIDATE | {"label": 1},
            (
                (
                    "No candidate has 'relevance'. If 'label' says what is relevant, rename it to "
                    "'relevance'."
                ),
            ),
        ),
        (CANDIDATE | {"label": "a name"}, ()),
        (CANDIDATE | {"label": 1, "relevance": 1}, ()),
        (CANDIDATE | {"score": 1}, ()),
    ],
)
def test_grades_under_another_name_are_noted(tmp_path, candidate, notes):
    """It is not an error, because a label may be something else."""
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"query": "one?", "candidates": [candidate]}))

    assert Collection.from_jsonl(file).notes == notes
