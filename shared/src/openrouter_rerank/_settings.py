"""Checks what a client is configured with, and makes what it works with."""

import os

from ._call import checked_seconds, whole_number
from ._recall import Recall
from .errors import ConfigurationError
from .rate_limiter import RateLimiter
from .score_store import ScoreStore


def is_present(base_url: object) -> bool:
    """Tell whether a base URL is given; a blank one is none."""
    if isinstance(base_url, str):
        return bool(base_url.strip())
    raise ConfigurationError(f"base_url is of type {type(base_url).__name__}: pass a string")


def given_or_found(given: str | None, variable: str) -> str | None:
    """Return what is given, else what the environment has under that name."""
    return given if given is not None else os.environ.get(variable) or None


def checked_count(name: str, value: object, *, least: int) -> int:
    """Check a whole number."""
    number = whole_number(value)
    if number is not None and number >= least:
        return number
    raise ConfigurationError(f"{name} must be a whole number, {least} or more, got {value!r:.50}")


def checked_recall(store: object, ttl: object) -> Recall | None:
    """Check where scores are kept and for how long."""
    seconds = None if ttl is None else checked_seconds("score_ttl", ttl)
    if store is None:
        return None
    if not isinstance(store, ScoreStore):
        raise ConfigurationError(
            f"score_store is of type {type(store).__name__}, which lacks one of mget, mset, amget "
            "and amset: pass one of LangChain's byte stores, or what has their methods"
        )
    return Recall(store, seconds)


def checked_limiter(limiter: object) -> RateLimiter | None:
    """Check what is asked before each request."""
    if limiter is None or isinstance(limiter, RateLimiter):
        return limiter
    raise ConfigurationError(
        f"rate_limiter is of type {type(limiter).__name__}, which lacks one of acquire and "
        "aacquire: pass a WindowRateLimiter, or one of LangChain's"
    )
