"""
The options of the clients as fields, and their checks.

Each option has one field here: its name, type, check, default and description.
"""

import functools
import operator
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Self, SupportsIndex, TypeAlias, TypeGuard

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue, SkipJsonSchema
from pydantic_core import CoreSchema

from openrouter_rerank._wire.headers import HeaderFields, request_headers
from openrouter_rerank.budget import Budget
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.rate_limiter import RateLimiter, checked_limiter
from openrouter_rerank.score_store import ScoreStore, checked_store

from .display import (
    docstring_with_options,
    docstring_without_options,
    options_signature,
)
from .secrets import NOT_SHOWN, hide_secrets, hide_wrong_types

if TYPE_CHECKING:
    from openrouter_rerank.ranking import Ranking

    _OnResponse: TypeAlias = Callable[[Ranking], object]
else:
    # Pydantic checks only whether it is callable, so `Ranking` need not be imported for it.
    _OnResponse = Callable

DEFAULT_TIMEOUT = 30.0
"""Seconds. 95 of 100 calls are answered within 6 seconds, even with the slowest models."""
_SECONDS = frozenset({"timeout", "score_ttl"})


def whole_number(value: object) -> int | None:
    """Return `value` as an `int` if it is an integer of Python or NumPy, else `None`."""
    if type(value) is int:
        # The check of a protocol below is slow.
        return value
    # By name: the booleans of old NumPy releases are indexes too.
    if isinstance(value, SupportsIndex) and type(value).__name__ not in {"bool", "bool_"}:
        with suppress(TypeError):
            return operator.index(value)
    return None


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


class _Completion:
    """Completes one class at a time."""

    def __init__(self) -> None:
        self.renew_lock()

    def renew_lock(self) -> None:
        # Completing a class completes the classes of its fields too, in the same thread.
        self.lock = threading.RLock()


_completion = _Completion()
if hasattr(os, "register_at_fork"):
    # Another thread of the parent may hold the lock, and does not exist in the child.
    os.register_at_fork(after_in_child=_completion.renew_lock)


class ClientOptions(BaseModel):
    """
    Configures a client.

    The options can be written as JSON or YAML, except those that hold a function, a store or a
    limiter. The key and the headers are in no dump and in no `repr`. A changed option is checked
    like a new one.
    """

    def __init__(self, **options: object) -> None:
        # Pydantic quotes input in its errors, and a traceback shows the locals of this frame.
        is_strict = self.model_config.get("extra") == "forbid"
        hide_secrets(options, self._names() if is_strict else options.keys())
        super().__init__(**options)

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        defer_build=True,
        extra="forbid",
        # The error would quote a key that was passed under a misspelt name.
        hide_input_in_errors=True,
        populate_by_name=True,
        validate_assignment=True,
    )

    api_key: SecretStr | None = Field(
        default=None,
        description="Your OpenRouter API key. Default: `OPENROUTER_API_KEY` in the environment, "
        "read at each call.",
        exclude=True,
        repr=False,
        validation_alias=AliasChoices("api_key", "openrouter_api_key"),
    )
    base_url: str | None = Field(
        default=None,
        description="Base URL of the API, with or without `/rerank`; https, or http to loopback. "
        "Default: `OPENROUTER_API_BASE` in the environment, else OpenRouter.",
        validation_alias=AliasChoices("base_url", "openrouter_api_base", "api_base"),
    )
    app_url: str | None = Field(
        default=None,
        description="URL of your app, sent as `HTTP-Referer`. Default: `OPENROUTER_APP_URL` in "
        "the environment.",
    )
    app_title: str | None = Field(
        default=None,
        description="Name of your app on openrouter.ai. Default: `OPENROUTER_APP_TITLE` in the "
        "environment.",
    )
    app_categories: tuple[str, ...] = Field(
        default=(), description="Marketplace categories of your app, at most 2."
    )
    default_headers: dict[str, str] | None = Field(
        default=None,
        description="Extra request headers. They override the client's own.",
        exclude=True,
        repr=False,
    )
    timeout: float = Field(
        default=DEFAULT_TIMEOUT,
        description="Seconds that a whole call may take, more than 0: attempts, waits, the "
        "response body and fallback models.",
        gt=0,
        allow_inf_nan=False,
    )
    max_retries: int = Field(
        default=2,
        description="Attempts after the first, 0 or more. An attempt that may have been billed is "
        "repeated at most once.",
        ge=0,
    )
    max_concurrency: int = Field(
        default=8,
        description="Maximum number of requests in flight, at least 1; for async calls, in each "
        "event loop.",
        ge=1,
    )
    budget: Budget | None = Field(
        default=None,
        description="Spending limit in US dollars, or a `Budget` to share. Calls are refused once "
        "it is spent.",
    )
    score_store: SkipJsonSchema[ScoreStore | None] = Field(
        default=None,
        description="Caches scores, so that you never pay twice for the same score. Accepts any "
        "LangChain `BaseStore` of bytes.",
        exclude=True,
        repr=False,
    )
    score_ttl: float | None = Field(
        default=None,
        description="Seconds after which a cached score is requested again, more than 0. Default: "
        "never.",
        gt=0,
        allow_inf_nan=False,
    )
    rate_limiter: SkipJsonSchema[RateLimiter | None] = Field(
        default=None,
        description="Gives permission for each request: a `WindowRateLimiter`, or a rate limiter "
        "of LangChain.",
        exclude=True,
        repr=False,
    )
    on_response: SkipJsonSchema[_OnResponse | None] = Field(
        default=None,
        description="Called with each `Ranking`, for example to add up cost and usage.",
        exclude=True,
        repr=False,
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        """Show the options of each subclass in its signature and in its docstring."""
        # A subclass without a docstring inherits that of its base, options included.
        if text := vars(cls).get("__doc__"):
            cls.__doc__ = docstring_with_options(str(text), cls._shown_fields())
        cls._show_signature()

    @classmethod
    def model_rebuild(
        cls,
        *,
        force: bool = False,
        raise_errors: bool = True,
        _parent_namespace_depth: int = 2,
        _types_namespace: Mapping[str, object] | None = None,
    ) -> bool | None:
        """Complete the class, which Pydantic does before it is first used."""
        # Pydantic before 2.14 fails if several threads use a class for the first time at once.
        with _completion.lock:
            completed = super().model_rebuild(
                force=force,
                raise_errors=raise_errors,
                _parent_namespace_depth=_parent_namespace_depth + 1,
                _types_namespace=_types_namespace,
            )
            # Pydantic has replaced the signature.
            cls._show_signature()
        return completed

    @classmethod
    def _show_signature(cls) -> None:
        # By `setattr`, because classes do not declare it.
        setattr(cls, "__signature__", options_signature(cls._shown_fields()))  # noqa: B010

    @classmethod
    def _shown_fields(cls) -> Mapping[str, FieldInfo]:
        """Return the options in the order in which they are shown."""
        return cls.model_fields

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        """Leave the list of options out of the description: a schema has properties."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        resolved = handler.resolve_ref_schema(schema)
        if "description" in resolved:
            resolved["description"] = docstring_without_options(resolved["description"])
        return schema

    @classmethod
    @functools.cache
    def _names(cls) -> frozenset[str]:
        """Return all names under which options are taken."""
        names = set(cls.model_fields)
        for field in cls.model_fields.values():
            if isinstance(field.validation_alias, AliasChoices):
                names.update(map(str, field.validation_alias.choices))
            elif isinstance(field.validation_alias, str):
                names.add(field.validation_alias)
        return frozenset(names)

    @classmethod
    def of_keywords(cls, caller: str, keywords: dict[str, object]) -> Self:
        """
        Check the keywords of a client. Types are strict here: a number is no string.

        Args:
            caller: The class to name when an option is unknown.
            keywords: The options by name; secrets in them are hidden from tracebacks.

        Raises:
            ConfigurationError: If an option cannot be used; the message names it.
            TypeError: If there is no such option.
        """
        hide_secrets(keywords, cls._names())
        hide_wrong_types(keywords)
        if unknown := keywords.keys() - cls._names():
            raise TypeError(f"{caller}() has no option {min(unknown)!r:.50}")
        if not cls.__pydantic_complete__:
            cls.model_rebuild()
        # Not by `model_validate`, which would call `__init__`, and that is not strict.
        options = cls.__new__(cls)
        try:
            cls.__pydantic_validator__.validate_python(keywords, strict=True, self_instance=options)
        except ValidationError as error:
            problem = _problem(error)
        else:
            return options
        raise ConfigurationError(problem)

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        # Imported here, because importing the class must not import `ipaddress`.
        from openrouter_rerank._wire.endpoint import checked_key

        if isinstance(error := checked_key(key), ConfigurationError):
            raise error
        return key

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, base_url: str | None) -> str | None:
        if base_url is not None and base_url.strip():
            from openrouter_rerank._wire.endpoint import destination

            destination(base_url)
        return base_url

    @field_validator("app_categories", "max_retries", "max_concurrency", mode="before")
    @classmethod
    def _accept_lists_and_numpy_integers(cls, given: object) -> object:
        # Strict validation refuses a list for a tuple, and the integers of NumPy.
        if _is_list(given):
            return tuple(given)
        number = whole_number(given)
        return given if number is None else number

    @field_validator("score_store", "rate_limiter", mode="before")
    @classmethod
    def _check_methods(cls, given: object, info: ValidationInfo) -> object:
        check = checked_store if info.field_name == "score_store" else checked_limiter
        try:
            return check(given)
        except ConfigurationError as error:
            # Pydantic reports it together with the other options that cannot be used.
            raise ValueError(error.message) from None

    @model_validator(mode="after")
    def _check_headers(self) -> Self:
        self.request_headers()
        return self

    def request_headers(self) -> HeaderFields:
        """
        Return the headers of every request, except those with the key and the length.

        Raises:
            ConfigurationError: If a value, given or of the environment, cannot be sent.
        """
        return request_headers(
            app_url=_or_environment(self.app_url, "OPENROUTER_APP_URL"),
            app_title=_or_environment(self.app_title, "OPENROUTER_APP_TITLE"),
            app_categories=self.app_categories,
            default_headers=HeaderFields(self.default_headers or {}),
        )

    def __setattr__(self, name: str, value: object) -> None:
        before, named = dict(self.__dict__), set(self.model_fields_set)
        try:
            super().__setattr__(name, value)
        except Exception:
            # Pydantic sets the attribute before it validates the model, and keeps it if that fails.
            object.__setattr__(self, "__dict__", before)
            object.__setattr__(self, "__pydantic_fields_set__", named)
            raise


def _or_environment(given: str | None, variable: str) -> str | None:
    return given if given is not None else os.environ.get(variable) or None


def _problem(error: ValidationError) -> str:
    """Return the message for the first option that Pydantic has refused."""
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, ValueError):
        return str(cause)
    option = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        # Unknown names have been refused before, so it is the second name of a known option.
        return f"{option} is another name of an option that was passed too: pass one of them"
    rule = first["msg"].removeprefix("Input should be ")
    if option in _SECONDS:
        rule = "a positive number of seconds"
    given = "" if first["loc"][0] in NOT_SHOWN else f", got {first['input']!r:.50}"
    return f"{option} must be {rule}{given}"


ClientOptions.__pydantic_init_subclass__()
