"""Checks what a client is configured with, and makes what it works with."""

import os

from ._call.arguments import checked_seconds, whole_number
from ._score_cache.cache import Recall
from .errors import ConfigurationError
from .score_store import checked_store


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
    given = checked_store(store)
    return None if given is None else Recall(given, seconds)
