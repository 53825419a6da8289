"""The score above which documents are worth keeping."""

import numpy as np
import pytest
from openrouter_rerank.evaluation.analysis.threshold import threshold


def found(scores, is_relevant, **fields):
    """Return the threshold for rows of scores, where `None` stands for a missing score."""
    table = np.array(
        [[-np.inf if score is None else score for score in row] for row in scores], dtype=float
    )
    return threshold("a/x", table.shape[1], table, np.array(is_relevant, dtype=bool), seed=0)


def test_95_percent_of_the_relevant_candidates_are_kept():
    """The threshold is the largest score that keeps 95 % of the relevant candidates."""
    scores = [[place / 100, 0.001] for place in range(1, 101)]

    result = found(scores, [[True, False]] * 100)

    assert result.score == 0.05
    kept = sum(row[0] >= result.score for row in scores)
    assert kept == 96
    assert result.score == np.quantile(result.relevant_scores, 0.05, method="lower")
    assert result.removed == 1.0
    assert result.mean_left == pytest.approx(0.96)
    assert result.empty_questions == 4
    assert result.separates
    assert result.reason is None
    assert result.low <= result.score <= result.high
    assert result.recall == pytest.approx(0.95, abs=0.03)
    assert result.recall_low <= result.recall


def test_the_interval_is_about_questions():
    """If the documents of a question have the same score, the interval is wider."""
    random = np.random.default_rng(0)
    of_questions = random.normal(size=(40, 1)) * np.ones((1, 10))
    alone = random.normal(size=(40, 10))
    is_relevant = np.ones((40, 10), dtype=bool)

    wide, narrow = (
        threshold("a/x", 10, scores, is_relevant, seed=0) for scores in (of_questions, alone)
    )

    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_few_relevant_candidates_have_no_threshold():
    """With fewer than 20 relevant candidates there is no threshold, and the reason says so."""
    few = found([[1.0, 0.0]] * 19, [[True, False]] * 19)

    assert (few.score, few.low, few.recall, few.removed, few.mean_left) == (None,) * 5
    assert not few.separates
    assert few.reason == "Only 19 candidates are relevant; a threshold needs 20."
    assert len(few.relevant_scores) == len(few.other_scores) == 19
    one = found([[1.0]], [[True]])
    assert one.reason == "Only 1 candidate is relevant; a threshold needs 20."
    assert found([[1.0, 0.0]] * 20, [[True, False]] * 20).separates


def test_no_questions_have_no_threshold():
    """Without questions there is no threshold."""
    nothing = threshold("a/x", 5, np.empty((0, 5)), np.empty((0, 5), dtype=bool), seed=0)

    assert nothing.reason == "Only 0 candidates are relevant; a threshold needs 20."


def test_equal_scores_do_not_separate():
    """If all scores are equal, nothing is removed, and no threshold should be used."""
    result = found([[0.5, 0.5]] * 30, [[True, False]] * 30)

    assert (result.score, result.removed, result.mean_left) == (0.5, 0.0, 2.0)
    assert not result.separates
    assert result.reason == (
        "It removes only 0 % of the candidates that are not relevant, less than 50 %."
    )


def test_the_low_end_must_separate_too():
    """A threshold that separates only by luck should not be used."""
    # The four lowest relevant scores of 60 are from two questions.
    scores = [[0.5, 0.5, *[0.4] * 5]] * 28 + [[0.45, 0.45, *[0.4] * 5]] + [[0.1, 0.1, *[0.4] * 5]]

    result = found(scores, [[True, True, *[False] * 5]] * 30)

    assert (result.score, result.removed, result.low) == (0.45, 1.0, 0.1)
    assert not result.separates
    assert result.reason == (
        "At the low end of its interval, it removes only 0 % of the candidates that are not"
        " relevant, less than 40 %."
    )


def test_only_relevant_candidates_have_nothing_to_remove():
    """If all candidates are relevant, a threshold has no use."""
    result = found([[1.0]] * 30, [[True]] * 30)

    assert result.removed == 0.0
    assert result.reason == "All candidates are relevant, so there is nothing to remove."


def test_documents_without_a_score_do_not_count():
    """Blank documents are neither kept nor removed, and neither are questions without scores."""
    with_blank = found([[1.0, None, 0.0]] * 30 + [[None] * 3], [[True, True, False]] * 31)

    assert len(with_blank.relevant_scores) == len(with_blank.other_scores) == 30
    assert with_blank.mean_left == 1.0
    assert with_blank.empty_questions == 0


def test_one_question_has_no_unseen_questions():
    """With one question, the recall on other questions is unknown."""
    result = found([[1.0] * 30 + [0.0]], [[True] * 30 + [False]])

    assert (result.score, result.recall, result.recall_low) == (1.0, None, None)
