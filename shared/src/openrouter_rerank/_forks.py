"""Locks that a forked child can use, and values that each process makes for itself."""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakSet

_Value = TypeVar("_Value")

importing = threading.RLock()
"""
Held while a call imports modules, and while the process forks: a child cannot end an import that
another thread of its parent has begun, and would wait for it without end.
"""

_locks: WeakSet[threading.Lock] = WeakSet()


def new_lock() -> threading.Lock:
    """Return a lock that is free in a forked child."""
    lock = threading.Lock()
    _locks.add(lock)
    return lock


def _release_all() -> None:
    # The threads that held them do not exist in the child. The same objects are released, because
    # several objects may refer to one lock.
    for lock in list(_locks):
        if lock.locked():
            lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_all)
    os.register_at_fork(
        before=importing.acquire,
        after_in_parent=importing.release,
        after_in_child=importing.release,
    )


class PerProcess(Generic[_Value]):
    """
    One value for each process, such as its threads, which do not survive a fork.

    Only for values that modules keep: an object of this class stays in memory.

    Args:
        make: Makes the value, in this process and in each forked child.
    """

    def __init__(self, make: Callable[[], _Value]) -> None:
        self._make = make
        self.value = make()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.value = self._make()
