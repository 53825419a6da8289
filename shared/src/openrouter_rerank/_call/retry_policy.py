"""
When a request is sent again: constants and arithmetic, without a clock or random numbers.

A rerank request has no idempotency key: if the first attempt was completed, a second one is billed
too. So failures are distinguished by what they may have cost (`Cost` in `_attempt.py`).
"""

from openrouter_rerank.errors import OpenRouterRerankError

FIRST_WAIT = 0.1
"""Seconds; doubles with each retry. Short, because OpenRouter routes around a failed provider."""
FIRST_WAIT_THROTTLED = 1.0
"""Seconds after a 429 without `Retry-After`: rate limits are counted by the minute."""
LONGEST_WAIT = 2.0
"""Seconds. Users who wait for documents prefer an error to a longer wait."""
MAYBE_BILLED_ATTEMPTS = 2
"""Attempts with one model that may be billed: the first, and one retry."""
LEAST_TIME_TO_IMPROVE = 1.0
"""Seconds that requests may always take that only improve a ranking which is paid for."""
SHARE_BEFORE_FALLBACK = 0.6
"""The part of the remaining time that a model may use if fallback models follow it."""


def pause(error: OpenRouterRerankError, retries: int, jitter: float) -> float:
    """
    Return the number of seconds to wait before the next attempt.

    Args:
        error: Why the last attempt failed. If it has a `retry_after`, exactly that is returned.
        retries: The number of retries so far.
        jitter: A new random number from 0 to 1. The wait is this part of the longest one ("full
            jitter"), which spreads the retries of many clients best.
    """
    if error.retry_after is not None:
        return error.retry_after
    first = FIRST_WAIT_THROTTLED if error.status_code == 429 else FIRST_WAIT
    return jitter * min(LONGEST_WAIT, first * 2.0**retries)


def another_model_may_answer(error: OpenRouterRerankError) -> bool:
    """Return `True` if a fallback model may succeed. A wrong key or argument fails with any."""
    # The service may say that a failure of a provider is lasting: then only another model helps.
    status = error.status_code or 0
    return error.retryable or status in {200, 404, 408, 429} or status >= 500
