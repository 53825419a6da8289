"""
How often a call is tried again and how long it waits: arithmetic, without a clock or chance.

A rerank request has no idempotency key: one that is sent again is billed again if the first had
completed upstream. So failures are told apart by what they may have cost.
"""

from openrouter_rerank.errors import OpenRouterRerankError

FIRST_WAIT = 0.1
"""Seconds; doubles with each retry. Short, because OpenRouter routes around a failed provider."""
FIRST_WAIT_THROTTLED = 1.0
"""Seconds after a 429 that names no time: limits are counted by the minute."""
LONGEST_WAIT = 2.0
"""Seconds; a caller who waits for documents wants an error rather than a longer silence."""
MAYBE_BILLED_ATTEMPTS = 2
"""How many attempts of one model may have been billed: one, and one retry."""
SHARE = 0.6
"""The part of the time left that a model may use while fallback models wait behind it."""


def pause(error: OpenRouterRerankError, retries: int, jitter: float) -> float:
    """
    Tell how many seconds to wait before the next attempt.

    Args:
        error: Why the last attempt failed. Its `retry_after` is kept to exactly: never shortened.
        retries: How many retries there were before.
        jitter: A number from 0 to 1, new for each wait: full jitter spreads the load best.
    """
    if error.retry_after is not None:
        return error.retry_after
    first = FIRST_WAIT_THROTTLED if error.status_code == 429 else FIRST_WAIT
    return jitter * min(LONGEST_WAIT, first * 2.0**retries)


def another_model_may_answer(error: OpenRouterRerankError) -> bool:
    """Tell whether a fallback model is worth asking: not after a wrong key or argument."""
    return error.retryable or error.status_code == 404
