"""Checks the options of the middleware for agents."""

import sys
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import islice

from openrouter_rerank.client_options.values import number_in, real_number, whole_number
from openrouter_rerank.errors import ConfigurationError, shown_value
from openrouter_rerank.reranker import ErrorsSuppressed

_MOST_NAMES = 10_000


def checked_count(option: str, count: object) -> int | None:
    """
    Return `count` as a number, or `None`.

    Raises:
        ConfigurationError: If it is anything else.
    """
    number = whole_number(number_in(count))
    if count is None or (number is not None and number > 0):
        return number
    raise ConfigurationError(
        f"{option} must be a whole number, 1 or more, or None, got {shown_value(count)}"
    )


def checked_score(option: str, score: object) -> float:
    """
    Return `score` as a number.

    Raises:
        ConfigurationError: If it is not a finite number.
    """
    number = real_number(score)
    if number is not None and abs(number) <= sys.float_info.max:
        return float(number)
    raise ConfigurationError(f"{option} must be a number, or None, got {shown_value(score)}")


def checked_names(option: str, names: object) -> frozenset[str]:
    """
    Return one name or several names of tools as a set.

    Raises:
        ConfigurationError: If `names` is anything else.
    """
    with ErrorsSuppressed():  # The methods of a user's class may raise any exception
        given = [names] if isinstance(names, str) else names
        if isinstance(given, Sequence | AbstractSet):
            found = [*islice(given, _MOST_NAMES + 1)]
            if len(found) <= _MOST_NAMES and all(isinstance(name, str) for name in found):
                return frozenset(map(str.__str__, found))
    raise ConfigurationError(f"{option} must be a list of names of tools, got {shown_value(names)}")


def checked_on_failure(given: object) -> str | frozenset[str]:
    """
    Return the policy in `given`, or the names of tools.

    Raises:
        ConfigurationError: If `given` is neither.
    """
    if not issubclass(type(given), str):
        return checked_names("on_failure", given)
    if (policy := str.__str__(given)) in {"all", "none", "error"}:
        return policy
    raise ConfigurationError(
        "on_failure must be 'all', 'none', 'error' or a list of names of tools, got "
        f"{shown_value(given)}"
    )
