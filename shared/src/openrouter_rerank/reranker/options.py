"""The options that both framework classes have: each field, its check and its default, once."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, TypeGuard

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from openrouter_rerank._wire.headers import HeaderFields
from openrouter_rerank.budget import Budget
from openrouter_rerank.client_options import DEFAULT_TIMEOUT
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.http_client import AsyncHTTPClient, HTTPClient
from openrouter_rerank.models import DEFAULT_MODEL, known_model
from openrouter_rerank.rate_limiter import RateLimiter, checked_limiter
from openrouter_rerank.score_store import ScoreStore, checked_store

if TYPE_CHECKING:
    from openrouter_rerank.ranking import Ranking

    _OnResponse: TypeAlias = Callable[[Ranking], object]
else:
    # Pydantic asks no more than whether it can be called, and needs no ranking for that.
    _OnResponse = Callable
_KEYS = frozenset({"api_key", "openrouter_api_key"})


class RerankOptions(BaseModel):
    """
    Configures a reranker; all fields without a callable or a client can be written as JSON or YAML.

    The key, the headers and the clients are in no dump, `repr` or pickle. Options may be changed
    at any time and hold for the next call.
    """

    def __init__(self, **options: object) -> None:
        # Pydantic quotes what it is given in its errors, and shows it in a traceback with locals.
        covered = {name: _covered(type(self), name, options[name]) for name in options}
        options.clear()
        super().__init__(**covered)

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        defer_build=True,
        extra="forbid",
        # A key under a misspelt name would be quoted in the error.
        hide_input_in_errors=True,
        populate_by_name=True,
        validate_assignment=True,
    )

    model: str = Field(
        default=DEFAULT_MODEL,
        min_length=1,
        validation_alias=AliasChoices("model", "model_name"),
    )
    """The slug of the model; OpenRouter's own example by default."""
    fallback_models: tuple[str, ...] = ()
    """Asked in order when the model before could not answer. One ranking has one model's scores."""
    top_n: int | None = Field(default=None, ge=1)
    """How many documents to return; all by default: reranking loses nothing unless asked."""
    score_threshold: float | None = Field(default=None, allow_inf_nan=False)
    """Keep ranked documents with at least this score. Each model has a scale of its own."""
    api_key: SecretStr | None = Field(
        default=None,
        exclude=True,
        repr=False,
        validation_alias=AliasChoices("api_key", "openrouter_api_key"),
    )
    """By default `OPENROUTER_API_KEY` of the environment, looked up at each call."""
    base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("base_url", "openrouter_api_base", "api_base"),
    )
    """By default `OPENROUTER_API_BASE` of the environment, else OpenRouter; https only."""
    app_url: str | None = None
    """Your app's URL (`HTTP-Referer`); by default `OPENROUTER_APP_URL`."""
    app_title: str | None = None
    """Your app's name on openrouter.ai; by default `OPENROUTER_APP_TITLE`."""
    app_categories: tuple[str, ...] = ()
    """At most 2 marketplace categories."""
    session_id: str | None = None
    """Groups requests in OpenRouter's activity page; 256 characters at most."""
    user: str | None = None
    """An id of your user, for OpenRouter's abuse detection."""
    trace: dict[str, JsonValue] | None = None
    """Passed on to the observability tools connected to the OpenRouter account."""
    provider: dict[str, JsonValue] | None = Field(
        default=None, validation_alias=AliasChoices("provider", "openrouter_provider")
    )
    """Which providers may serve a request; see `openrouter_rerank.ProviderPreferences`."""
    extra_body: dict[str, JsonValue] | None = Field(
        default=None, validation_alias=AliasChoices("extra_body", "model_kwargs")
    )
    """Further fields of the request, passed on as they are."""
    default_headers: dict[str, str] | None = Field(default=None, exclude=True, repr=False)
    """Further headers; they win over ours."""
    timeout: float = Field(default=DEFAULT_TIMEOUT, gt=0, allow_inf_nan=False)
    """Seconds that a whole call may take: attempts, waits, body, fallback models."""
    max_retries: int = Field(default=2, ge=0)
    """Attempts after the first. What may have been billed is repeated once at most."""
    max_concurrency: int = Field(default=8, ge=1)
    """Requests in flight at a time."""
    max_documents_per_request: int | None = Field(default=None, ge=1)
    """More go out in several requests, merged by score; by default if the model's limit is met."""
    on_error: Literal["raise", "passthrough"] = "raise"
    """`passthrough`: while the service fails, keep the retriever's order and scores, and warn."""
    unscorable: Literal["keep", "drop", "raise"] = "keep"
    """What becomes of documents with nothing to rank: kept behind the others, dropped, an error."""
    image_mode: Literal["auto", "always", "never"] = "auto"
    """`auto`: images are sent if all models asked are known to take them, else the text alone."""
    image_root: Path | None = None
    """The only folder from which local images may be read; none by default."""
    max_image_bytes: int = Field(default=20_000_000, ge=1)
    """Larger images are not sent; NVIDIA's route failed at 30 MB a request."""
    budget: Budget | None = None
    """US dollars after which no call is made, or a `Budget` that several rerankers share."""
    score_store: SkipJsonSchema[ScoreStore | None] = Field(default=None, exclude=True, repr=False)
    """Keeps scores, so that none is paid for twice: any byte store with the verbs of LangChain."""
    score_ttl: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds after which a kept score is asked for again; never by default."""
    rate_limiter: SkipJsonSchema[RateLimiter | None] = Field(default=None, exclude=True, repr=False)
    """Asked before each request: a `WindowRateLimiter`, or a limiter of LangChain."""
    http_client: SkipJsonSchema[HTTPClient | None] = Field(default=None, exclude=True, repr=False)
    """An `httpx.Client` or `httpx2.Client` to use as it is; it is never closed here."""
    http_async_client: SkipJsonSchema[AsyncHTTPClient | None] = Field(
        default=None, exclude=True, repr=False
    )
    """The same for asynchronous calls."""
    on_response: SkipJsonSchema[_OnResponse | None] = Field(default=None, exclude=True, repr=False)
    """Called with each ranking, to count cost and usage."""

    @field_validator("score_store", "rate_limiter", mode="before")
    @classmethod
    def _check_kind(cls, given: object, info: ValidationInfo) -> object:
        check = checked_store if info.field_name == "score_store" else checked_limiter
        try:
            return check(given)
        except ConfigurationError as error:
            # Pydantic tells it among what else is wrong.
            raise ValueError(error.message) from None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.score_threshold is not None and self.fallback_models:
            raise ConfigurationError(
                "score_threshold and fallback_models exclude each other: each model has a scale of "
                "its own, so a threshold for one means nothing for another"
            )
        return self

    def sends_images(self) -> bool:
        """Tell whether images of documents are sent."""
        if self.image_mode == "auto":
            models = [known_model(slug) for slug in (self.model, *self.fallback_models)]
            return all(model is not None and model.takes_images for model in models)
        return self.image_mode == "always"

    def __setattr__(self, name: str, value: object) -> None:
        before, named = dict(self.__dict__), set(self.model_fields_set)
        try:
            super().__setattr__(name, value)
        except Exception:
            # Pydantic checks the whole after it has set the part, and leaves it there.
            object.__setattr__(self, "__dict__", before)
            object.__setattr__(self, "__pydantic_fields_set__", named)
            raise


def _covered(kind: type[BaseModel], name: str, value: object) -> object:
    """Return what stands for an option until it is checked; a key may have any unknown name."""
    if name in _KEYS and isinstance(value, str):
        return SecretStr(value)
    if name == "default_headers" and _is_headers(value):
        return HeaderFields(value)
    if kind.model_config.get("extra") == "forbid" and name not in _names(kind):
        return "not shown"
    return value


def _is_headers(value: object) -> TypeGuard[Mapping[str, str]]:
    return isinstance(value, Mapping)


@functools.cache
def _names(kind: type[BaseModel]) -> frozenset[str]:
    names = set(kind.model_fields)
    for field in kind.model_fields.values():
        alias = field.validation_alias
        names |= (
            {str(each) for each in alias.choices}
            if isinstance(alias, AliasChoices)
            else {str(alias)}
        )
    return frozenset(names)
