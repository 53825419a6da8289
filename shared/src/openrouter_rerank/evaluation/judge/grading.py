"""What judges have graded. It is plain data: nothing here asks a judge or reads a file."""

from collections.abc import Mapping
from dataclasses import dataclass

from .grades import Key, Pair


def gain(grade: int) -> int:
    """
    Return the value of a grade in the metrics: the grade minus one, and not below zero.

    A passage that has only the topic of the question is not relevant.
    """
    return max(0, grade - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """The grades of a pool of documents."""

    judges: tuple[str, ...]
    grades: Mapping[str, Mapping[str, int]]
    """
    By question, then document: from 0 to 3, the lowest of all judges. Only questions whose
    documents are all graded are here; a document without a grade in the replies is left out.
    """
    pairs: Mapping[tuple[str, str], Pair]
    """The texts of each graded document, by question and document."""
    unfinished: frozenset[str]
    """Questions with documents that were not graded, because calls failed or the run ended."""
    ungraded: int
    """Documents for which the replies of a judge had no grade."""
    failures: Mapping[str, tuple[int, str]]
    """By judge: the number of failed calls, and the message of the first."""
    cost: float | None
    """US dollars of all grades, in this run and those it continued. `None`: unknown."""
    budget_is_spent: bool = False
    interrupted: bool = False

    def by_key(self) -> dict[Key, int]:
        """Return the grade of each passage, by the keys of the file, in the order of asking."""
        return {
            pair.key: self.grades[question][document]
            for (question, document), pair in self.pairs.items()
            if document in self.grades.get(question, {})
        }
