"""Asks a rate limiter before each request, for no longer than the request has time."""

import time

from ._flow import Failure, FailureKind
from .rate_limiter import RateLimiter

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.1
"""Seconds between two questions. LangChain's own limiter looks as often."""


def refusal(limiter: RateLimiter, deadline: float) -> Failure | None:
    """Wait for permission until `deadline`, by `time.monotonic`; return why there is none."""
    pause = _FIRST_PAUSE
    try:
        # Its own waiting could not be ended at the deadline.
        while not limiter.acquire(blocking=False):
            left = deadline - time.monotonic()
            if left <= 0:
                return Failure(kind=FailureKind.UNPERMITTED)
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
    except Exception as error:
        return _broken(error)
    return None


async def arefusal(limiter: RateLimiter) -> Failure | None:
    """Wait for permission, which the caller bounds; return why there is none."""
    try:
        permitted = await limiter.aacquire()
    except Exception as error:
        return _broken(error)
    return None if permitted else Failure(kind=FailureKind.UNPERMITTED)


def _broken(error: Exception) -> Failure:
    # By its class alone: a message may quote the password of a database.
    return Failure(kind=FailureKind.BROKEN_LIMITER, detail=type(error).__name__)
