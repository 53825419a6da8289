"""Reports how many of the questions have candidates, while they are found."""

from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias, TypeVar

Count: TypeAlias = Callable[[int, int], object]
"""A function that gets the number of questions that are done, and that of all questions."""

_Item = TypeVar("_Item")


def counted(items: Collection[_Item], report: Count | None) -> Iterator[_Item]:
    """Yield `items`. Call `report` before the first one, and when each is done."""
    for done, item in enumerate(items):
        if report is not None:
            report(done, len(items))
        yield item
    if report is not None:
        report(len(items), len(items))
