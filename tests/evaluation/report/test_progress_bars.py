"""What is said of prices while an evaluation runs."""

import pytest

pytest.importorskip("rich", reason="the extra `evaluate` is not installed")
from openrouter_rerank.evaluation.asking.asking import Progress
from openrouter_rerank.evaluation.asking.estimate import Estimate
from openrouter_rerank.evaluation.report.progress_bars import ProgressBars

ESTIMATE = Estimate(requests=9, costs={"a/b": 0.5}, questions=3, answerable=3, budget=1.0)
LINE = "9 requests, about $0.50; budget $1.00 will answer 3 of 3 questions"


def progress(model, **fields):
    """Return the progress of a model."""
    return Progress(**{"model": model, "done": 1, "total": 10, "failed": 0, "cost": 0.1} | fields)


@pytest.mark.parametrize(
    ("judges", "model", "line"),
    [
        ((), "a/b", LINE),
        (("maker/judge",), "a/b", f"rerank models, without the judge: {LINE}"),
        (("maker/judge",), "maker/judge", f"judge: {LINE}"),
    ],
)
def test_a_price_says_whose_it_is(capsys, judges, model, line):
    """In a pipe, there is one line for each estimate; with a judge, it says which of the two."""
    with ProgressBars(judges) as bars:
        bars(progress(model, estimate=ESTIMATE))
        bars(progress(model, done=2))

    assert capsys.readouterr().err == f"{line}\n"
