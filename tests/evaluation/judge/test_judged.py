"""An evaluation by judges: its sentence, notes and completeness, from constructed grades."""

from dataclasses import replace

import pytest

pytest.importorskip("ir_measures", reason="the evaluation needs ir-measures")

from openrouter_rerank.evaluation.analysis.analysis import analyse
from openrouter_rerank.evaluation.asking.scores import Scores
from openrouter_rerank.evaluation.judge.grades import Pair
from openrouter_rerank.evaluation.judge.grading import Grading, gain
from openrouter_rerank.evaluation.judge.judged import (
    family_warnings,
    judged_collection,
    with_judges,
)
from openrouter_rerank.evaluation.result import Judging
from openrouter_rerank.evaluation.settings import Settings

from tests.evaluation.constructed import call, collection

MODEL = "maker/model"
SETTINGS = Settings(models=MODEL, depths=(2,), probes=0, judge="other/judge")


def evaluated(by_place, *, judgements=None, of_user=(), settings=SETTINGS, **fields):
    """
    Evaluate questions with two candidates, which the model reverses.

    Args:
        by_place: By question, the two grades of the judge.
        judgements: Those of the collection.
        of_user: The grades of the user, by document.
        settings: The options.
        **fields: Other fields of the grading.
    """
    data = collection(dict.fromkeys(by_place, (None, None)))
    data = replace(data, judgements=judgements or {})
    scores = Scores(
        depths=(2,),
        calls=tuple(call(MODEL, question, (0.1, 0.9)) for question in by_place),
        failures={},
        listwise=frozenset(),
    )
    pairs = {
        (question, f"{question}/{place}"): Pair(question=question, passage=f"{question}/{place}")
        for question, each in by_place.items()
        for place, grade in enumerate(each)
        if grade is not None
    }
    grading = Grading(
        **{
            "judges": settings.judge,
            "grades": {
                question: {
                    f"{question}/{place}": grade
                    for place, grade in enumerate(each)
                    if grade is not None
                }
                for question, each in by_place.items()
            },
            "pairs": pairs,
            "unfinished": frozenset(),
            "ungraded": 0,
            "failures": {},
            "cost": 0.25,
        }
        | fields
    )
    by_document = {document: pair.key for (_, document), pair in pairs.items()}
    user = {by_document[document]: grade for document, grade in dict(of_user).items()}
    found = analyse(judged_collection(data, grading), scores, settings)
    return with_judges(found, grading, user)


GOOD = {f"q{number}": (1, 3) for number in range(30)}


def test_gains():
    """A passage that has only the topic of the question gains nothing."""
    assert [gain(grade) for grade in range(4)] == [0, 0, 1, 2]


def test_the_sentence_of_an_unchecked_judge():
    """The kind is that of the numbers, and the sentence says whose they are."""
    found = evaluated(GOOD)

    assert found.verdict.kind == "yes"
    assert found.verdict.sentence.startswith(
        "According to other/judge, unchecked: Worth it: maker/model over 2 candidates lifts "
    )
    assert found.notes[0] == (
        "other/judge graded 60 documents of 30 questions ($0.25): all that a plan shows among its "
        "first 10 and that have no judgement."
    )
    assert found.cost == 0.25


def test_the_sentence_of_two_checked_judges():
    """The agreement is about relevance: the grades 2 and 3 are the same."""
    found = evaluated(
        GOOD,
        of_user={"q0/0": 0, "q0/1": 2, "q1/0": 2, "q1/1": 3},
        settings=replace(SETTINGS, judge=("other/judge", "third/judge")),
    )

    assert found.verdict.kind == "yes"
    assert found.verdict.sentence.startswith(
        "According to other/judge and third/judge, which agreed with you on 3 of 4: Worth it: "
    )
    assert (
        "You graded 4 documents, and other/judge and third/judge agreed with you on 3 whether they "
        "are relevant (Cohen's kappa 0.50). Of what they call relevant, 100 % (95 % interval 34 % "
        "to 100 %) is. They miss 33 % (95 % interval 6 % to 79 %) of what is relevant."
    ) in found.notes


def test_what_judges_did_is_kept_as_fields():
    """The result has the judges, what they graded and cost, and the agreement with the user."""
    unchecked, checked = evaluated(GOOD), evaluated(GOOD, of_user={"q0/0": 0, "q0/1": 2})
    everything = {each: {f"{each}/0": 0, f"{each}/1": 1} for each in GOOD}
    nothing = evaluated(dict.fromkeys(GOOD, (None, None)), judgements=everything)

    assert unchecked.judging == Judging(
        judges=("other/judge",), documents=60, questions=30, cost=0.25, agreement=None
    )
    assert (checked.judging.agreement.checked, checked.judging.agreement.agreed) == (2, 2)
    assert nothing.judging.documents == 0


@pytest.mark.parametrize(("relevant", "kind"), [(4, "unsure"), (5, "yes"), (6, "yes")])
def test_a_precision_below_one_half_decides_nothing(relevant, kind):
    """With 4 of 10 confirmed the verdict is not sure; with 5 of 10 it is that of the numbers."""
    found = evaluated(GOOD, of_user={f"q{at}/1": 3 * (at < relevant) for at in range(10)})

    assert found.verdict.kind == kind
    assert ("of what it calls relevant, only 40 %" in found.verdict.sentence) == (relevant == 4)


@pytest.mark.parametrize(
    ("judges", "advice"),
    [
        (("other/judge",), "Use a stronger judge, or a second one that confirms it."),
        (("other/judge", "third/judge"), "Use stronger judges."),
    ],
)
def test_a_second_judge_is_no_advice_if_there_is_one(judges, advice):
    """A poor judge may be confirmed by another one, but two are all that there can be."""
    found = evaluated(
        GOOD,
        of_user={f"q{at}/1": 0 for at in range(10)},
        settings=replace(SETTINGS, judge=judges),
    )

    assert found.verdict.sentence.endswith(f"is relevant to you. {advice}")


def test_judgements_of_people_stay():
    """A judgement of the collection is not replaced by a grade."""
    found = evaluated(GOOD, judgements={"q0": {"q0/1": 0, "q0/0": 3}})

    assert found.collection.judgements["q0"] == {"q0/0": 3, "q0/1": 0}
    assert found.collection.judgements["q1"] == {"q1/0": 0, "q1/1": 2}


def test_nothing_to_judge():
    """If people have judged all that is shown, the sentence is that of their judgements."""
    judgements = {each: {f"{each}/0": 0, f"{each}/1": 1} for each in GOOD}
    found = evaluated(dict.fromkeys(GOOD, (None, None)), judgements=judgements)

    assert found.verdict.sentence.startswith("Worth it: ")
    assert found.notes[0] == (
        "other/judge graded nothing: all that a plan shows first has a judgement."
    )


def test_questions_without_a_relevant_document_are_listed():
    """They do not count, unless a person has found a relevant document."""
    nothing = {f"n{number}": (1, 0) for number in range(3)}
    found = evaluated({**GOOD, **nothing}, judgements={"n1": {"n1/0": 1}})

    assert len(found.questions) == 31
    assert (
        "other/judge found no relevant document for 2 questions, which do not count: n0, n2."
    ) in found.notes


def test_a_long_list_is_cut():
    """The first 50 questions are listed, and the number of the others."""
    found = evaluated({**GOOD, **{f"n{number}": (0, 0) for number in range(120)}})

    [note] = [each for each in found.notes if "n0, n1" in each]
    assert "for 120 questions" in note
    assert note.endswith("n48, n49, and 70 more.")


def test_questions_that_are_not_judged_make_it_incomplete():
    """They do not count, even with a judgement of a person, and are listed."""
    judged = {each: {f"{each}/0": 1, f"{each}/1": 3} for each in GOOD}
    found = evaluated(
        {**GOOD, "x": (None, None)},
        judgements={"x": {"x/1": 1}},
        grades=judged,
        unfinished=frozenset({"x"}),
        failures={"other/judge": (2, "too long (HTTP 400).")},
        ungraded=1,
        cost=None,
    )

    assert not found.is_complete
    assert "x" not in found.questions
    assert found.cost is None
    for note in (
        "1 question could not be judged completely and do not count: x.",
        "The replies about 1 document had no grade. They count as not relevant.",
        "other/judge failed for 2 documents: too long (HTTP 400).",
    ):
        assert note in found.notes
    assert "(an unknown price)" in found.notes[0]


def test_without_a_judged_question_the_verdict_is_not_sure():
    """The sentence says what to do."""
    found = evaluated(GOOD, grades={}, pairs={}, unfinished=frozenset(GOOD))

    assert found.verdict.kind == "unsure"
    assert found.verdict.sentence == (
        "According to other/judge, unchecked: Not sure: no question is judged. Run the command "
        "again."
    )


@pytest.mark.parametrize(
    ("judge", "models"),
    [
        ("cohere/command-a", ["cohere/rerank-4-pro", "cohere/rerank-4-fast"]),
        ("Cohere/command-a:free", ["cohere/rerank-4-pro", "cohere/rerank-4-fast"]),
        ("~voyage/x", ["voyage/rerank"]),
        ("openai/gpt", []),
    ],
)
def test_judges_of_a_models_maker(judge, models):
    """The part of a slug before the slash is the maker."""
    settings = Settings(
        models=["cohere/rerank-4-pro", "voyage/rerank", "cohere/rerank-4-fast"], judge=judge
    )

    assert family_warnings(settings) == [
        f"{judge} judges {', '.join(models)} of the same maker: judges may favour models like "
        "themselves. Choose a judge of another maker."
        for _ in models[:1]
    ]


def test_other_numbers_are_those_of_the_grades():
    """Everything but what is said of the judge and the cost is that of `analyse`."""
    found = evaluated(GOOD)
    scores = Scores(
        depths=(2,),
        calls=tuple(call(MODEL, question, (0.1, 0.9)) for question in GOOD),
        failures={},
        listwise=frozenset(),
    )
    same = analyse(found.collection, scores, SETTINGS)

    assert found == replace(
        same, verdict=found.verdict, notes=found.notes, cost=found.cost, judging=found.judging
    )
