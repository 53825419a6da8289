"""Copies the mappings that are sent as JSON, such as `trace`, and refuses what is not JSON."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from openrouter_rerank._tracebacks import raise_if_from_signal
from openrouter_rerank.errors import InvalidRequestError, shown_value

# Objects and lists within each other.
_DEEPEST = 100
# Copying this many takes 0.03 s. A list that holds a list twice, which holds a list twice, and so
# on, has a billion values at 30 levels.
_MOST_VALUES = 20_000
# Bits. Python reads no number of more than 4,300 digits, and other JSON readers read less.
_LARGEST_NUMBER = 14_000


def json_mapping(name: str, value: Mapping[object, object]) -> dict[str, object]:
    """
    Return a copy of a mapping of JSON values, of plain types only: lists for tuples, for example.

    Args:
        name: The name of the option, for errors.
        value: The mapping. It may be of any class, and contain itself.

    Raises:
        InvalidRequestError: If it is not JSON, or too large. The message names the place.
    """
    copy = _Copy(name)
    try:
        return copy.of_mapping(value)
    except InvalidRequestError:
        raise
    except Exception as error:  # noqa: BLE001 - The methods of a user's class may raise any
        raise_if_from_signal(error)
        problem = f"{copy.where()} cannot be read, because it raises {type(error).__name__}"
    raise InvalidRequestError(f"{problem}: use plain JSON values")


class _Copy:
    """One copy of a value of the option `name`, and the place that it has reached."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._path: list[object] = []
        """The keys and positions that lead from the option to the value."""
        self._outer: list[int] = []
        """The `id` of each object and list around the value."""
        self._left = _MOST_VALUES

    def where(self) -> str:
        """Return the place of the value, such as `trace['a'][0]`. Of a long path, both ends."""
        keys = [f"[{shown_value(key)}]" for key in (*self._path[:3], *self._path[3:][-1:])]
        if len(self._path) > len(keys):
            keys.insert(3, "...")
        return self._name + "".join(keys)

    def of_mapping(self, fields: Mapping[object, object]) -> dict[str, object]:
        """Return a copy of an object of JSON."""
        self._outer.append(id(fields))
        found: dict[str, object] = {}
        for key, value in fields.items():
            if not isinstance(key, str):
                raise InvalidRequestError(
                    f"{self.where()} must have strings as names, got the name {shown_value(key)}"
                )
            self._path.append(key)
            # If it is of a subclass of `str`, take the content.
            found[str.__str__(key)] = self._of_value(value)
            self._path.pop()
        self._outer.pop()
        return found

    def _of_list(self, values: Sequence[object]) -> list[object]:
        self._outer.append(id(values))
        found: list[object] = []
        for at, value in enumerate(values):
            self._path.append(at)
            found.append(self._of_value(value))
            self._path.pop()
        self._outer.pop()
        return found

    def _of_value(self, value: object) -> object:
        self._left -= 1
        if self._left < 0:
            raise InvalidRequestError(
                f"{self._name} has more than {_MOST_VALUES:,} values: use fewer"
            )
        if value is None or isinstance(value, bool):
            return value
        plain = _scalar(value)
        return self._of_container(value) if plain is None else plain

    def _of_container(self, value: object) -> object:
        if id(value) in self._outer:
            raise InvalidRequestError(f"{self.where()} contains itself")
        if len(self._outer) > _DEEPEST:
            raise InvalidRequestError(f"{self.where()} has more than {_DEEPEST} levels: use fewer")
        if _is_mapping(value):
            return self.of_mapping(value)
        if _is_list(value):
            return self._of_list(value)
        raise InvalidRequestError(f"{self.where()} must be a JSON value, got {shown_value(value)}")


def _scalar(value: object) -> str | int | float | None:
    """Return the content of a string or a number; `None` for what is neither, or cannot be sent."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and int.bit_length(value) <= _LARGEST_NUMBER:
        return int.__index__(value)
    if isinstance(value, float) and math.isfinite(number := float.__float__(value)):
        return number
    return None


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview)
