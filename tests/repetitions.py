"""How often a test tries a promise: rarely on a developer's machine, more often in CI."""

import os


def repetitions(*, local, ci, full=None):
    """
    Return `local`, `ci` or `full`, depending on where the tests run.

    `full` is for `make promises` only, because it takes too long for every change. If it is not
    given, `make promises` uses `ci`.
    """
    if "FULL" in os.environ:
        return full or ci
    return ci if "CI" in os.environ else local
