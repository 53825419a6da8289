"""
The result of an evaluation, with what users do with it.
"""

from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Self

from .analysis.findings import Findings
from .report.files import write
from .report.page.notebook import notebook_html
from .report.rows import Row, plan_rows, question_rows


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Evaluation(Findings):
    """
    All numbers of an evaluation, the recommended plan, and one sentence: the verdict.

    In a notebook, it is shown as a table with charts.
    """

    @classmethod
    def of(cls, findings: Findings) -> Self:
        """Return the evaluation that has these findings."""
        return cls(**{each.name: getattr(findings, each.name) for each in fields(findings)})

    def rows(self) -> list[Row]:
        """Return one dictionary for the first stage and one for each plan, for a data frame."""
        return plan_rows(self)

    def per_question(self) -> list[Row]:
        """Return one dictionary for each question: its text, and the metric of every plan."""
        return question_rows(self)

    def write(self, directory: str | PathLike[str]) -> Path:
        """
        Write the report and all numbers into `directory`, and return the path of the report.

        The folder is created if it is missing. The files replace those of an earlier evaluation.
        Only the user can read them, because they contain questions and documents.

        Raises:
            ConfigurationError: If a file cannot be written.
        """
        return write(self, directory)

    def _repr_html_(self) -> str:
        return notebook_html(self)
