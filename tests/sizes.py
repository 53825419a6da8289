"""How often a promise is tried: less at the desk, as often as is promised where it counts."""

import os


def figure(*, desk, ci, full=None):
    """
    Return how often to try.

    `full` is what takes too long for every change: only `make promises` does it.
    """
    if "FULL" in os.environ:
        return full or ci
    return ci if "CI" in os.environ else desk
