"""Runs of TREC whose scores are distances are refused, and no other runs."""

import random
from pathlib import Path

import pytest
from openrouter_rerank.evaluation.collection.collection import CollectionError
from openrouter_rerank.evaluation.collection.trec import read_run

QUESTIONS = 6
DEPTH = 10


def run_of(folder, score, rank=lambda question, at: at + 1):
    """Write a run, given functions of a question and a place, and return its path."""
    lines = [
        f"q{question:02} Q0 d{at} {rank(question, at)} {score(question, at)} own\n"
        for question in range(QUESTIONS)
        for at in range(DEPTH)
    ]
    (folder / "own.trec").write_text("".join(lines))
    return folder / "own.trec"


def best(path):
    """Return the best candidate of each question."""
    return {ids[0] for ids in read_run(path).values()}


@pytest.mark.parametrize(
    "score",
    [
        lambda _, at: 0.1 * at,
        lambda _, at: at - 50,
        lambda _, at: at // 2,
        lambda question, at: 0 if question else at,
        lambda question, at: -1 if (question, at) == (3, 5) else at,
    ],
    ids=["distances", "negated", "ties", "one question", "one fault"],
)
def test_scores_in_the_reverse_order_of_the_ranks_are_refused(tmp_path, monkeypatch, score):
    """The order that the user sees in the ranks would be reversed silently."""
    monkeypatch.chdir(tmp_path)
    run_of(tmp_path, score)
    with pytest.raises(CollectionError) as raised:
        read_run(Path("own.trec"))

    assert str(raised.value) == (
        "own.trec: the ranks and the scores contradict each other (question 'q00'): higher scores "
        "must be better. Negate distances. If the scores are right, write 0 as each rank"
    )


@pytest.mark.parametrize(
    "rank",
    [
        lambda _, at: at,
        lambda *_: 0,
        lambda *_: 1,
        lambda *_: "-",
        lambda *_: "nan",
        lambda question, at: DEPTH - at if question == 0 else at,
        lambda _, at: at + 3 * (at % 2),
        lambda question, at: random.Random(100 * question + at).random(),
    ],
    ids=["from 0", "all 0", "all 1", "missing", "nan", "one question", "swapped", "random"],
)
def test_other_ranks_do_not_count(tmp_path, rank):
    """As for the programs of TREC, the scores decide."""
    assert best(run_of(tmp_path, lambda _, at: -at, rank)) == {"d0"}


def test_equal_scores_contradict_no_rank(tmp_path):
    """Without different scores, the order is that of the file."""
    assert best(run_of(tmp_path, lambda *_: 1, lambda _, at: DEPTH - at)) == {"d0"}
