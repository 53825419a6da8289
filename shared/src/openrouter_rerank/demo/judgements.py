"""
Questions about Python, and the passages of its documentation that answer them.

One reader has judged the passages. The questions were written before any result was seen, in words
that the documentation mostly does not use. `judgements.json` has the grade, the title and the first
characters of each judged passage, because ids change with the version of Python.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TypedDict

from openrouter_rerank.demo.passage import Passage

ANSWERS = 2
"""The grade of a passage that answers the question. The grade of one that helps is 1."""

_FIRST_CHARACTERS = 60


class _File(TypedDict):
    python: str
    questions: dict[str, list[tuple[int, str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedQuestion:
    """A question, and the grades of the judged passages by their ids."""

    question: str
    grades: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """The judged questions that some passages can answer."""

    python: str
    """The version of Python whose documentation was judged."""
    questions: Sequence[JudgedQuestion]
    left_out: int
    """The number of questions without a passage that answers them."""
    passages: int
    """The number of judgements, missing passages included."""
    missing: int
    """The number of judgements whose passage is missing."""


def judgements(passages: Sequence[Passage]) -> Judgements:
    """Return the judgements of `passages`."""
    text = files("openrouter_rerank.demo").joinpath("judgements.json").read_text("utf-8")
    stored: _File = json.loads(text)
    ids: dict[tuple[str, str], str] = {}
    for passage in passages:
        ids.setdefault((passage.title, _beginning(passage)), passage.id)
    questions: list[JudgedQuestion] = []
    found = 0
    for question, judged in stored["questions"].items():
        grades = {
            ids[title, begins]: grade for grade, title, begins in judged if (title, begins) in ids
        }
        found += len(grades)
        if ANSWERS in grades.values():
            questions.append(JudgedQuestion(question=question, grades=grades))
    total = sum(map(len, stored["questions"].values()))
    return Judgements(
        python=stored["python"],
        questions=questions,
        left_out=len(stored["questions"]) - len(questions),
        passages=total,
        missing=total - found,
    )


def _beginning(passage: Passage) -> str:
    return " ".join(passage.body.split())[:_FIRST_CHARACTERS]
