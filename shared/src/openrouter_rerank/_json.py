"""Writes JSON, and says what cannot be written."""

from typing import Literal

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json


def written(
    value: object, *, non_finite: Literal["constants", "null"] = "constants"
) -> bytes | None:
    """Write `value`; nothing if it is no JSON, or half a surrogate pair is in it."""
    try:
        return to_json(value, inf_nan_mode=non_finite)
    except ValueError:
        return None


def is_finite(value: object) -> bool:
    """Tell whether neither NaN nor infinity is in `value`: they are no JSON."""
    return written(value) == written(value, non_finite="null")


def mended(value: object) -> object:
    """Replace half a surrogate pair, which UTF-8 cannot express, by U+FFFD; join a whole one."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    try:
        tree = _TREE.validate_python(value)
        if isinstance(tree, dict):
            return {mended(key): mended(item) for key, item in tree.items()}
        return [mended(item) for item in tree]
    except (ValidationError, RecursionError):
        # What is no tree, or too deep a one, is left for the writer to refuse.
        return value


_TREE = TypeAdapter(dict[str, object] | list[object])
