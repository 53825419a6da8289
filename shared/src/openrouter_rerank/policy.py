"""
How often a call is tried again and how long it waits: arithmetic, without a clock or chance.

A rerank request has no idempotency key: one that is sent again is billed again if the first had
completed upstream. So failures are told apart by what they may have cost.
"""

from enum import StrEnum

from .errors import APIStatusError, InvalidResponseError, OpenRouterRerankError

DEFAULT_TIMEOUT = 30.0
"""Seconds. Ninety-five of a hundred calls are answered within six, the slowest models included."""
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
STORE_SHARE = 0.2
"""The part of the time left that is waited for an asynchronous score store."""
LONGEST_STORE_WAIT = 2.0
"""
Seconds. Reading from a store that takes longer than the service itself is of no use, and nobody who
waits for documents wants to wait longer until their scores are kept.
"""


class Cost(StrEnum):
    """What a failed attempt may have cost, which decides whether it is repeated."""

    FREE = "free"
    """Refused before any work: tried again as often as `max_retries` allows."""
    MAYBE_BILLED = "maybe billed"
    """May have completed upstream, or did: tried again once."""
    FINAL = "final"
    """The same request would fail again: not tried again."""


_FREE_STATUSES = frozenset({429, 503, 529})


def cost(error: APIStatusError | InvalidResponseError) -> Cost:
    """Tell what the attempt whose answer was `error` may have cost."""
    if error.status_code in _FREE_STATUSES:
        return Cost.FREE
    return Cost.MAYBE_BILLED if error.retryable else Cost.FINAL


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


def store_wait(left: float) -> float:
    """Tell how many seconds to wait for an asynchronous score store, of `left` that are left."""
    return min(max(left, 0.0) * STORE_SHARE, LONGEST_STORE_WAIT)
