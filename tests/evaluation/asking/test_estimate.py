"""What the rest of an evaluation will cost, as one line."""

import pytest
from openrouter_rerank import Budget
from openrouter_rerank.evaluation.asking.estimate import estimate
from openrouter_rerank.evaluation.asking.schedule import Job


def jobs(model, questions, depth=100, kind="score"):
    """Return one call for each question."""
    return [
        Job(model=model, question=f"q{each}", depth=depth, kind=kind) for each in range(questions)
    ]


def line(left, costs, *, budget=None, spent=0.0, questions=300, part=1.0, **options):
    """Return the line for the calls that are left, in their order."""
    limit = None if budget is None else Budget(budget)
    if limit is not None:
        limit.charge(spent)
    parts = dict.fromkeys(left, part)
    return estimate(parts, costs, depth=100, questions=questions, budget=limit, **options).line


@pytest.mark.parametrize(
    ("left", "costs", "options", "expected"),
    [
        (jobs("m", 1), {"m": 0.001}, {}, "1 request, about $0.001"),
        (jobs("m", 1_200), {"m": 0.002}, {}, "1,200 requests, about $2.40"),
        (jobs("m", 3), {"m": 0.0}, {"budget": 1}, "3 requests, free"),
        (jobs("m", 3), {"m": None}, {}, "3 requests, price unknown"),
        (
            jobs("a/lite", 100) + jobs("a/fast", 100),
            {"a/lite": 0.002, "a/fast": 0.01},
            {},
            "200 requests, about $1.20 (lite $0.20, fast $1.00)",
        ),
        (
            jobs("a/lite", 100) + jobs("a/fast", 100),
            {"a/lite": 0.002, "a/fast": None},
            {},
            "200 requests, at least $0.20 (lite $0.20, fast unknown)",
        ),
        (
            jobs("a/lite", 100) + jobs("a/fast", 100),
            {"a/lite": 0.0, "a/fast": None},
            {},
            "200 requests, price unknown (lite $0.00, fast unknown)",
        ),
        # A probe of 10 candidates costs a tenth.
        (jobs("m", 100, depth=10, kind="probe"), {"m": 0.02}, {}, "100 requests, about $0.20"),
        # A search unit is a query with up to 100 documents.
        (
            jobs("cohere/rerank-v3.5", 100, depth=10, kind="probe"),
            {"cohere/rerank-v3.5": 0.002},
            {},
            "100 requests, about $0.20",
        ),
        (
            jobs("m", 100),
            {"m": 0.01},
            {"budget": 2, "spent": 1.0, "questions": 105},
            "100 requests, about $1.00; budget $2.00 will answer 105 of 105 questions",
        ),
        (
            jobs("m", 100),
            {"m": 0.01},
            {"budget": 2, "spent": 1.5, "questions": 105},
            "100 requests, about $1.00; budget $2.00 will answer 55 of 105 questions",
        ),
        # Probes come before most of the questions: they take half of the money.
        (
            jobs("m", 25, kind="probe") + jobs("m", 100),
            {"m": 0.01},
            {"budget": 0.5, "questions": 105},
            "125 requests, about $1.25; budget $0.50 will answer 30 of 105 questions",
        ),
        (
            jobs("m", 100, kind="probe") + jobs("m", 100),
            {"m": 0.01},
            {"budget": 0.5, "questions": 105},
            "200 requests, about $2.00; budget $0.50 will answer 5 of 105 questions",
        ),
        # The scores of the questions that are probed come before the probes.
        (
            jobs("m", 15) + jobs("m", 100, kind="probe"),
            {"m": 0.01},
            {"budget": 0.18, "questions": 20},
            "115 requests, about $1.15; budget $0.18 will answer 20 of 20 questions",
        ),
        # A question needs the calls of all models.
        (
            [job for pair in zip(jobs("a/b", 9), jobs("a/c", 9), strict=True) for job in pair],
            {"a/b": 0.01, "a/c": 0.01},
            {"budget": 0.05, "questions": 9},
            (
                "18 requests, about $0.18 (b $0.09, c $0.09); budget $0.05 will answer 2 of 9 "
                "questions"
            ),
        ),
        # The scores of half of the documents are kept.
        (jobs("m", 100), {"m": 0.01}, {"part": 0.5}, "100 requests, about $0.50"),
        (
            jobs("m", 9),
            {"m": 0.01},
            {"budget": 1, "questions": 9, "judge_follows": True, "reason": "more is needed"},
            (
                "more is needed: 9 requests, about $0.09; budget $1.00 will answer at most 9 of 9 "
                "questions: the judge needs a part of it"
            ),
        ),
        (
            jobs("m", 100),
            {"m": None},
            {"budget": 1},
            "100 requests, price unknown",
        ),
    ],
)
def test_the_line(left, costs, options, expected):
    """The line has the number of calls, the price of each model, and what the budget is for."""
    assert line(left, costs, **options) == expected
