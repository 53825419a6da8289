"""Locks that a forked child can use, even if a thread of its parent held them."""

import os
import threading
from weakref import WeakSet

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
