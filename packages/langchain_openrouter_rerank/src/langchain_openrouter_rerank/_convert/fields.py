"""Metadata that are ranked with a text, such as the title, the author and the date."""

import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta
from enum import Enum
from numbers import Number
from pathlib import PurePath
from typing import TypeGuard
from uuid import UUID

from openrouter_rerank.reranker import ErrorsSuppressed

from .images import is_list

# Their `str` is what people write.
_SCALARS = (Number, date, time, timedelta, UUID, PurePath)


def with_fields(text: str, metadata: Mapping[object, object], names: Sequence[str]) -> str:
    """
    Put the fields called `names` before `text`, in that order.

    Each field is a line, `name: value`. The values of a list are joined by commas. Values are
    texts, numbers, dates, times, identifiers, paths and members of an `Enum`. Other values are left
    out, and so is a field that is the text itself.
    """
    if not names:
        return text
    values = {name: _field_value(metadata.get(name)) for name in names}
    own = " ".join(text.split())
    lines = [f"{name}: {value}" for name, value in values.items() if value and value != own]
    return "\n".join([*lines, text] if text.strip() else lines)


def _field_value(value: object) -> str:
    with ErrorsSuppressed():  # The methods of a user's class may raise any exception
        if _is_set(value):
            # In any order that is the same in each call.
            return ", ".join(sorted(filter(None, map(_one_value, value))))
        values = value if is_list(value) else [value]
        return ", ".join(filter(None, map(_one_value, values)))
    return ""


def _one_value(value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return " ".join(value.split())
    return _written(value) if isinstance(value, _SCALARS) or _is_of_numpy(value) else ""


def _written(value: object) -> str:
    try:
        # Tables used as stores have NaN or NaT in empty cells, which differ from themselves.
        return str(value) if value == value else ""  # noqa: PLR0124
    except (ValueError, ArithmeticError):
        # A number of thousands of digits, or a signalling NaN.
        return ""


def _is_of_numpy(value: object) -> bool:
    # NumPy is never imported here: a program that has such a value has imported it.
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def _is_set(value: object) -> TypeGuard[AbstractSet[object]]:
    return isinstance(value, set | frozenset)
