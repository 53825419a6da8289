"""The options that both framework packages have beyond those of the clients."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeGuard

from pydantic import AliasChoices, Field, JsonValue, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic.json_schema import SkipJsonSchema

from openrouter_rerank.client_options.fields import ClientOptions
from openrouter_rerank.client_options.json_values import json_mapping
from openrouter_rerank.client_options.keywords import RequestFields
from openrouter_rerank.client_options.values import refused_if_unreadable
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.http_client import (
    AsyncHTTPClient,
    HTTPClient,
    refuse_async,
    refuse_sync,
)
from openrouter_rerank.models import DEFAULT_MODEL, image_model, known_model, model_for


class RerankOptions(ClientOptions):
    """
    Configures a reranker.

    The options can be written as JSON or YAML, except those that hold a function, a client, a store
    or a limiter. The key, the headers and the clients are in no dump, `repr` or pickle. Options may
    be changed at any time; the next call uses the new values.
    """

    model: str = Field(
        default=DEFAULT_MODEL,
        description="Slug of the rerank model. Default: the model of OpenRouter's own examples.",
        min_length=1,
        validation_alias=AliasChoices("model", "model_name"),
    )
    fallback_models: tuple[str, ...] = Field(
        default=(),
        description="Models to try, in order, if `model` fails or is unavailable. A ranking never "
        "mixes models.",
    )
    top_n: int | None = Field(
        default=None,
        description="Number of documents to return, at least 1. Default: all of them, so that "
        "reranking loses nothing.",
        ge=1,
    )
    score_threshold: float | None = Field(
        default=None,
        description="Return only ranked documents with at least this score, and none without a "
        "score. A call that ranks nothing, because the query is blank or `on_error` lets a failure "
        "pass, returns the retriever's order. Cannot be combined with `fallback_models`, because "
        "each model has its own score scale.",
        allow_inf_nan=False,
    )
    session_id: str | None = Field(
        default=None,
        description="Groups requests on OpenRouter's activity page; at most 256 characters.",
    )
    user: str | None = Field(
        default=None, description="ID of your end user, for OpenRouter's abuse detection."
    )
    trace: dict[str, JsonValue] | None = Field(
        default=None,
        description="Metadata for the observability tools connected to your OpenRouter account.",
    )
    provider: dict[str, JsonValue] | None = Field(
        default=None,
        description="Which providers may serve a request: see "
        "`openrouter_rerank.ProviderPreferences`.",
        validation_alias=AliasChoices("provider", "openrouter_provider"),
    )
    extra_body: dict[str, JsonValue] | None = Field(
        default=None,
        description="Extra fields of the request body, sent unchanged.",
        validation_alias=AliasChoices("extra_body", "model_kwargs"),
    )
    max_documents_per_request: int | None = Field(
        default=None,
        description="Maximum documents per request, at least 1; longer lists are split and merged. "
        "Default: the model's limit.",
        ge=1,
    )
    on_error: Literal["raise", "passthrough", "passthrough_all"] = Field(
        default="raise",
        description='What to do if reranking fails: "raise" the error, or "passthrough" to log a '
        "warning and return the retriever's order if the failure is temporary. "
        '"passthrough_all" does so for every failure of the service, the account or the budget. '
        "Wrong options and arguments are always raised.",
    )
    unscorable: Literal["keep", "drop", "raise"] = Field(
        default="keep",
        description='Documents with nothing to rank: "keep" them behind the ranked ones (with '
        '`score_threshold`, they are left out), "drop" them, or "raise" an error, also for an '
        "image that cannot be sent.",
    )
    image_mode: Literal["auto", "always", "never"] = Field(
        default="auto",
        description='Whether images are sent: "auto" (only if every model is known to take them), '
        '"always" or "never". Otherwise only the text is sent.',
    )
    image_root: Path | None = Field(
        default=None,
        description="The only folder from which local images are read. It must exist. Default: "
        "none.",
    )
    max_image_bytes: int = Field(
        default=20_000_000,
        description="Size in bytes of the largest image that is sent. NVIDIA's models have failed "
        "at 30 MB a request.",
        ge=1,
    )
    http_client: SkipJsonSchema[HTTPClient | None] = Field(
        default=None,
        description="An `httpx.Client` or `httpx2.Client` for sync calls, used as it is and never "
        "closed.",
        exclude=True,
        repr=False,
    )
    http_async_client: SkipJsonSchema[AsyncHTTPClient | None] = Field(
        default=None,
        description="An `httpx.AsyncClient` or `httpx2.AsyncClient` for async calls, used as it "
        "is and never closed.",
        exclude=True,
        repr=False,
    )

    @classmethod
    def _shown_fields(cls) -> Mapping[str, FieldInfo]:
        # First what is ranked, then how it is sent, then the fields of the frameworks.
        fields = cls.model_fields
        return {
            name: fields[name]
            for name in sorted(
                fields,
                key=lambda name: (
                    fields[name].description is None,
                    name in ClientOptions.model_fields,
                ),
            )
        }

    @field_validator("trace", "provider", "extra_body", mode="before")
    @classmethod
    def _accept_json(cls, given: object, info: ValidationInfo) -> object:
        name = info.field_name or ""
        with refused_if_unreadable(name, given):
            return json_mapping(name, given) if _is_mapping(given) else given

    def check_together(self) -> None:
        """Check what one option alone does not show, as each call does again."""
        super().check_together()
        refuse_async(self.http_client)
        refuse_sync(self.http_async_client)
        if self.score_threshold is not None and self.fallback_models:
            raise ConfigurationError(
                "score_threshold cannot be combined with fallback_models, because each model has "
                "its own score scale: remove one of them"
            )
        # Imported here, because many import a class without creating a reranker.
        from openrouter_rerank._call.arguments import checked_arguments

        checked_arguments("any", (), model=self.model, top_n=self.top_n, **self.request_fields())

    def check_key(self) -> None:
        """
        Check that there is a key that may be sent to the base URL, as each call does again.

        Raises:
            ConfigurationError: If there is none, or a value of the environment cannot be used.
        """
        from openrouter_rerank._wire.endpoint import endpoint, key_of

        headers = self.default_headers or ()
        has_header = any(name.lower() == "authorization" for name in headers)
        endpoint(
            key_of(self.api_key),
            self.base_url,
            os.environ,
            key_in_headers=has_header,
            allow_insecure_http=self.allow_insecure_http,
        )

    def request_fields(self) -> RequestFields:
        """Return the options that are arguments of each call."""
        return {
            "fallback_models": self.fallback_models,
            "provider": self.provider,
            "session_id": self.session_id,
            "user": self.user,
            "trace": self.trace,
            "extra_body": self.extra_body,
            "max_documents_per_request": self.max_documents_per_request,
            "long_documents": self.long_documents,
            "passage_tokens": self.passage_tokens,
            "max_passages": self.max_passages,
        }

    def image_refusal(self) -> str | None:
        """Return why no image of a document is sent, or `None` if images are sent."""
        if self.image_mode != "auto":
            return "image_mode is 'never'" if self.image_mode == "never" else None
        slugs = (self.model, *self.fallback_models)
        refusing = next((slug for slug in slugs if not model_for(slug).takes_images), None)
        if refusing is None:
            return None
        if known_model(refusing) is None:
            return (
                f"{refusing} is not known to take images (if it does, set image_mode='always'; if "
                "texts are enough, 'never')"
            )
        return (
            f"{refusing} takes no images ({image_model()} does; if texts are enough, set "
            "image_mode='never')"
        )

    def image_formats(self) -> frozenset[str]:
        """Return the media types of images that all models take. Empty if they are not known."""
        models = map(model_for, (self.model, *self.fallback_models))
        known = [{*model.image_formats} for model in models if model.image_formats]
        return frozenset(known[0].intersection(*known[1:])) if known else frozenset()


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)
