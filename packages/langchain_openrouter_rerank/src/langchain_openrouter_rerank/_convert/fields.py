"""Metadata that are ranked with a text, such as the title, the author and the date."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from .images import is_list


def with_fields(text: str, metadata: Mapping[object, object], names: Sequence[str]) -> str:
    """
    Put the fields called `names` before `text`, in that order.

    Each field is a line, `name: value`. The values of a list are joined by commas. Values other
    than text, numbers and dates are left out.
    """
    if not names:
        return text
    values = {name: _field_value(metadata.get(name)) for name in names}
    lines = [f"{name}: {value}" for name, value in values.items() if value]
    return "\n".join([*lines, text] if text.strip() else lines) if lines else text


def _field_value(value: object) -> str:
    values = value if is_list(value) else [value]
    return ", ".join(filter(None, map(_one_value, values)))


def _one_value(value: object) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    # Tables used as stores have NaN in empty cells.
    is_empty = isinstance(value, float) and math.isnan(value)
    return str(value) if isinstance(value, int | float | Decimal | date) and not is_empty else ""
