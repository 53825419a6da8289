"""Keeps the grades of judges and of the user in the file of the answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from openrouter_rerank.evaluation.asking.matrix import Matrix, digest

from .rubric import RUBRIC_DIGEST

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS grade (
        service TEXT NOT NULL,
        judge TEXT NOT NULL,
        rubric BLOB NOT NULL,
        question BLOB NOT NULL,
        passage BLOB NOT NULL,
        grade INTEGER,
        cost REAL,
        PRIMARY KEY (service, judge, rubric, question, passage)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS human (
        question BLOB NOT NULL,
        passage BLOB NOT NULL,
        grade INTEGER NOT NULL,
        PRIMARY KEY (question, passage)
    ) WITHOUT ROWID
    """,
)


Key: TypeAlias = tuple[bytes, bytes]
"""The hashes by which the file knows a question and a passage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What a judge has replied for one passage."""

    value: int | None
    """From 0 to 3. `None`: its replies had no grade."""
    cost: float | None
    """US dollars. `None` if the service did not report it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The texts of a question and of a passage, as a judge sees them."""

    question: str
    passage: str

    @property
    def key(self) -> Key:
        """The hashes of the texts."""
        return digest(self.question), digest(self.passage)


class Grades:
    """The grades in a file."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix
        with matrix.transaction() as connection:
            for statement in _TABLES:
                connection.execute(statement)

    def of_judge(self, service: str, judge: str) -> Mapping[Key, Grade]:
        """Return the grades of a judge, by the keys of the pairs."""
        with self._matrix.transaction() as connection:
            rows = connection.execute(
                "SELECT question, passage, grade, cost FROM grade "
                "WHERE service = ? AND judge = ? AND rubric = ?",
                (service, judge, RUBRIC_DIGEST),
            ).fetchall()
        return {
            (question, passage): Grade(value=value, cost=cost)
            for question, passage, value, cost in rows
        }

    def add(self, service: str, judge: str, pair: Pair, grade: Grade) -> None:
        """Keep the grade of a judge, in one transaction."""
        with self._matrix.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO grade VALUES (?, ?, ?, ?, ?, ?, ?)",
                (service, judge, RUBRIC_DIGEST, *pair.key, grade.value, grade.cost),
            )

    def of_user(self) -> Mapping[Key, int]:
        """Return the grades of the user, by the keys of the pairs."""
        with self._matrix.transaction() as connection:
            rows = connection.execute("SELECT question, passage, grade FROM human").fetchall()
        return {(question, passage): grade for question, passage, grade in rows}

    def add_of_user(self, pair: Pair, grade: int) -> None:
        """Keep a grade of the user, in one transaction."""
        with self._matrix.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO human VALUES (?, ?, ?)", (*pair.key, grade))
