"""
Values of options: what an option accepts, in words, and plain values for those that are meant.

A number may be a string, as in YAML files and environment variables. A single string where a list
of names is meant is a list with this name. Both are true for every option of this kind.
"""

import inspect
import operator
import types
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import (
    Literal,
    SupportsFloat,
    SupportsIndex,
    TypeGuard,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from annotated_types import Ge, Gt, MinLen
from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo

from openrouter_rerank._tracebacks import ErrorsSuppressed, raise_if_from_signal
from openrouter_rerank.errors import ConfigurationError, OpenRouterRerankError, shown_value

_SECONDS = frozenset({"timeout", "score_ttl"})
# Seconds. No rerank call takes ten minutes. A timeout in milliseconds, the unit of some other
# clients, is often larger than this.
_LONGEST_TIMEOUT = 600.0
# A warning names the first line of the caller's code outside of these.
_NOT_THE_CALLER = frozenset(
    {"openrouter_rerank", "langchain_openrouter_rerank", "llamaindex_openrouter_rerank"}
    | {"langchain_core", "llama_index", "pydantic"}
)
# Characters.
_LONGEST_NUMBER = 40
_MOST_NAMES = 1_000

_Options = TypeVar("_Options")
_BOOLEANS = frozenset({"bool", "bool_"})
_ACCEPTED = {
    "model": "the slug of a model, such as 'cohere/rerank-v3.5'",
    "fallback_models": "a list of slugs, such as ['cohere/rerank-v3.5']",
    "api_key": "a string, or None",
    "app_categories": "a list of at most 2 names",
    "default_headers": "a mapping of header names to strings, or None",
    "budget": "a number of US dollars, 0 or more, a Budget, or None",
    "http_client": "an httpx.Client, an httpx2.Client, or None",
    "http_async_client": "an httpx.AsyncClient, an httpx2.AsyncClient, or None",
    "provider": "a mapping such as {'only': ['cohere']} or {'order': ['cohere']}, or None",
}
_PLAIN: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    str: "a string",
    tuple: "a list of strings",
    dict: "a mapping",
    bool: "True or False",
    Path: "a path",
    Callable: "a function",
}


def whole_number(value: object) -> int | None:
    """Return `value` as an `int` if it is an integer of Python or NumPy, else `None`."""
    if type(value) is int:
        # The check of a protocol below is slow.
        return value
    # The class is compared by name, because the booleans of old NumPy releases are indexes too.
    with ErrorsSuppressed():  # The methods of a user's class may raise any exception
        if isinstance(value, SupportsIndex) and type(value).__name__ not in _BOOLEANS:
            return operator.index(value)
    return None


def number_in(value: object) -> object:
    """Return the number that a string contains, such as "1.5"; other values are returned as is."""
    text = ""
    with ErrorsSuppressed():  # The attributes of a user's object may raise any exception
        text = str.__str__(value) if isinstance(value, str) else ""
    if len(text) <= _LONGEST_NUMBER and "_" not in text:
        for kind in (int, float):
            with suppress(ValueError):
                return kind(text)
    return value


def real_number(value: object) -> int | float | None:
    """Return `value` as a number of Python if it is one, or a string of one, else `None`."""
    value = number_in(value)
    number = whole_number(value)
    if number is not None or type(value).__name__ in _BOOLEANS:
        return number
    with ErrorsSuppressed():  # An array of NumPy has a `__float__` that may fail
        if isinstance(value, SupportsFloat):
            return float(value)
    return None


def names_in(name: str, value: object) -> object:
    """
    Return a string as a tuple with this string, and a list or a generator as a tuple.

    Other values are returned as is.

    Raises:
        ConfigurationError: If it has more than 1,000 names.
    """
    if isinstance(value, str):
        return (value,)
    if not _is_iterable(value):
        return value
    # Pydantic is not used, because it reads a generator without an end until the memory is used up.
    names = tuple(islice(value, _MOST_NAMES + 1))
    if len(names) > _MOST_NAMES:
        raise ConfigurationError(f"{name} must have at most {_MOST_NAMES:,} names")
    return names


def categories_in(value: object) -> object:
    """Return a set as a sorted tuple, because categories have no order; else as `names_in`."""
    if _is_set(value):
        return tuple(sorted(value, key=shown_value))
    return names_in("app_categories", value)


def first_options(options: _Options) -> _Options | dict[str, object]:
    """
    Return the first 1,000 options in a mapping of the user, which may have no end.

    Pydantic would read it to its end. A dict, and a value that is not a mapping, are returned
    unchanged.
    """
    if _is_mapping(options) and not isinstance(options, dict):
        return cast("dict[str, object]", dict(islice(options.items(), _MOST_NAMES)))
    return options


def checked_value(
    name: str, value: object, field: FieldInfo, check: Callable[[object], object]
) -> object:
    """
    Return the value that is meant for an option, as `check` returns it.

    Raises:
        ConfigurationError: If no value of the option can be meant.
    """
    with refused_if_unreadable(name, value, field):
        return check(_plain_value(name, value, field))


@contextmanager
def refused_if_unreadable(
    name: str, value: object, field: FieldInfo | None = None
) -> Generator[None]:
    """
    Refuse the value of an option if its methods raise an exception while it is checked.

    Raises:
        ConfigurationError: If they do.
    """
    try:
        yield
    except (OpenRouterRerankError, ValidationError):
        raise
    except Exception as error:  # noqa: BLE001 - The methods of a user's class may raise any
        raise_if_from_signal(error)
        raise ConfigurationError(refusal(name, value, field)) from None


def _plain_value(name: str, value: object, field: FieldInfo) -> object:
    if has_type(field, tuple):
        return _plain_names(name, value, field)
    if any(map(_is_enum, _kinds(field.annotation))) and not isinstance(value, str):
        # The error of an `Enum` has the whole `repr` of the value, which may have no end.
        raise ConfigurationError(refusal(name, value, field))
    if value is None or not (has_type(field, int) or has_type(field, float)):
        return value
    if type(value).__name__ in _BOOLEANS:
        # Pydantic would accept `True` as 1.
        raise ConfigurationError(refusal(name, value, field))
    number = real_number(value)
    if isinstance(number, int) or (number is not None and has_type(field, float)):
        return number
    if set(_kinds(field.annotation)) == {int}:
        # Pydantic would accept 1.0 as 1 in some classes of options, and not in others.
        raise ConfigurationError(refusal(name, value, field))
    return value


def _plain_names(name: str, value: object, field: FieldInfo) -> object:
    if value is None and None not in _arguments(field.annotation):
        return ()
    if name == "app_categories":
        value = categories_in(value)
    if _is_set(value) or _is_mapping(value):
        raise ConfigurationError(refusal(name, value, field))
    # One string is also one of the types of such an option, or a list of one name.
    return value if isinstance(value, str) and has_type(field, str) else names_in(name, value)


def warn_of_milliseconds(timeout: float) -> None:
    """Warn, at the line of the caller, of a timeout that is probably in milliseconds."""
    if timeout <= _LONGEST_TIMEOUT:
        return
    frame, level = inspect.currentframe(), 0
    while frame is not None and _package(frame) in _NOT_THE_CALLER:
        frame, level = frame.f_back, level + 1
    warnings.warn(
        f"timeout={timeout:g} means {timeout / 60:.0f} minutes: it is in seconds, not milliseconds",
        stacklevel=level + 1,
    )


def _package(frame: types.FrameType) -> str:
    name: object = frame.f_globals.get("__name__")
    return name.partition(".")[0] if isinstance(name, str) else ""


def all_names(fields: Mapping[str, FieldInfo]) -> frozenset[str]:
    """Return all names under which options are taken."""
    return frozenset(each for name, field in fields.items() for each in names_of(name, field))


def names_of(name: str, field: FieldInfo) -> tuple[str, ...]:
    """Return all names of one option, that of its field first."""
    match field.validation_alias:
        case AliasChoices(choices=choices):
            return (name, *(str(each) for each in choices if each != name))
        case str(alias):
            return (name, alias)
        case _:
            return (name,)


def has_type(field: FieldInfo, kind: type[object]) -> bool:
    """Return `True` if an option can be of the type `kind`."""
    return any(_class(each) is kind for each in _kinds(field.annotation))


def refusal(name: str, value: object, field: FieldInfo | None = None) -> str:
    """Return the text of the error for a value that an option does not accept."""
    text = f"{name} must be {accepted(name, field)}, got {shown_value(value)}"
    return f"{text}; a set has no order" if issubclass(type(value), AbstractSet) else text


def accepted(name: str, field: FieldInfo | None = None) -> str:
    """Return what an option accepts, such as "a whole number, 1 or more, or None"."""
    if name in _ACCEPTED:
        return _ACCEPTED[name]
    if field is None:
        return "another value"
    texts = [_accepted_kind(kind, field.metadata) for kind in _kinds(field.annotation)]
    seconds = " of seconds" if name in _SECONDS else ""
    *others, last = [f"{text}{seconds}" for text in texts] or ["another value"]
    if None in _arguments(field.annotation):
        return f"{', '.join([*others, last])}, or None"
    return " or ".join([*others, last])


def _accepted_kind(kind: object, limits: Sequence[object]) -> str:
    plain = _class(kind)
    lowest = next((each.ge for each in limits if isinstance(each, Ge)), None)
    if kind is int and lowest is not None:
        return f"a whole number, {lowest} or more"
    if kind is float and any(isinstance(each, Gt) for each in limits):
        return "a positive number"
    if kind is str and any(isinstance(each, MinLen) for each in limits):
        return "a string that is not empty"
    if get_origin(kind) is Literal:
        return _one_of(get_args(kind))
    if _is_enum(kind):
        return f"a {kind.__name__}, or {_one_of([each.value for each in kind])}"
    return _PLAIN.get(plain, f"an object of type {getattr(plain, '__name__', plain)}")


def _is_enum(kind: object) -> TypeGuard[type[Enum]]:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _class(kind: object) -> object:
    """Return the class without its parameters: `tuple` for `tuple[str, ...]`."""
    return get_origin(kind) or kind


def _one_of(values: Sequence[object]) -> str:
    *others, last = map(repr, values)
    return f"{', '.join(others)} or {last}" if others else last


def _arguments(annotation: object) -> tuple[object, ...]:
    """Return the types that an annotation allows, with `None` for the type of `None`."""
    is_union = get_origin(annotation) in {Union, types.UnionType}
    found = get_args(annotation) if is_union else (annotation,)
    return tuple(None if each is types.NoneType else each for each in found)


def _kinds(annotation: object) -> tuple[object, ...]:
    """Return the types that an annotation allows, without `None`."""
    return tuple(each for each in _arguments(annotation) if each is not None)


def _is_iterable(value: object) -> TypeGuard[Iterable[object]]:
    is_other = isinstance(value, str | bytes | bytearray | AbstractSet | Mapping)
    return isinstance(value, Iterable) and not is_other


def _is_set(value: object) -> TypeGuard[AbstractSet[object]]:
    return isinstance(value, AbstractSet)


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def order_of_change(value: object) -> int:
    """
    Return a sort key: in which order several options are to be changed.

    Values that remove or permit something come first, and those that forbid something come last,
    because some options exclude each other, and some need another one.
    """
    if value is None or value is True or (type(value) in {tuple, list} and not value):
        return 0
    return 2 if value is False else 1
