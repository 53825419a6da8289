"""
The request, as OpenRouter's OpenAPI description defines it: strict types, unknown fields ignored.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)

from openrouter_rerank.local.rejection import RequestRejectedError

_Sort = Literal["price", "throughput", "latency", "exacto"]
_Quantization = Literal[
    "int4",
    "int8",
    "fp4",
    "mxfp4",
    "nvfp4",
    "fp6",
    "fp8",
    "mxfp8",
    "fp16",
    "bf16",
    "fp32",
    "unknown",
]


class _Strict(BaseModel):
    model_config = ConfigDict(
        strict=True, frozen=True, extra="ignore", hide_input_in_errors=True, protected_namespaces=()
    )


class StructuredDocument(_Strict):
    """A document with a text, an image, or both. A missing field is an empty string."""

    text: str = ""
    image: str = ""

    @model_validator(mode="after")
    def _has_text_or_image(self) -> Self:
        if not self.model_fields_set:
            message = "has neither `text` nor `image`"
            raise ValueError(message)
        return self


def _integer(number: object) -> object:
    # In JSON, and therefore at OpenRouter, 3.0 is an integer.
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _kind(document: object) -> str:
    return "string" if isinstance(document, str) else "object"


# Without the tags, a wrong document causes two errors: not a string, and not an object.
_Document = Annotated[
    Annotated[str, Tag("string")] | Annotated[StructuredDocument, Tag("object")],
    Discriminator(_kind),
]


class _SortConfig(_Strict):
    by: _Sort | None = None
    partition: Literal["model", "none"] | None = None


class _Percentiles(_Strict):
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p99: float | None = None


class _MaxPrice(_Strict):
    # The OpenAPI description says string, but OpenRouter's guides, and so its users, use numbers.
    prompt: float | str = 0
    completion: float | str = 0
    image: float | str = 0
    audio: float | str = 0
    request: float | str = 0


class _ProviderPreferences(_Strict):
    model_config = ConfigDict(extra="forbid")

    allow_fallbacks: bool | None = None
    data_collection: Literal["deny", "allow"] | None = None
    enforce_distillable_text: bool | None = None
    ignore: list[str] | None = None
    max_price: _MaxPrice = _MaxPrice()
    only: list[str] | None = None
    options: dict[str, dict[str, object]] | None = None
    order: list[str] | None = None
    preferred_max_latency: float | _Percentiles | None = None
    preferred_min_throughput: float | _Percentiles | None = None
    quantizations: list[_Quantization] | None = None
    require_parameters: bool | None = None
    sort: _Sort | _SortConfig | None = None
    zdr: bool | None = None


class RerankRequest(_Strict):
    """A valid request."""

    model: str
    query: Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
    documents: Annotated[list[_Document], Field(min_length=1)]
    top_n: Annotated[int, Field(ge=1), BeforeValidator(_integer)] | None = None
    provider: _ProviderPreferences | None = None
    session_id: Annotated[str, StringConstraints(max_length=256)] | None = None
    user: str | None = None
    trace: dict[str, object] | None = None


def decode_request(body: bytes) -> RerankRequest:
    """
    Decode and check the body of a request.

    Raises:
        RequestRejectedError: If the body is invalid. The status is 400, and the message is a JSON
            list of all problems, each with its path.
    """
    try:
        return RerankRequest.model_validate_json(body)
    except ValidationError as error:
        problems = [
            _problem(found["type"], found["loc"], found["msg"], found.get("ctx", {}))
            for found in error.errors(include_url=False, include_input=False)
        ]
        raise RequestRejectedError(400, json.dumps(problems, ensure_ascii=False)) from None


def _problem(
    code: str, location: tuple[int | str, ...], message: str, context: Mapping[str, object]
) -> dict[str, object]:
    # The third part of a document's location is the tag of its kind, which no client knows.
    path = [*location[:2], *location[3:]] if location[:1] == ("documents",) else [*location]
    if code == "too_short":
        # The only problem for which OpenRouter's own wording is known.
        minimum = context.get("min_length")
        message = f"Array must contain at least {minimum} element(s)"
        return {
            "code": "too_small",
            "minimum": minimum,
            "type": "array",
            "path": path,
            "message": message,
        }
    return {"code": code, "path": path, "message": message}
