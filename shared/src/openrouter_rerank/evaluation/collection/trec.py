"""
Reads the formats of TREC: runs of 6 columns, and judgements (qrels) of 3 or 4.
"""

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

from openrouter_rerank.errors import shown_value

from .contents import NO_CANDIDATES, Contents
from .corpus import read_documents, read_questions
from .errors import CollectionError, shown_path
from .fields import GRADE_RULE, grade_of, number_in
from .lines import Line, checked_path, lines

# The names that the columns of judgements have in the files of BEIR, MTEB and pandas.
_QUERY_COLUMN = {"query", "queryid", "qid", "topic", "topicid", "question", "questionid"}
_GRADE_COLUMN = {"score", "relevance", "rel", "grade", "label", "judgement", "judgment"}

# Of the neighbours by rank, the share whose scores rise in a run with distances as scores. In a run
# with ranks that mean nothing, about half of them do.
_RISING = 0.9

Judgements = dict[str, dict[str, int]]


def trec_contents(
    *, corpus: object, queries: object, run: object = None, qrels: object = None
) -> Contents:
    """
    Read a collection from separate files.

    Raises:
        CollectionError: If a file cannot be used.
    """
    queries_path = checked_path("queries", queries)
    documents = read_documents(checked_path("corpus", corpus))
    run_path = None if run is None else checked_path("run", run)
    return Contents(
        name=folder_name(queries_path.parent),
        questions=read_questions(queries_path),
        documents=documents.documents,
        judgements={} if qrels is None else read_judgements(checked_path("qrels", qrels)),
        candidates={} if run_path is None else read_run(run_path),
        first_stage=NO_CANDIDATES if run_path is None else run_name(run_path),
        notes=documents.notes,
    )


def folder_name(path: Path) -> str:
    """Return the name of a folder, also of `.`."""
    try:
        return shown_path(path.absolute().name or path)
    except OSError:  # The working directory was deleted
        return shown_path(path)


def run_name(path: Path) -> str:
    """Return the name of a first stage that is a run."""
    return f"the run {shown_path(path.name)}"


def read_run(path: Path) -> dict[str, tuple[str, ...]]:
    """
    Read the documents of each question, highest score first, ties as in the file.

    The ranks do not count, as for the programs of TREC. But if they are the reverse of the scores,
    the scores are distances, or negated.

    Raises:
        CollectionError: If the file cannot be used, or its ranks are the reverse of its scores.
    """
    scores: dict[str, dict[str, float]] = {}
    ranks: dict[str, list[tuple[float, float]]] = {}
    first: dict[tuple[str, str], int] = {}
    for line in lines(path):
        columns = _columns(line, (6,))
        if len(columns) != 6:
            raise line.error(
                f"a TREC run has 6 columns (query Q0 document rank score tag), got {len(columns)}"
            )
        question, _, document, rank, score, _ = columns
        if (line_number := first.setdefault((question, document), line.number)) != line.number:
            raise line.error(
                f"the document {shown_value(document)} is on line {line_number} too, for the same "
                f"question {shown_value(question)}: list each document once"
            )
        scores.setdefault(question, {})[document] = _score(line, score)
        number = number_in(rank)
        if number is not None and math.isfinite(number):
            ranks.setdefault(question, []).append((number, scores[question][document]))
    if not scores:
        raise CollectionError(f"{shown_path(path)}: there is no candidate in this file")
    _check_direction(path, ranks)
    return {
        question: tuple(id_ for id_, _ in sorted(found.items(), key=itemgetter(1), reverse=True))
        for question, found in scores.items()
    }


def _check_direction(path: Path, ranks: Mapping[str, Iterable[tuple[float, float]]]) -> None:
    """
    Raise an error if the ranks are the reverse of the scores.

    One question decides nothing: the ranks of a good run may have small faults.

    Args:
        path: The run.
        ranks: The rank and the score of each candidate, by question.
    """
    falling = 0
    rising: list[str] = []
    for question, found in ranks.items():
        for (rank, score), (next_rank, next_score) in pairwise(sorted(found)):
            if rank != next_rank and score != next_score:
                falling += score > next_score
                rising += [question] if score < next_score else []
    if len(rising) > _RISING * (falling + len(rising)):
        raise CollectionError(
            f"{shown_path(path)}: the ranks and the scores contradict each other (question "
            f"{shown_value(rising[0])}): higher scores must be better. Negate distances. If the "
            "scores are right, write 0 as each rank"
        )


def read_judgements(path: Path) -> Judgements:
    """
    Read the grade of each judged document, by question. The file may have a header line.

    Raises:
        CollectionError: If the file cannot be used.
    """
    judgements: Judgements = {}
    for at, line in enumerate(lines(path)):
        columns = _columns(line, (3, 4))
        if len(columns) not in {3, 4}:
            raise line.error(
                "judgements have 3 columns (query document grade) or 4 (query 0 document grade), "
                f"got {len(columns)}"
            )
        if at == 0 and _is_header(columns):
            continue
        question, document, grade = columns[0], columns[-2], _grade(line, columns[-1])
        if judgements.setdefault(question, {}).setdefault(document, grade) != grade:
            raise line.error(
                f"the document {shown_value(document)} has the grade "
                f"{judgements[question][document]} for the question {shown_value(question)} on an "
                f"earlier line, and {grade} here: keep one of them"
            )
    if not judgements:
        raise CollectionError(f"{shown_path(path)}: there is no judgement in this file")
    return judgements


def _columns(line: Line, expected: tuple[int, ...]) -> list[str]:
    """Split a line at its tabs if that gives the expected columns, else at all white space."""
    columns = [column.strip() for column in line.text.split("\t")]
    return columns if len(columns) in expected and all(columns) else line.text.split()


def _is_header(columns: list[str]) -> bool:
    names = ["".join(filter(str.isalpha, column.lower())) for column in columns]
    is_named = names[0] in _QUERY_COLUMN or names[-1] in _GRADE_COLUMN
    return is_named and number_in(columns[-1]) is None


def _grade(line: Line, text: str) -> int:
    if (number := number_in(text)) is None:
        advice = "; if the line is a header, call this column 'score'" if line.number == 1 else ""
        raise line.error(f"the grade {shown_value(text)} is not a number{advice}")
    if (grade := grade_of(number)) is None:
        raise line.error(f"the grade must be {GRADE_RULE}, got {shown_value(text)}")
    return grade


def _score(line: Line, text: str) -> float:
    number = number_in(text)
    if number is None or not math.isfinite(number):
        raise line.error(f"the score {shown_value(text)} is not a finite number")
    return number
