"""Asks a rate limiter before each request, for no longer than the request has time."""

import time

from openrouter_rerank._attempt import Failure, FailureKind
from openrouter_rerank.rate_limiter import RateLimiter

from .bounds import Watch

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.1
"""Seconds between two questions. LangChain's own limiter looks as often."""


def refusal(limiter: RateLimiter | None, watch: Watch) -> Failure | None:
    """Wait for permission, until the time of the attempt is up; return why there is none."""
    if limiter is None:
        return None
    pause = _FIRST_PAUSE
    try:
        # Its own waiting could not be ended at the deadline.
        while not limiter.acquire(blocking=False):
            if watch.is_over():
                return Failure(kind=FailureKind.UNPERMITTED)
            time.sleep(min(pause, max(watch.deadline - time.monotonic(), 0.0)))
            pause = min(2 * pause, _LONGEST_PAUSE)
    except Exception as error:
        return _broken(error)
    return None


async def arefusal(limiter: RateLimiter | None, watch: Watch) -> Failure | None:
    """Wait for permission, within the timeout of the attempt; return why there is none."""
    if limiter is None:
        return None
    watch.is_permitted = False
    try:
        watch.is_permitted = await limiter.aacquire()
    except Exception as error:
        return _broken(error)
    return None if watch.is_permitted else Failure(kind=FailureKind.UNPERMITTED)


def _broken(error: Exception) -> Failure:
    # By its class alone: a message may quote the password of a database.
    return Failure(kind=FailureKind.BROKEN_LIMITER, detail=type(error).__name__)
