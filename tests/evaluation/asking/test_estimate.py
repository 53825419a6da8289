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


def line(left, costs, *, budget=None, spent=0.0, questions=300):
    """Return the line for the calls that are left."""
    limit = None if budget is None else Budget(budget)
    if limit is not None:
        limit.charge(spent)
    return estimate(left, costs, depth=100, questions=questions, budget=limit).line


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
        # Probes come first: they take half of the money.
        (
            jobs("m", 100) + jobs("m", 25, kind="probe"),
            {"m": 0.01},
            {"budget": 0.5, "questions": 105},
            "125 requests, about $1.25; budget $0.50 will answer 30 of 105 questions",
        ),
        (
            jobs("m", 100) + jobs("m", 100, kind="probe"),
            {"m": 0.01},
            {"budget": 0.5, "questions": 105},
            "200 requests, about $2.00; budget $0.50 will answer 5 of 105 questions",
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
