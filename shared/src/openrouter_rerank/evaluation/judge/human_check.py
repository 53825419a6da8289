"""
Lets the user grade passages in a terminal, without showing the grades of the judges.

Passages are texts of others, so each character that a terminal would obey is escaped.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from openrouter_rerank.cli.escapes import one_line
from openrouter_rerank.evaluation.asking.matrix import Matrix

from .agreement import sample
from .grades import Grades, Pair
from .grading import Grading
from .rubric import GRADES
from .single_keys import single_keys

_LEGEND = """\
How well does the passage answer the question? If in doubt, choose the lower grade.

  3  completely
  2  a part of the question
  1  not at all, but it has the same topic
  0  it has nothing to do with the question

  s  skip this passage
  q  stop; grades are kept
"""
_SKIP, _STOP = "s", "q"
_KEYS = {*map(str, GRADES), _SKIP, _STOP}
# The end of the input, Ctrl-D and, on Windows, Ctrl-Z.
_ENDS = {"", "\x04", "\x1a"}
_INTERRUPTION = "\x03"
# Columns.
_TAB = 4


def check_judges(grading: Grading, count: int, path: Path) -> None:
    """
    Ask the user for the grades of `count` passages, except those that the user has graded before.

    Each grade is kept when its key is pressed.

    Args:
        grading: What the judges have graded.
        count: Passages to check, of all grades equally many.
        path: The file of the answers.

    Raises:
        ConfigurationError: If the file cannot be used.
        KeyboardInterrupt: At Ctrl-C.
    """
    judged = grading.by_key()
    with Matrix(path) as matrix:
        grades = Grades(matrix)
        known = grades.of_user()
        pairs = {pair.key: pair for pair in grading.pairs.values()}
        chosen = {*sample(judged, known, count)}
        # In the order of asking: that of the sample would show the grades.
        left = [pairs[key] for key in judged if key in chosen and key not in known]
        if left:
            _write(f"\n{_LEGEND}")
            with single_keys() as read_key:
                for pair, grade in _graded(left, read_key):
                    grades.add_of_user(pair, grade)


def _graded(pairs: Sequence[Pair], read_key: Callable[[], str]) -> Iterator[tuple[Pair, int]]:
    """Show each pair, and yield those that are graded."""
    for number, pair in enumerate(pairs, 1):
        _write(f"\n{f' {number} of {len(pairs)} ':-^40}\n\n")
        _write("".join(f"  {line}\n" for line in _lines(pair.passage)))
        question = " ".join(_lines(pair.question))
        _write(f"\nQuestion: {question}\nGrade (0 1 2 3 s q): ")
        key = _key(read_key)
        _write(f"{key}\n")
        if key == _STOP:
            return
        if key != _SKIP:
            yield pair, int(key)


def _key(read_key: Callable[[], str]) -> str:
    """Return the key that is pressed, as a small letter. Other keys are ignored."""
    while (key := read_key().lower()) not in _KEYS:
        if key == _INTERRUPTION:
            raise KeyboardInterrupt
        if key in _ENDS:
            return _STOP
    return key


def _lines(text: str) -> Iterable[str]:
    return (one_line(line.expandtabs(_TAB)) for line in text.splitlines())


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
