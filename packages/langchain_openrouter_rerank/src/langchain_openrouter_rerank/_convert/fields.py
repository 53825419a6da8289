"""Metadata that are ranked with a text: the title, the author, the date. Pure."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from .images import is_list


def with_fields(text: str, metadata: Mapping[object, object], names: Sequence[str]) -> str:
    """
    Put the fields called `names` before `text`, in that order.

    Each is a line, `name: value`; the values of a list are joined by commas. Left out is what has
    no text, number or date.
    """
    if not names:
        return text
    written = {name: _written(metadata.get(name)) for name in names}
    lines = [f"{name}: {value}" for name, value in written.items() if value]
    return "\n".join([*lines, text] if text.strip() else lines) if lines else text


def _written(value: object) -> str:
    values = value if is_list(value) else [value]
    return ", ".join(filter(None, map(_one, values)))


def _one(value: object) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    # Stores that are tables have NaN where a cell is empty.
    is_empty = isinstance(value, float) and math.isnan(value)
    return str(value) if isinstance(value, int | float | Decimal | date) and not is_empty else ""
