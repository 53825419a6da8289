"""
Hides the secrets in options.

Pydantic quotes input in its errors, and a crash reporter shows the local variables of each frame
and the attributes of the objects in them.
"""

from collections.abc import Callable, Container, Mapping
from itertools import islice
from typing import TypeGuard

from pydantic import BaseModel, SecretStr

from openrouter_rerank._tracebacks import ErrorsSuppressed, clear_frames
from openrouter_rerank._wire.headers import HeaderFields
from openrouter_rerank.errors import ConfigurationError, shown_value

_HEADERS = frozenset({"default_headers", "extra_headers"})
_SECRETS = _HEADERS | {"api_key", "openrouter_api_key"}
NOT_SHOWN = _SECRETS | {"base_url", "openrouter_api_base", "api_base"}
"""Names of options whose values no message shows. A URL may contain a password."""


_MOST_HEADERS = 1_000
"""A server takes at most some hundred. A mapping of the user may have no end."""


class HiddenSecretStr(SecretStr):
    """
    A `SecretStr` whose value is not in its attributes either, where crash reporters find it.

    A pickle of it is restored as `None`.
    """

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        self._reveal: Callable[[], str] = lambda: value

    def get_secret_value(self) -> str:
        """Return the secret."""
        return self._reveal()

    def __len__(self) -> int:
        return len(self._reveal())

    def _display(self) -> str:
        # Crash reporters show a secret that could not be created, too.
        return "**********" if hasattr(self, "_reveal") and self._reveal() else ""

    def __eq__(self, other: object) -> bool:
        # The method of the base class compares only with objects of this class.
        return isinstance(other, SecretStr) and self._reveal() == other.get_secret_value()

    def __hash__(self) -> int:
        return hash(self._reveal())

    def __copy__(self) -> "HiddenSecretStr":
        return self

    def __deepcopy__(self, memo: object) -> "HiddenSecretStr":
        return self

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()


class _WrongType:
    """Replaces a value of the wrong type, which may contain a secret too."""

    def __repr__(self) -> str:
        return "a value of the wrong type"


def hide_secrets(options: Mapping[str, object], known: Container[str]) -> None:
    """
    Replace secrets in `options` by objects that do not show them.

    A key may have been passed under a misspelt name, so values of unknown options are replaced too.

    Args:
        options: The keywords of a function by name: a dict, which is changed in place.
        known: All names of options.
    """
    # The type of keywords with names is no `dict` for a type checker.
    if isinstance(options, dict):
        options.update(
            {
                name: hidden(options[name], name) if name in known else "not shown"
                for name in options
            }
        )


def hidden(value: object, name: str) -> object:
    """Return the value of the option `name`, or an object that does not show it if it is secret."""
    if name not in NOT_SHOWN or value is None:
        return value
    with ErrorsSuppressed():  # The methods of a user's class may raise any exception
        if name in _HEADERS and _is_headers(value):
            return _plain_headers(value)
        if name in _SECRETS and name not in _HEADERS and isinstance(value, str | SecretStr):
            return hidden_key(value)
        if name not in _SECRETS and isinstance(value, str):
            return value
    return _WrongType()


def _plain_headers(given: Mapping[str, str] | HeaderFields) -> HeaderFields:
    # One more than is allowed, so that too many are refused.
    names = islice(given.keys(), _MOST_HEADERS + 1)
    return HeaderFields({_content(name): _content(given[name]) for name in names})


def _content(text: str) -> str:
    # A subclass of `str` may have methods that do anything. Users pass other types too.
    return str.__str__(text) if _is_string(text) else text


def hidden_key(key: str | SecretStr) -> HiddenSecretStr:
    """Return `key` as an object that does not show it."""
    if isinstance(key, HiddenSecretStr):
        return key
    return HiddenSecretStr(_content(key if isinstance(key, str) else key.get_secret_value()))


def checked_headers(given: object, option: str) -> HeaderFields:
    """
    Return the headers in `given`, the value of `option`.

    Raises:
        ConfigurationError: If they are not strings, or too many. The message contains no value.
    """
    given = hidden(given, option)
    if not _is_headers(given):
        raise ConfigurationError(f"{option} must be a mapping of header names to strings, or None")
    if len(given) > _MOST_HEADERS:
        raise ConfigurationError(f"{option} must have at most {_MOST_HEADERS:,} headers")
    for name in given.keys():  # noqa: SIM118 - `HeaderFields` is not a mapping
        if not _is_string(name):
            raise ConfigurationError(
                f"{option} must have strings as names, got the name {shown_value(name)}"
            )
        if not _is_string(given[name]):
            raise ConfigurationError(f"{option}[{shown_value(name)}] must be a string")
    return HeaderFields(given)


def with_cleared_frames(method: str) -> object:
    """Return a method of Pydantic's models whose errors leave no input in the frames."""
    validate: Callable[..., object] = getattr(BaseModel, method).__func__

    def check(cls: type[BaseModel], /, *given: object, **settings: object) -> object:
        try:
            return validate(cls, *given, **settings)
        except BaseException as error:
            del given, settings
            clear_frames(error)
            raise

    check.__name__, check.__doc__ = method, validate.__doc__
    return classmethod(check)


def _is_string(value: object) -> bool:
    # Takes any `object`, so that a type checker does not call the check of a `str` useless.
    return isinstance(value, str)


def _is_headers(value: object) -> TypeGuard[Mapping[str, str] | HeaderFields]:
    return isinstance(value, Mapping | HeaderFields)
