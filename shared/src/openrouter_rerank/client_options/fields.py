"""
The options of the clients as fields, and their checks.

Each option has one field here: its name, type, check, default and description.
"""

import functools
import os
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Self, TypeAlias

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue, SkipJsonSchema
from pydantic_core import CoreSchema

from openrouter_rerank._tracebacks import clear_frames
from openrouter_rerank._wire.headers import HeaderFields, request_headers
from openrouter_rerank.budget import Budget
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError
from openrouter_rerank.rate_limiter import RateLimiter, checked_limiter
from openrouter_rerank.score_store import ScoreStore, checked_store

from .completion import completion_lock
from .display import remove_options_from_description, show_in_docstring, show_in_signature
from .long_documents import (
    DEFAULT_PASSAGE_TOKENS,
    LEAST_PASSAGE_TOKENS,
    LongDocumentPolicy,
    LongDocumentRules,
)
from .secrets import checked_headers, hidden, hidden_key, hide_secrets, with_cleared_frames
from .values import all_names, checked_value, first_options, order_of_change, warn_of_milliseconds

if TYPE_CHECKING:
    from openrouter_rerank.ranking import Ranking

    _OnResponse: TypeAlias = Callable[[Ranking], object]
else:
    # Pydantic checks only whether it is callable, so `Ranking` need not be imported for it.
    _OnResponse = Callable

DEFAULT_TIMEOUT = 30.0
"""Seconds. 95 of 100 calls are answered within 6 seconds, even with the slowest models."""


class ClientOptions(BaseModel):
    """
    Configures a client.

    The options can be written as JSON or YAML, except those that hold a function, a store or a
    limiter. The key and the headers are in no dump and in no `repr`. A changed option is checked
    like a new one.

    A number may be a string, as in YAML files and environment variables, and one string is accepted
    where a list of names is meant.

    Raises:
        ConfigurationError: If there is no such option, or an option cannot be used. Pydantic's own
            functions, such as `model_validate`, raise a `ValidationError` with the same message.
    """

    def __init__(self, **options: object) -> None:
        try:
            is_closed = self.model_config.get("extra") == "forbid"
            hide_secrets(options, self._names() if is_closed else options.keys())
            super().__init__(**options)
            self._check_created(options)
        except ValidationError as error:
            problem = self._problem(error, options)
            # Options that do not fit together were set before that was seen.
            vars(self).clear()
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
    allow_insecure_http: bool = Field(
        default=False,
        description="Accept http to other machines too, for a gateway in your own network: the key "
        "and the documents are then sent unencrypted.",
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
    default_headers: Mapping[str, str] | None = Field(
        default=None,
        description="Extra request headers. They override the client's own.",
        exclude=True,
        repr=False,
    )
    timeout: float = Field(
        default=DEFAULT_TIMEOUT,
        description="Seconds that a whole call may take, more than 0: attempts, waits, the "
        "response body and fallback models. More than 600 causes a warning, because "
        "`ChatOpenRouter` counts milliseconds.",
        gt=0,
        allow_inf_nan=False,
    )
    max_retries: int = Field(
        default=2,
        description="Attempts after the first, 0 or more. An attempt that may have been billed is "
        "repeated at most once, and never with 0.",
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
    long_documents: LongDocumentPolicy = Field(
        default="truncate",
        description='What to do with documents that exceed the model\'s context: "truncate" (the '
        'service ranks only their start), "split" (rank them by their best passage), or "raise" an '
        "error.",
    )
    passage_tokens: int = Field(
        default=DEFAULT_PASSAGE_TOKENS,
        description="Maximum length of a passage in estimated tokens, at least 32, if "
        '`long_documents` is "split".',
        ge=LEAST_PASSAGE_TOKENS,
    )
    max_passages: int | None = Field(
        default=None,
        description="Maximum passages of one document, at least 1; the text behind them is not "
        "ranked. Default: all.",
        ge=1,
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
        show_in_docstring(cls, cls._shown_fields())
        show_in_signature(cls, cls._shown_fields())

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
        # Pydantic before 2.14 fails if several threads use a new class at the same time.
        with completion_lock.value:
            completed = super().model_rebuild(
                force=force,
                raise_errors=raise_errors,
                _parent_namespace_depth=_parent_namespace_depth + 1,
                _types_namespace=_types_namespace,
            )
            # Pydantic has replaced the signature.
            show_in_signature(cls, cls._shown_fields())
        return completed

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
        remove_options_from_description(handler.resolve_ref_schema(schema))
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
        if "timeout" in given:
            warn_of_milliseconds(self.timeout)

    @model_validator(mode="wrap")
    @classmethod
    def _describe_problem(
        cls, options: dict[str, object] | Self, check: ModelWrapValidatorHandler[Self]
    ) -> Self:
        options = first_options(options)
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

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        # Imported here, because importing the class must not import `ipaddress`.
        from openrouter_rerank._wire.endpoint import checked_key

        if isinstance(error := checked_key(key), ConfigurationError):
            raise error
        return None if key is None else hidden_key(key)

    @field_validator("default_headers", mode="wrap")
    @classmethod
    def _hide_headers(cls, given: object, _: object) -> HeaderFields | None:
        return None if given is None else checked_headers(given, "default_headers")

    @field_validator("score_store", "rate_limiter", mode="before")
    @classmethod
    def _check_methods(cls, given: object, info: ValidationInfo) -> object:
        return (checked_store if info.field_name == "score_store" else checked_limiter)(given)

    # After the other validators, because it runs them.
    @field_validator("*", mode="wrap")
    @classmethod
    def _accept_plain_values(
        cls, given: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        name = info.field_name or ""
        return checked_value(name, given, cls.model_fields[name], check)

    def check_together(self) -> None:
        """Check what one option alone does not show, as each call does again."""
        self.request_headers()
        if self.base_url is not None and self.base_url.strip():
            from openrouter_rerank._wire.endpoint import destination

            destination(self.base_url, "base_url", self.allow_insecure_http)

    def request_headers(self) -> HeaderFields:
        """
        Return the headers of every request, except those with the key and the length.

        Raises:
            ConfigurationError: If a value, given or of the environment, cannot be sent.
        """
        return request_headers(
            app_url=self.app_url,
            app_title=self.app_title,
            app_categories=self.app_categories,
            default_headers=HeaderFields(self.default_headers or {}),
            environment=os.environ,
        )

    def long_document_rules(self) -> LongDocumentRules:
        """Return the options for long documents."""
        return LongDocumentRules(self.long_documents, self.passage_tokens, self.max_passages)

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
            if name == "timeout":
                warn_of_milliseconds(self.timeout)
            return
        raise ConfigurationError(problem)

    def model_copy(self, *, update: Mapping[str, object] | None = None, deep: bool = False) -> Self:
        """Return a copy. Unlike in Pydantic, the values in `update` are checked."""
        copy, changes = super().model_copy(deep=deep), dict(update or {})
        # Removed values first, because some options exclude each other, and some need another one.
        try:
            for name in sorted(changes, key=lambda name: order_of_change(changes[name])):
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


ClientOptions.__pydantic_init_subclass__()
