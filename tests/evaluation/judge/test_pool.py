"""Which documents a judge grades."""

import random

import pytest

pytest.importorskip("ir_measures", reason="the extra `evaluate` is not installed")
from openrouter_rerank.evaluation.analysis.analysis import analyse
from openrouter_rerank.evaluation.judge.pool import pool
from openrouter_rerank.evaluation.settings import Settings

from tests.evaluation.constructed import call, collection, scores_of

A = "a/small"


@pytest.mark.parametrize("asked", range(4))
def test_each_document_that_a_plan_shows_first_is_graded(asked):
    """Also if only some questions were asked at a smaller depth, or count in the end."""
    seeded = random.Random(asked)
    grades = {f"q{number}": [None] * 30 for number in range(3)}
    calls = [call(A, each, [seeded.random() for _ in range(30)]) for each in grades]
    calls += [call(A, each, [seeded.random() for _ in range(15)]) for each in [*grades][:asked]]
    scores = scores_of(calls, depths=(15, 30), listwise=frozenset({A}))
    settings = Settings(models=(A,), depths=(15, 30), judge=("maker/judge",))

    found = pool(collection(grades), scores, settings)

    assert {*found} == {*grades}
    for counted in range(1, 4):
        judged = {each: {documents[0]: 1} for each, documents in [*found.items()][:counted]}
        evaluated = analyse(collection(grades, judgements=judged), scores, settings)
        assert len(evaluated.questions) == counted
        for each in (evaluated.first_stage, *evaluated.plans):
            for question, order in each.orders.items():
                assert {*order[:10]} <= {*found[question]}
