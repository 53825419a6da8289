"""Completes one class of options at a time, in all threads of a process."""

import os
import threading


class _Completion:
    """The lock that a thread has while it completes a class."""

    def __init__(self) -> None:
        self.renew_lock()

    def renew_lock(self) -> None:
        """Replace the lock in a forked child: a thread of the parent may have held it."""
        # Completing a class completes the classes of its fields too, in the same thread.
        self.lock = threading.RLock()


completion = _Completion()
"""The one of this process."""
if hasattr(os, "register_at_fork"):
    # Another thread of the parent may hold the lock, and does not exist in the child.
    os.register_at_fork(after_in_child=completion.renew_lock)
