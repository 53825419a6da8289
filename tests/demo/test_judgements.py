from dataclasses import replace

import ir_measures
import pytest
from openrouter_rerank.demo.comparison import compare
from openrouter_rerank.demo.judgements import JudgedQuestion, judgements
from openrouter_rerank.demo.measures import ndcg, place
from openrouter_rerank.demo.pipeline import Hit, Outcome
from openrouter_rerank.demo.run import EXAMPLE

GRADES = {"a": 2, "b": 1, "c": 2, "d": 1}


@pytest.fixture(scope="module")
def known(passages):
    """Return the judgements of this Python."""
    return judgements(passages)


def test_most_judged_passages_are_in_this_python(known):
    """Nearly all judged passages are found in the documentation of each supported Python."""
    assert len(known.questions) + known.left_out == 45
    assert known.passages == 188
    assert known.missing <= 40
    assert known.left_out <= 3
    assert EXAMPLE in [judged.question for judged in known.questions]


def test_every_question_has_a_right_passage(known, passages):
    """A question is asked only if a passage that answers it is searched."""
    ids = {passage.id for passage in passages}

    assert all(2 in judged.grades.values() for judged in known.questions)
    assert all(judged.grades.keys() <= ids for judged in known.questions)
    assert sum(len(judged.grades) for judged in known.questions) <= known.passages - known.missing


def test_a_missing_passage_is_skipped_and_counted(known, passages):
    """Without its right passages a question is left out, and missing passages are counted."""
    (example,) = [judged for judged in known.questions if judged.question == EXAMPLE]
    rest = [passage for passage in passages if example.grades.get(passage.id) != 2]

    found = judgements(rest)

    assert found.missing == known.missing + len(passages) - len(rest)
    assert found.left_out == known.left_out + 1
    assert EXAMPLE not in [judged.question for judged in found.questions]


def test_passages_are_found_by_title_and_first_characters(known, passages):
    """Another id, other white space and another end of a passage change no judgement."""
    changed = [
        replace(each, id=f"new {each.id}", body=f"\n {each.body.replace(' ', '  ')} the end")
        for each in passages
    ]

    assert [
        {f"new {each}": grade for each, grade in judged.grades.items()}
        for judged in known.questions
    ] == [judged.grades for judged in judgements(changed).questions]


@pytest.mark.parametrize("order", ["abcd", "dcba", "xxxbxa", "xxxxxxxxxxa", "xxxxxxxxxc", "", "bd"])
def test_ndcg_is_that_of_ir_measures(order):
    """The own formula gives the values of ir-measures."""
    run = {f"{each}{rank if each == 'x' else ''}": -rank for rank, each in enumerate(order)}
    measure = ir_measures.nDCG @ 10

    expected = ir_measures.calc_aggregate([measure], {"q": GRADES}, {"q": run})[measure]

    assert ndcg(order, GRADES) == pytest.approx(expected if run else 0)


@pytest.mark.parametrize(("order", "rank"), [("ab", 1), ("bdc", 3), ("bd", None), ("", None)])
def test_the_place_is_that_of_the_first_passage_that_answers(order, rank):
    """A passage that only helps does not count."""
    assert place(order, GRADES) == rank


def compared(*orders):
    """Compare pairs of orders of passages, such as `"xa ax"`."""
    outcomes = {}
    for number, pair in enumerate(orders):
        before, after = (tuple(Hit(each, None) for each in order) for order in pair.split())
        outcomes[str(number)] = Outcome(retrieved=before, reranked=after)
    return compare([JudgedQuestion(question=each, grades=GRADES) for each in outcomes], outcomes)


def test_every_question_has_one_verdict():
    """A question is better, worse, unchanged or not found, by the place of the first right one."""
    found = compared("xa ax", "ax xa", "xbc xbc", "xb bx", "xxxc xxcx")

    assert [change.verdict for change in found.changes] == [
        "better",
        "worse",
        "unchanged",
        "not found",
        "better",
    ]
    assert [change.question for change in found.of("better")] == ["0", "4"]


def test_the_numbers_count_all_questions():
    """The counts and the mean include the questions whose right passages are not found."""
    found = compared("xa ax", "ax xa", "xb bx", "xxxc xcxx")

    assert found.among(1) == (1, 1)
    assert found.among(3) == (2, 3)
    before, after = found.ndcg
    assert 0 < before < after < 1
