"""Finds the sync method of a subclass that an async method has to call."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any


# Classes are few, but tests and notebooks define the same ones again and again.
@lru_cache(maxsize=256)
def sync_override(
    subclass: type, base: type, sync_name: str, async_name: str
) -> Callable[..., Any] | None:
    """
    Return the sync method that the async method of `base` has to call, if a subclass overrides it.

    A subclass that overrides only the sync method expects the async one to do the same. If a
    subclass overrides the async method, which calls that of its superclass, the sync methods of its
    superclasses are meant, because its own async method takes the place of its sync method.

    Args:
        subclass: The class of the object.
        base: The class whose async method was called.
        sync_name: The name of the sync method.
        async_name: The name of the async method.

    Returns:
        The function, which takes the object as its first argument, or `None` if `base` can go on.
    """
    found: Callable[..., Any] | None = None
    # From the most derived class to `base`.
    for each in subclass.__mro__[: subclass.__mro__.index(base)]:
        if async_name in vars(each):
            found = None
        elif found is None and sync_name in vars(each):
            found = getattr(each, sync_name)
    return found
