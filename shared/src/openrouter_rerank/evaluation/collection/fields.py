"""
What an id, a grade, a score and a text are, in files and in what Python code passes.
"""

import math
from numbers import Integral, Real
from typing import TypeGuard

# pytrec-eval needs memory for each grade up to the largest.
LARGEST_GRADE = 1_000
GRADE_RULE = f"a whole number from -{LARGEST_GRADE:,} to {LARGEST_GRADE:,}"
_LARGEST_ID = 10**40


def id_of(value: object) -> str | None:
    """Return an id as a string. `None` if `value` is neither a text nor a whole number."""
    if isinstance(value, str):
        text = str.__str__(value)
        return text if text.strip() and is_unicode(text) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        number = int(value)
        return str(number) if abs(number) < _LARGEST_ID else None
    return None


def grade_of(value: object) -> int | None:
    """Return a grade as an integer. `None` if `value` is not a whole number, or too large."""
    number = number_of(value)
    if number is None or abs(number) > LARGEST_GRADE or number != int(number):
        return None
    return int(number)


def number_of(value: object) -> float | None:
    """Return a finite number. `None` if `value` is not one."""
    if not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def number_in(text: str) -> float | None:
    """Return the number, finite or not, that a text is. `None` if it is not a number."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def is_unicode(text: str) -> bool:
    """Return `False` if the text has a lone surrogate, which no file and no request can contain."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Return `True` if a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    """Return `True` if the value is a list or a tuple."""
    return isinstance(value, list | tuple)


def are_sorted(scores: list[float]) -> bool:
    """Return `True` if the numbers only fall or only rise, as distances do."""
    return sorted(scores) in (scores, scores[::-1])
