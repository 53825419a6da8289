"""
The result of the demo as JSON has it.
"""

import platform

from openrouter_rerank.demo.asking import Answer
from openrouter_rerank.demo.comparison import Change
from openrouter_rerank.demo.introduction import CANDIDATES
from openrouter_rerank.demo.presentation import Judged, Report


def json_result(report: Report) -> dict[str, object]:
    """Return the questions that were shown in each framework, and the judged ones."""
    result: dict[str, object] = {
        "python": platform.python_version(),
        "candidates": CANDIDATES,
        "results": [_answer(answer) for answer in report.answers],
    }
    if report.judged is not None:
        result["judged"] = _judged(report.judged)
    return result


def _judged(judged: Judged) -> dict[str, object]:
    known, comparison = judged.judgements, judged.comparison
    answers = {answer.question: answer for answer in judged.answers}
    return {
        "judged_for_python": known.python,
        "judgements": known.passages,
        "missing_judgements": known.missing,
        "left_out_questions": known.left_out,
        "first": _pair(comparison.among(1)),
        "first_three": _pair(comparison.among(3)),
        "ndcg": _pair(comparison.ndcg),
        "questions": [
            _answer(answers[change.question]) | _change(change) for change in comparison.changes
        ],
    }


def _change(change: Change) -> dict[str, object]:
    return {
        "verdict": change.verdict,
        "place": _pair((change.before, change.after)),
        "ndcg": _pair((change.ndcg_before, change.ndcg_after)),
    }


def _answer(answer: Answer) -> dict[str, object]:
    """Return both orders, best first, and who has ranked."""
    return {
        "question": answer.question,
        "framework": answer.framework,
        "seconds": answer.seconds,
        "rankings": [
            {
                "model": ranking.model,
                "served_model": ranking.served_model,
                "provider": ranking.provider,
                "cost": ranking.usage.cost,
            }
            for ranking in answer.rankings
        ],
        "retrieved": [{"id": hit.id, "score": hit.score} for hit in answer.outcome.retrieved],
        "reranked": [{"id": hit.id, "score": hit.score} for hit in answer.outcome.reranked],
    }


def _pair(values: tuple[float | None, float | None]) -> dict[str, float | None]:
    before, after = values
    return {"retriever": before, "reranked": after}
