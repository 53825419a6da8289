"""
The request as OpenRouter's OpenAPI description has it: strict types, unknown fields passed over.
"""

import json
import sys
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

from openrouter_rerank.local.refusal import RefusedError

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
    """A document with a text, an image, or both; an absent one is empty here."""

    text: str = ""
    image: str = ""

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if not self.model_fields_set:
            message = "has neither `text` nor `image`"
            raise ValueError(message)
        return self


def _whole(number: object) -> object:
    # To JSON, and so to OpenRouter, 3.0 is an integer.
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _kind(document: object) -> str:
    return "string" if isinstance(document, str) else "object"


# Without the tags a wrong document is blamed twice, for being neither a string nor an object.
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
    # The description says string; OpenRouter's guides, and so its users, write numbers.
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
    """A request that can be ranked."""

    model: str
    query: Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
    documents: Annotated[list[_Document], Field(min_length=1)]
    top_n: Annotated[int, Field(ge=1), BeforeValidator(_whole)] = sys.maxsize
    provider: _ProviderPreferences | None = None
    session_id: Annotated[str, StringConstraints(max_length=256)] | None = None
    user: str | None = None
    trace: dict[str, object] | None = None


def decode(body: bytes) -> RerankRequest:
    """
    Read a request.

    Raises:
        RefusedError: 400, with every fault and its place.
    """
    try:
        return RerankRequest.model_validate_json(body)
    except ValidationError as error:
        faults = [
            _fault(found["type"], found["loc"], found["msg"], found.get("ctx", {}))
            for found in error.errors(include_url=False, include_input=False)
        ]
        raise RefusedError(400, json.dumps(faults, ensure_ascii=False)) from None


def _fault(
    code: str, place: tuple[int | str, ...], message: str, context: Mapping[str, object]
) -> dict[str, object]:
    # The third step into a document is the tag of its kind.
    path = [*place[:2], *place[3:]] if place[:1] == ("documents",) else [*place]
    if code == "too_short":
        # The one fault whose wording is known from OpenRouter itself.
        least = context.get("min_length")
        message = f"Array must contain at least {least} element(s)"
        return {
            "code": "too_small",
            "minimum": least,
            "type": "array",
            "path": path,
            "message": message,
        }
    return {"code": code, "path": path, "message": message}
