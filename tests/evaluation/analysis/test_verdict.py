"""The sentence of the verdict, for constructed collections and scores."""

import dataclasses

import pytest

pytest.importorskip("ir_measures", reason="the extra `evaluate` is not installed")
from openrouter_rerank.evaluation.analysis.analysis import analyse
from openrouter_rerank.evaluation.analysis.verdict import Facts, phrase, verdict
from openrouter_rerank.evaluation.result import Plan, Step
from openrouter_rerank.evaluation.settings import Settings

from tests.evaluation.constructed import call, collection, scores_of

# Grades of ten candidates: the relevant one is at the place of the name, or there is none.
FIRST, SECOND, THIRD = ([int(place == at) for place in range(10)] for at in (0, 1, 2))
NONE = [0] * 10
# Scores of ten candidates: the best is at the place of the name.
TO_FIRST, TO_SECOND, TO_THIRD = ([-abs(place - at) for place in range(10)] for at in (0, 1, 2))
# The order of these scores puts the first candidate last.
FIRST_DOWN = [-9, *[0] * 9]
A, B = "a/small", "b/large"


def evaluated(questions, *, extra=None, settings=None, is_found=True):
    """
    Return the evaluation of questions.

    Args:
        questions: Triples of a number, the grades of the candidates, and the scores by model.
        extra: Fields of the calls of a model, by model. With `seconds`, there are probes.
        settings: Other settings.
        is_found: `False` if questions without a relevant candidate have a relevant document.
    """
    grades, calls = {}, []
    for number, of_candidates, of_models in questions:
        for _ in range(number):
            question = f"q{len(grades)}"
            grades[question] = of_candidates
            for model, scores in of_models.items():
                fields = (extra or {}).get(model, {})
                kinds = ("score", "probe") if "seconds" in fields else ("score",)
                calls += [call(model, question, scores, kind=kind, **fields) for kind in kinds]
    judged = collection(grades)
    if not is_found:
        judged = dataclasses.replace(
            judged,
            judgements={
                question: {**judged.judgements[question], "elsewhere": int(not any(each))}
                for question, each in grades.items()
            },
        )
    models = tuple({call.model: None for call in calls}) or (A,)
    depths = (len(questions[0][1]),)
    return analyse(
        judged,
        scores_of(calls, depths=depths),
        Settings(models=models, depths=depths, **settings or {}),
    )


EACH_BETTER = [(30, SECOND, {A: TO_SECOND})]
BOTH = [(30, SECOND, {A: TO_SECOND, B: TO_SECOND})]

CASES = {
    "yes": (
        EACH_BETTER,
        {},
        "yes",
        "Worth it: a/small over 10 candidates lifts nDCG@10 from 0.631 to 1.000.",
    ),
    "yes, with a time": (
        EACH_BETTER,
        {"extra": {A: {"seconds": 0.128}}},
        "yes",
        (
            "Worth it: a/small over 10 candidates lifts nDCG@10 from 0.631 to 1.000 and takes 0.13"
            " s a question."
        ),
    ),
    "yes, with a price and a time": (
        EACH_BETTER,
        {"extra": {A: {"seconds": 1.26, "cost": 0.00423}}},
        "yes",
        (
            "Worth it: a/small over 10 candidates lifts nDCG@10 from 0.631 to 1.000 for $4.23 per"
            " 1,000 questions and 1.3 s a question."
        ),
    ),
    "yes, with a price": (
        EACH_BETTER,
        {"extra": {A: {"cost": 0.0000216}}},
        "yes",
        (
            "Worth it: a/small over 10 candidates lifts nDCG@10 from 0.631 to 1.000 for $0.022 per"
            " 1,000 questions."
        ),
    ),
    "yes, without a known price": (
        EACH_BETTER,
        {"extra": {A: {"seconds": 0.002, "cost": None}}},
        "yes",
        (
            "Worth it: a/small over 10 candidates lifts nDCG@10 from 0.631 to 1.000 and takes"
            " 0.0020 s a question; its price is unknown."
        ),
    ),
    "yes, and another plan is cheaper": (
        [
            (27, SECOND, {A: TO_SECOND, B: TO_SECOND}),
            (3, SECOND, {A: TO_FIRST, B: TO_SECOND}),
        ],
        {"extra": {A: {"cost": 0.0004}, B: {"cost": 0.001}}, "settings": {"keep": 0.95}},
        "yes",
        (
            "Worth it: b/large over 10 candidates lifts nDCG@10 from 0.631 to 1.000 for $1.00 per"
            " 1,000 questions. a/small over 10 candidates brings 90 % of this gain for $0.40."
        ),
    ),
    "yes, and another plan is free": (
        [
            (24, SECOND, {A: TO_SECOND, B: TO_SECOND}),
            (6, SECOND, {A: TO_FIRST, B: TO_SECOND}),
        ],
        {"extra": {B: {"cost": 0.001}}},
        "yes",
        (
            "Worth it: b/large over 10 candidates lifts nDCG@10 from 0.631 to 1.000 for $1.00 per"
            " 1,000 questions. a/small over 10 candidates brings 80 % of this gain for free."
        ),
    ),
    "yes, but the retriever misses documents": (
        [*EACH_BETTER, (10, NONE, {A: TO_FIRST})],
        {"is_found": False},
        "yes",
        (
            "Worth it: a/small over 10 candidates lifts nDCG@10 from 0.473 to 0.750. For 25 % of"
            " the questions, no relevant document is among the 10 candidates: improve the retriever"
            " first."
        ),
    ),
    "no, nothing changes": (
        [(30, SECOND, {A: TO_FIRST})],
        {},
        "no",
        "Not worth it: no reranking lifts nDCG@10 above the 0.631 of the first stage.",
    ),
    "no, everything is worse": (
        [(30, FIRST, {A: FIRST_DOWN, B: TO_SECOND})],
        {},
        "no",
        (
            "Not worth it: no reranking lifts nDCG@10 above the 1.000 of the first stage. There is"
            " little to gain: a perfect order of the 10 candidates reaches 1.000."
        ),
    ),
    "no, and the retriever misses documents": (
        [(15, SECOND, {A: TO_FIRST}), (15, NONE, {A: TO_FIRST})],
        {"is_found": False},
        "no",
        (
            "Not worth it: no reranking lifts nDCG@10 above the 0.315 of the first stage. For 50 %"
            " of the questions, no relevant document is among the 10 candidates: improve the"
            " retriever first."
        ),
    ),
    "no, real but small": (
        [(8, SECOND, {A: TO_SECOND}), (192, FIRST, {A: TO_FIRST})],
        {},
        "no",
        (
            "Not worth it: a/small over 10 candidates lifts nDCG@10 from 0.985 to 1.000. The gain"
            " is real but small: less than 0.02. There is little to gain: a perfect order of the 10"
            " candidates reaches 1.000."
        ),
    ),
    "no, even if it is no chance": (
        [(9, SECOND, {A: TO_SECOND}), (6, FIRST, {A: TO_SECOND}), (285, FIRST, {A: TO_FIRST})],
        {"settings": {"worth": 0.05}},
        "no",
        (
            "Not worth it: a/small over 10 candidates lifts nDCG@10 from 0.989 to 0.993. This may"
            " be chance, and no plan gains as much as 0.05: the 95 % intervals of all plans end"
            " below it. There is little to gain: a perfect order of the 10 candidates reaches"
            " 1.000."
        ),
    ),
    "unsure, maybe chance": (
        [
            (12, SECOND, {A: TO_SECOND}),
            (8, FIRST, {A: TO_SECOND}),
            (20, THIRD, {A: TO_FIRST}),
        ],
        {},
        "unsure",
        (
            "Not sure: a/small over 10 candidates lifts nDCG@10 from 0.639 to 0.676, but with 40"
            " questions this may be chance. About 359 questions are needed to know."
        ),
    ),
    "unsure, far too few questions": (
        [(101, SECOND, {A: TO_SECOND}), (100, FIRST, {A: TO_SECOND})],
        {},
        "unsure",
        (
            "Not sure: a/small over 10 candidates lifts nDCG@10 from 0.815 to 0.816, but with 201"
            " questions this may be chance. More than 10,000 questions are needed to know."
        ),
    ),
    "unsure, very few questions": (
        [(5, SECOND, {A: TO_SECOND})],
        {},
        "unsure",
        (
            "Not sure: a/small over 10 candidates lifts nDCG@10 from 0.631 to 1.000, but with 5"
            " questions this may be chance. More questions are needed to know."
        ),
    ),
    "unsure, one question": (
        [(1, SECOND, {A: TO_SECOND})],
        {},
        "unsure",
        "Not sure: only 1 question has judgements and scores. Add questions.",
    ),
    "unsure, nothing judged": (
        [(3, [None] * 10, {A: TO_SECOND})],
        {},
        "unsure",
        (
            "Not sure: no question has a document that is judged as relevant. Add judgements, or"
            " let a model judge with --judge."
        ),
    ),
    "unsure, no scores": (
        [(3, SECOND, {})],
        {},
        "unsure",
        "Not sure: no judged question has scores. Run the command again.",
    ),
    "unsure, documents without a judgement": (
        [(30, [1, *[0] * 9, *[None] * 10], {A: [*range(10)] * 2})],
        {},
        "unsure",
        (
            "Not sure: a/small over 20 candidates puts more documents first that have no judgement,"
            " and these count as not relevant. Of its first 10 documents 50 % are judged, of the"
            " first stage's 100 %. Let a model judge the others with --judge."
        ),
    ),
}


def result_of(case):
    """Return the evaluation of a row of the table."""
    questions, more, *_ = CASES[case]
    return evaluated(questions, **more)


@pytest.mark.parametrize("case", CASES)
def test_the_verdict(case):
    """The kind of the verdict and its exact sentence."""
    found = result_of(case).verdict

    assert (found.kind, found.sentence) == CASES[case][2:]


def test_the_small_print():
    """The small print has the interval, the probability, the number of plans and the gain."""
    one, two = result_of("yes").verdict, evaluated(BOTH).verdict

    assert one.small_print == (
        "95 % interval +0.369 to +0.369, p 0.0001; chosen on one half, measured on the other:"
        " +0.369."
    )
    assert two.small_print == (
        "95 % interval +0.369 to +0.369, p 0.0001, for all 2 plans together; chosen on one half,"
        " measured on the other: +0.369."
    )
    assert result_of("unsure, one question").verdict.small_print == ""


def test_further_sentences_are_notes():
    """Only one sentence follows the verdict; others are notes."""
    found = evaluated([(15, FIRST, {A: TO_FIRST}), (15, NONE, {A: TO_FIRST})], is_found=False)

    assert found.verdict.sentence.endswith("improve the retriever first.")
    assert found.notes[-1] == (
        "There is little to gain: a perfect order of the 10 candidates reaches 0.500."
    )


@pytest.fixture
def facts():
    """The facts of a real gain, to change one."""
    found = evaluated(EACH_BETTER)
    names = {field.name for field in dataclasses.fields(Facts)}
    known = {name: getattr(found, name) for name in names if hasattr(found, name)}
    return Facts(
        **known
        | {
            "metric": "nDCG@10",
            "worth": 0.02,
            "has_judgements": True,
            "judges_irrelevant": True,
            "questions": 30,
            "depth": 10,
        }
    )


@pytest.mark.parametrize(
    ("needed", "last"),
    [(40, "About 40 questions are needed to know."), (20, "More questions are needed to know.")],
)
def test_a_gain_that_does_not_hold_on_other_questions(facts, needed, last):
    """A real gain that is missing in more than 5 % of the halves is not sure."""
    held = dataclasses.replace(facts.held_out, share_positive=0.94)

    found, _ = verdict(dataclasses.replace(facts, held_out=held, questions_needed=needed))

    assert (found.kind, found.sentence) == (
        "unsure",
        (
            "Not sure: a/small over 10 candidates lifts nDCG@10 from 0.631 to 1.000, but a plan"
            " chosen on half of the questions improves the other half in only 94 % of the trials."
            f" {last}"
        ),
    )


def test_the_bounds_of_a_yes(facts):
    """A gain that is just worth it, and holds in just enough halves, is a yes."""
    held = dataclasses.replace(facts.held_out, share_positive=0.95)
    worth = facts.recommended.change

    assert verdict(dataclasses.replace(facts, held_out=held, worth=worth))[0].kind == "yes"
    assert verdict(dataclasses.replace(facts, worth=worth + 1e-9))[0].kind == "no"


def test_a_real_gain_needs_no_judgements(facts):
    """A real gain is a yes, even if fewer of its documents are judged."""
    fewer = dataclasses.replace(
        facts.recommended, measures={**facts.recommended.measures, "Judged@10": 0.1}
    )

    assert verdict(dataclasses.replace(facts, recommended=fewer))[0].kind == "yes"


def test_judgements_of_relevant_documents_alone_raise_no_alarm(facts):
    """If only relevant documents are judged, fewer judged documents are not a reason for doubt."""
    fewer = dataclasses.replace(
        facts.best,
        change=-0.1,
        p=0.5,
        measures={**facts.best.measures, "Judged@10": 0.1},
    )
    worse = dataclasses.replace(facts, recommended=None, best=fewer)

    assert verdict(worse)[0].kind == "unsure"
    assert verdict(dataclasses.replace(worse, judges_irrelevant=False))[0].kind == "no"


def test_the_words_for_two_steps():
    """A plan of two steps says which model orders what."""
    steps = (Step(model=A, depth=1_000), Step(model=B, depth=10))

    assert phrase(Plan(steps=steps)) == (
        "a/small over 1,000 candidates, then b/large over the best 10,"
    )


def test_the_recommended_plan_is_worth_it_if_any_plan_is():
    """A cheaper plan with 90 % of the gain is not recommended if its gain is too small."""
    grades = {f"q{number}": [0, 1, 1] for number in range(100)}
    good = {model: {f"q{each}" for each in range(count)} for model, count in ((A, 37), (B, 40))}
    calls = [
        call(model, question, [0, 1, 2] if question in good[model] else [2, 1, 0], cost=price)
        for question in grades
        for model, price in ((A, 0.001), (B, 0.002))
    ]
    arguments = (collection(grades), scores_of(calls, depths=(3,)))
    options = {"models": (A, B), "depths": (3,)}

    first = analyse(*arguments, Settings(**options, worth=0.0))
    small, large = (each.change for each in first.plans)
    found = analyse(*arguments, Settings(**options, worth=(small + large) / 2))

    assert small >= 0.9 * large
    assert first.recommended.plan.name == "a/small @3"
    assert found.recommended.plan.name == "b/large @3"
    assert found.verdict.kind == "yes"


@pytest.mark.parametrize(("budget", "shown"), [(0.0, "$0"), (0.0025, "$0.0025"), (1.0, "$1.00")])
def test_a_budget_that_answers_nothing_is_named(budget, shown):
    """If no question has scores because the budget is spent, the verdict says what to do."""
    found = analyse(
        collection({"q": [0, 1]}),
        scores_of([], budget_is_spent=True),
        Settings(models=(A,), depths=(2,), budget=budget),
    )

    assert found.verdict.sentence == (
        f"Not sure: no question has scores. The budget of {shown} is spent: raise --budget."
    )
