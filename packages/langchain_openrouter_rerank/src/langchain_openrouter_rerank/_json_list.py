"""The items of a list in a JSON text, and the same text with the items in another order."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from json import JSONDecoder
from typing import Any, NamedTuple, TypeGuard, TypeVar

# The names under which search tools and protocols return the list of their results.
LIST_NAMES = ("results", "result", "documents", "structured_content")

# Parsing runs in the event loop. 200,000 documents took 4 s there. Within these bounds, documents
# take some hundredths of a second, and the slowest JSON, lists of empty lists, half a second.
MOST_ITEMS = 1_000
MOST_CHARACTERS = 1_000_000

_Item = TypeVar("_Item")

_DECODER = JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


class TooLargeError(Exception):
    """A JSON text is too long, or its list or an object around it has too many items."""


class JsonList(NamedTuple):
    """A list in a JSON text: the text itself, or a value in an object, such as its `results`."""

    text: str
    values: list[Any]
    spans: list[tuple[int, int]]
    """Where each value begins and ends in the text."""
    is_parallel: bool
    """Whether an object around it has another list of the same length: see `other_lengths`."""

    def reordered(self, positions: Sequence[int]) -> str:
        """
        Return the text with the values at `positions`, in their order, as the only values.

        There must be two values or more. Each stays as it is written, so that no number and no
        escape in it changes.
        """
        first, last = self.spans[0][0], self.spans[-1][1]
        # What is between two values, such as a comma and a line break. The shortest, because a
        # hostile text has a million spaces in one place, and a thousand values.
        gaps = (self.text[end:start] for (_, end), (start, _) in pairwise(self.spans))
        between = min(gaps, key=len)
        values = (self.text[slice(*self.spans[position])] for position in positions)
        return self.text[:first] + between.join(values) + self.text[last:]


def json_list(text: str) -> JsonList | None:
    """
    Return the list in a JSON text, or `None` if it is not JSON or has no list.

    Raises:
        TooLargeError: If it has more than 1,000,000 characters, or the list or an object around it
            more than 1,000 items.
    """
    start = _after_space(text, 0)
    if text[start : start + 1] not in {"[", "{"}:
        return None
    if len(text) > MOST_CHARACTERS:
        raise TooLargeError
    try:
        # Checks all of it, and so the functions below need not.
        _DECODER.decode(text)
        return _list_at(text, start)
    except (ValueError, RecursionError):
        # Too deep or with a number too long for Python, or no JSON.
        return None


def named_list(values: object) -> str | None:
    """Return the name of the list in an object, or `None` if there is none."""
    if not is_object(values):
        return None
    return next((name for name in LIST_NAMES if name in values), None)


def other_lengths(members: Mapping[str, object], name: str) -> set[int]:
    """
    Return the lengths of the lists in an object, without the list `name`.

    A list of the same length may be parallel to it, such as the `ids` of `documents`: if only one
    of them had another order, each document would have the id of another.
    """
    others = (value for other, value in members.items() if other != name)
    return {len(value) for value in others if isinstance(value, list | tuple)}


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return `True` if `value` is an object of JSON."""
    return isinstance(value, dict)


def _list_at(text: str, start: int) -> JsonList | None:
    lengths: set[int] = set()
    # Two objects may be around the list. Each one more would be parsed again.
    for _ in range(3):
        if text[start] == "[":
            found = _bounded(_values(text, start))
            values = [value for value, _ in found]
            return JsonList(text, values, [span for _, span in found], len(values) in lengths)
        places = dict(_bounded(_members(text, start))) if text[start] == "{" else {}
        members = {name: value for name, (value, _) in places.items()}
        name = named_list(members)
        if name is None:
            return None
        lengths |= other_lengths(members, name)
        start = places[name][1]
    return None


def _bounded(found: Iterator[_Item]) -> list[_Item]:
    items = list(islice(found, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        raise TooLargeError
    return items


def _values(text: str, start: int) -> Iterator[tuple[Any, tuple[int, int]]]:
    """Yield the values of the list at `start`, and where they begin and end."""
    at = _after_space(text, start + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield value, (at, end)
        at = _after_separator(text, end)


def _members(text: str, start: int) -> Iterator[tuple[str, tuple[Any, int]]]:
    """Yield the names and values in the object at `start`, and where the values begin."""
    at = _after_space(text, start + 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        begin = _after_space(text, _after_space(text, end) + 1)
        value, end = _DECODER.raw_decode(text, begin)
        yield name, (value, begin)
        at = _after_separator(text, end)


def _after_separator(text: str, at: int) -> int:
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at] == "," else at


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
