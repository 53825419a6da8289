"""A `Collection` made from Python objects."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.evaluation.collection.collection import Collection, CollectionError

from tests.hostile_values import HOSTILE

SMALL = {
    "name": "small",
    "questions": {"q1": "one?", "q2": "two?"},
    "documents": {"d1": "one", "d2": "two", "d3": "three"},
    "judgements": {"q1": {"d1": 1}, "q2": {"d2": 2, "d3": 0}},
    "candidates": {"q1": ("d2", "d1"), "q2": ("d3",)},
}


def small(**changes):
    """Return a collection of two questions, with some arguments changed."""
    return Collection(**SMALL | changes)


def refusal(**changes):
    """Return the message with which a changed collection is refused: one line."""
    with pytest.raises(CollectionError) as raised:
        small(**changes)
    message = str(raised.value)
    assert message.isprintable()
    assert len(message) < 400
    return message


def test_a_collection_keeps_what_it_is_given():
    """Ids, texts, grades and the order of questions and candidates are those of the arguments."""
    collection = small(first_stage="Elasticsearch", notes=("From March.",))

    assert {name: getattr(collection, name) for name in SMALL} == SMALL
    assert list(collection.questions) == ["q1", "q2"]
    assert collection.first_stage == "Elasticsearch"
    assert collection.notes == ("From March.",)


def test_a_collection_has_plain_values():
    """Lists, strings and numbers of NumPy, and booleans become tuples, `str` and `int`."""
    collection = small(
        questions={np.str_("q1"): np.str_("one?")},
        judgements={"q1": {"d1": np.int64(2), "d2": True, "d3": 1.0}},
        candidates={"q1": [np.str_("d1")]},
    )

    assert collection.judgements == {"q1": {"d1": 2, "d2": 1, "d3": 1}}
    assert collection.candidates == {"q1": ("d1",)}
    assert {type(grade) for grade in collection.judgements["q1"].values()} == {int}
    assert {type(text) for text in (*collection.questions, *collection.candidates["q1"])} == {str}


def test_a_collection_does_not_change_with_its_arguments():
    """The arguments are copied, so a later change of them has no effect."""
    questions = dict(SMALL["questions"])
    collection = small(questions=questions)
    questions["q3"] = "three?"

    assert list(collection.questions) == ["q1", "q2"]


def test_a_collection_can_be_copied_and_pickled():
    """Copies and pickles are equal to the collection."""
    collection = small()

    for twin in (copy.copy(collection), copy.deepcopy(collection), replace(collection)):
        assert twin == collection
    assert pickle.loads(pickle.dumps(collection)) == collection  # noqa: S301 - Of this test


def test_the_repr_has_no_texts():
    """The `repr` has the sizes of the collection, and none of its texts."""
    assert repr(small()) == (
        "Collection(name='small', 2 questions, 3 documents, "
        "first_stage='the candidates of the collection')"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name is blank: give it a text"),
        ({"name": 3}, "name must be a string, got a value of type int"),
        ({"first_stage": None}, "first_stage must be a string, got None"),
        ({"notes": "a note"}, "notes must be a tuple of strings, got 'a note'"),
        ({"notes": (1,)}, "notes must be strings, got 1"),
        (
            {"questions": ["one?"]},
            "questions must be a mapping such as {'q1': 'a question'}, got a value of type list",
        ),
        ({"questions": {}}, "questions must have at least one question, got {}"),
        (
            {"questions": {1: "one?"}},
            "the ids of questions must be strings that are not blank, got 1",
        ),
        ({"questions": {"q1": " "}}, "questions['q1'] is blank: give it a text"),
        ({"documents": {"d1": None}}, "documents['d1'] must be a string, got None"),
        (
            {"documents": {"d1": "\ud800"}},
            "documents['d1'] contains half of a character (a lone surrogate): write the text again",
        ),
        (
            {"judgements": {"q1": ["d1"]}},
            "judgements['q1'] must be a mapping such as {'d1': 1}, got a value of type list",
        ),
        (
            {"judgements": {"q1": {"d1": 0.5}}},
            "judgements['q1']['d1'] must be a whole number from -1,000 to 1,000, got 0.5",
        ),
        (
            {"judgements": {"q1": {"d1": 1_001}}},
            "judgements['q1']['d1'] must be a whole number from -1,000 to 1,000, got 1001",
        ),
        (
            {"judgements": {"1": {"d1": 1}, "3": {"d1": 1}}},
            "no query id of the judgements is among the 2 questions (judged: 1, 3; asked: q1, q2)",
        ),
        (
            {"judgements": {"q1": {"7": 1}}},
            (
                "no document id of the judgements is among the 3 documents "
                "(judged: 7; in the collection: d1, d2, d3)"
            ),
        ),
        (
            {"candidates": {"q1": "d1"}},
            "candidates['q1'] must be a tuple of document ids, got a value of type str",
        ),
        (
            {"candidates": {"q1": ("d1", 2)}},
            "the ids of candidates['q1'] must be strings that are not blank, got 2",
        ),
        (
            {"candidates": {"q1": ("d1", "d2", "d1")}},
            "candidates['q1'] has the document 'd1' twice: list each document once",
        ),
        (
            {"candidates": {"1": ("d1",)}},
            (
                "no query id of the candidates is among the 2 questions "
                "(with candidates: 1; asked: q1, q2)"
            ),
        ),
        (
            {"candidates": {"q1": ("7", "8")}},
            (
                "no document id of the candidates is among the 3 documents "
                "(candidates: 7, 8; in the collection: d1, d2, d3)"
            ),
        ),
        ({"documents": {}}, "documents must have the texts of the candidates, got {}"),
    ],
)
def test_a_wrong_argument_is_named_with_its_cure(changes, message):
    """A wrong argument is refused with a message that names it, its value and what to pass."""
    assert refusal(**changes) == message


def test_an_error_does_not_show_a_document_or_a_key():
    """A wrong text is described by its type, and an id with an API key in it is not shown."""
    assert "secret" not in refusal(documents={"d1": ["a secret text"]})
    assert "sk-or" not in refusal(candidates={"q1": ("sk-or-v1-abc", "sk-or-v1-abc")})
    assert "sk-or" not in refusal(judgements={"sk-or-v1-abc": {"d1": 1}})


def test_the_error_is_one_of_a_wrong_option():
    """Code that catches wrong options catches a collection that cannot be used."""
    assert issubclass(CollectionError, ConfigurationError)
    assert issubclass(CollectionError, ValueError)


@pytest.mark.parametrize("name", ["name", "questions", "documents", "judgements", "candidates"])
@pytest.mark.parametrize("inside", [False, True], ids=["itself", "inside"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_any_value_is_accepted_or_refused_in_one_line(name, inside, kind):
    """Any object gives a collection or a `CollectionError` of one line, and no other exception."""
    keys = {"judgements": "q1", "candidates": "q1", "questions": "q1", "documents": "d1"}
    value = HOSTILE[kind]
    argument = {keys[name]: value} if inside and name in keys else value
    message = "accepted"
    try:
        pickle.dumps(small(**{name: argument}))
    except CollectionError as error:
        message = str(error)

    assert message.isprintable()
    assert len(message) < 400


def test_gaps_in_the_data_are_noted():
    """Questions that lack judgements, a relevant document or candidates are counted."""
    collection = small(
        questions={"q1": "one?", "q2": "two?", "q3": "three?", "q4": "four?"},
        documents={"d1": "one", "d2": " ", "d3": "three"},
        judgements={"q1": {"d1": 1, "d9": 1}, "q2": {"d2": 0}},
        candidates={"q1": ("d2", "d1"), "q2": ()},
    )

    assert collection.notes == (
        "Questions without judgements: 2 of 4. They are left out.",
        "Questions without a relevant document: 1 of 4. They are left out.",
        "Questions without candidates: 3 of 4. They count as 0.",
        "Judgements of documents without a text: 1. No plan can show them.",
        "Blank documents: 1. They are not sent, and come last.",
    )


@pytest.mark.parametrize(
    ("judged", "note"),
    [
        (
            {"d1": 0, "d2": 0},
            (
                "Questions without a relevant candidate: 1 of 2. They are left out, so the metrics "
                "are only of questions that the first stage can answer."
            ),
        ),
        (
            {"d1": 0, "d3": 0},
            "Questions without a relevant document: 1 of 2. They are left out.",
        ),
    ],
)
def test_questions_that_the_retriever_may_have_missed_are_noted(judged, note):
    """If only candidates are judged, the metrics leave out what the first stage cannot answer."""
    collection = small(
        questions={"q1": "one?", "q2": "two?"},
        documents={"d1": "one", "d2": "two", "d3": "three"},
        judgements={"q1": {"d1": 1}, "q2": judged},
        candidates={"q1": ("d2", "d1"), "q2": ("d1", "d2")},
    )

    assert collection.notes == (note,)


def test_what_does_not_belong_to_the_collection_is_left_out_and_noted():
    """Judgements and candidates of other questions and of other documents are left out."""
    collection = small(
        judgements=SMALL["judgements"] | {"q8": {"d1": 1}, "q9": {"d1": 1}},
        candidates={"q1": ("d7", "d1"), "q2": ("d8", "d9"), "q9": ("d1",)},
    )

    assert collection.judgements == SMALL["judgements"]
    assert collection.candidates == {"q1": ("d1",), "q2": ()}
    assert collection.notes == (
        "Questions with judgements that are not in the collection: 2. They were left out.",
        "Questions with candidates that are not in the collection: 1. They were left out.",
        "Candidates that are not among the documents: 3. They were left out.",
        "Questions without candidates: 1 of 2. They count as 0.",
    )


def test_a_collection_without_judgements_or_candidates_has_no_note():
    """Judgements and candidates may come later, so their absence is not a gap in the data."""
    assert small(judgements={}, candidates={}).notes == ()


def test_a_copy_counts_its_own_gaps():
    """A copy with other candidates keeps the given notes, and counts the gaps again."""
    first = small(candidates={"q1": ("d1",)}, notes=("From March.",))
    second = replace(first, candidates={"q1": ("d1",), "q2": ("d1",)})

    assert first.notes == ("From March.", "Questions without candidates: 1 of 2. They count as 0.")
    assert second.notes == ("From March.",)


def test_only_keeps_the_order_and_the_documents():
    """A part has its questions in the order of the collection, their data, and all documents."""
    part = small(questions={"q1": "a", "q2": "b", "q3": "c"}).only(["q3", "q1", "q9"])

    assert part.questions == {"q1": "a", "q3": "c"}
    assert part.judgements == {"q1": {"d1": 1}}
    assert part.candidates == {"q1": ("d2", "d1")}
    assert part.documents == SMALL["documents"]
    assert part.notes == (
        "Questions without judgements: 1 of 2. They are left out.",
        "Questions without candidates: 1 of 2. They count as 0.",
    )


def test_a_part_may_have_only_judgements_of_absent_documents():
    """A part is not refused for ids that do not match, because the whole collection was checked."""
    collection = small(judgements={"q1": {"d9": 1}, "q2": {"d2": 1}})

    assert collection.only(["q1"]).judgements == {"q1": {"d9": 1}}


def test_a_part_has_a_question():
    """A part without a question is refused."""
    with pytest.raises(CollectionError, match="must have the id of a question: q1, q2"):
        small().only(["q9"])
