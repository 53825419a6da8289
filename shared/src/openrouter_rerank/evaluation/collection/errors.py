"""
The error of a collection that cannot be used, and how its messages show paths and ids.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from openrouter_rerank.errors import ConfigurationError, shown_value

_LONGEST_PATH = 200
_LONGEST_ID = 40
_SHOWN_IDS = 3


class CollectionError(ConfigurationError):
    """
    A test collection, a file of it, or what a retriever returned cannot be used.

    The message is one line: the file and its line, or the argument, then what to do.
    """


def shown_path(path: Path | str) -> str:
    """Return a path for a message: one printable line of at most 200 characters."""
    if "API key" in (shown := shown_value(str(path))):
        return shown
    line = _printable(str(path))
    return line if len(line) <= _LONGEST_PATH else f"...{line[3 - _LONGEST_PATH :]}"


def shown_ids(ids: Iterable[str]) -> str:
    """Return the first ids for a message, such as `q1, q2, q3, ...`."""
    first = list(islice(ids, _SHOWN_IDS + 1))
    return ", ".join([*map(_shown_id, first[:_SHOWN_IDS]), *(["..."] if first[3:] else [])])


def shown_error(error: BaseException) -> str:
    """Return an exception of the user's code for a message."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - `__str__` of a user's exception may raise any exception
        text = ""
    return f"{type(error).__name__}({shown_value(text) if text else ''})"


def _shown_id(text: str) -> str:
    if "API key" in (shown := shown_value(text)):
        return shown
    line = _printable(text[:_LONGEST_ID])
    return line if len(line) == len(text) <= _LONGEST_ID else f"{line[: _LONGEST_ID - 3]}..."


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)
