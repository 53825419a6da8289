"""A Pydantic model of options that checks names and values, and hides secrets."""

import functools
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from openrouter_rerank._tracebacks import clear_frames
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError

from .completion import completion
from .display import docstring_with_options, docstring_without_options, options_signature
from .secrets import hidden, hide_secrets, with_cleared_frames
from .values import all_names, plain_value


class CheckedOptions(BaseModel):
    """
    Checks options like a Pydantic model, and describes what is wrong with them.

    The key and the headers are in no dump, no `repr` and no traceback. A changed option is checked
    like a new one.

    Raises:
        ConfigurationError: If there is no such option, or an option cannot be used. Pydantic's own
            functions, such as `model_validate`, raise a `ValidationError` with the same message.
    """

    def __init__(self, **options: object) -> None:
        try:
            is_closed = self.model_config.get("extra") == "forbid"
            hide_secrets(options, self._names() if is_closed else options.keys())
            super().__init__(**options)
            self._warn_of_values(options)
            self._check_created(options)
        except ValidationError as error:
            problem = self._problem(error, options)
        except BaseException as error:
            clear_frames(error, options)
            raise
        else:
            return
        # Raised here, because the error of Pydantic contains the input.
        options.clear()
        raise ConfigurationError(problem)

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        defer_build=True,
        extra="forbid",
        # The error would quote a key that was passed under a misspelt name.
        hide_input_in_errors=True,
        populate_by_name=True,
        validate_assignment=True,
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
        with completion.lock:
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
        return all_names(cls.model_fields)

    @classmethod
    def _problem(cls, error: ValidationError, given: Container[str]) -> str:
        # Imported only when an option was refused.
        from .problems import problem

        return problem(error, cls, given)

    def _check_created(self, given: Mapping[str, object]) -> None:
        """Check an object that was created from options, and not copied or restored."""

    def _warn_of_values(self, names: Container[str]) -> None:
        """Warn of values of the options `names` that are allowed, but probably a mistake."""

    @classmethod
    def of_keywords(cls, caller: str, keywords: dict[str, object]) -> Self:
        """
        Check the keywords of a client. Types are strict here: a number cannot replace a string.

        Args:
            caller: The class to name when an option is unknown.
            keywords: The options by name; secrets in them are hidden from tracebacks.

        Raises:
            ConfigurationError: If an option cannot be used; the message names it.
            TypeError: If there is no such option. The message names the one that is meant.
        """
        hide_secrets(keywords, cls._names())
        if unknown := keywords.keys() - cls._names():
            from .unknown_names import unknown_client_option

            raise TypeError(unknown_client_option(caller, min(unknown), cls._names()))
        if not cls.__pydantic_complete__:
            cls.model_rebuild()
        # Not by `model_validate`, which would call `__init__`, and that is not strict.
        options = cls.__new__(cls)
        try:
            cls.__pydantic_validator__.validate_python(keywords, strict=True, self_instance=options)
        except ValidationError as error:
            problem = cls._problem(error, keywords)
        else:
            return options
        raise ConfigurationError(problem)

    @model_validator(mode="wrap")
    @classmethod
    def _describe_problem(
        cls, options: dict[str, object] | Self, check: ModelWrapValidatorHandler[Self]
    ) -> Self:
        given = tuple(options) if isinstance(options, dict) else ()
        try:
            checked = check(options)
            checked.check_together()
        except ValidationError as error:
            problem = cls._problem(error, given)
        except (ConfigurationError, InvalidRequestError) as error:
            problem = error.message
        else:
            return checked
        # A traceback with local variables must not show the options.
        del options
        from .problems import refused

        raise refused(cls, problem)

    @field_validator("*", mode="before")
    @classmethod
    def _accept_plain_values(cls, given: object, info: ValidationInfo) -> object:
        name = info.field_name
        return given if name is None else plain_value(name, given, cls.model_fields[name])

    def check_together(self) -> None:
        """Check what one option alone does not show. Runs after each of them was checked."""

    def __setattr__(self, name: str, value: object) -> None:
        before, named = dict(self.__dict__), set(self.model_fields_set)
        try:
            value = hidden(value, name)
            super().__setattr__(name, value)
        except BaseException as error:
            # Pydantic sets the attribute before it validates the model, and keeps it if that fails.
            object.__setattr__(self, "__dict__", before)
            object.__setattr__(self, "__pydantic_fields_set__", named)
            del value
            if not isinstance(error, ValidationError):
                clear_frames(error)
                raise
            problem = self._problem(error, {name})
        else:
            self._warn_of_values({name})
            return
        raise ConfigurationError(problem)

    def model_copy(self, *, update: Mapping[str, object] | None = None, deep: bool = False) -> Self:
        """Return a copy. Unlike in Pydantic, the values in `update` are checked."""
        copy, changes = super().model_copy(deep=deep), dict(update or {})
        # Removed values first, because some options exclude each other, and some need another one.
        try:
            for name in sorted(changes, key=lambda name: _turn(changes[name])):
                setattr(copy, name, changes[name])
        except ConfigurationError:
            del update, changes
            raise
        return copy

    if not TYPE_CHECKING:

        @classmethod
        def model_construct(cls, _fields_set: set[str] | None = None, **values: object) -> Self:
            """Return an object with `values`. As in Pydantic, they are not checked."""
            values = {name: hidden(values[name], name) for name in values}
            return super().model_construct(_fields_set, **values)

        model_validate = with_cleared_frames("model_validate")
        model_validate_json = with_cleared_frames("model_validate_json")


def _turn(value: object) -> int:
    return 0 if value in (None, (), True) else 2 if value is False else 1
