"""Writes the judgements of judges as `qrels.judge.txt`, in the 4 columns of TREC."""

from pathlib import Path

from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.report.files import JUDGE_QRELS, write_file
from openrouter_rerank.evaluation.report.trec_runs import encoded, must_be_encoded, runs

from .grading import Grading, gain


def write_judge_qrels(findings: Findings, grading: Grading, directory: Path) -> None:
    """
    Write what each graded document counts: 0 for the grades 0 and 1, 1 for 2, and 2 for 3.

    With these and with the judgements of the collection, other programs compute the same metrics
    for the runs. The ids are written as in the runs.

    Raises:
        ConfigurationError: If the file cannot be written.
    """
    is_encoded = must_be_encoded(runs(findings).values())
    written = encoded if is_encoded else str
    lines = (
        f"{written(question)} 0 {written(document)} {gain(grade)}\n"
        for question, grades in grading.grades.items()
        for document, grade in grades.items()
    )
    write_file(directory / JUDGE_QRELS, "".join(lines))
