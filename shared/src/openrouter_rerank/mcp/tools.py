"""
The two tools: their arguments, their results, and the texts that a language model reads.

The schemas are made from the classes here. They have no references, because not all MCP clients
follow them.
"""

from typing import TypeGuard

from mcp import types
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import JsonSchemaMode

from openrouter_rerank.models import image_model

RERANK = "rerank"
LIST_RERANK_MODELS = "list_rerank_models"

MOST_DOCUMENTS = 1_000
"""The number of documents in one call. No known model takes more in one request."""

MOST_CHARACTERS = 16_000_000
"""The characters of the query, the texts and the images of one call together."""

MOST_RETURNED = 60_000
"""
The characters of the texts in one result. More would fill the context of a language model.

A result has each text twice, with up to 13 bytes for a character. With older protocols, the SDK's
client refuses results above one megabyte.
"""

INSTRUCTIONS = (
    "Use rerank when you have a question and several candidate texts or images, such as search "
    "results, and need those that answer the question. It sorts what you pass; it does not search."
)


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class DocumentArgument(_Arguments):
    """A document with a text, an image, or both."""

    text: str | None = Field(default=None, description="The text of the document.")
    image: str | None = Field(
        default=None,
        description="An image: an https URL, or a data URI (data:image/png;base64,...). Paths of "
        f"files are refused. Only some models take images, such as {image_model()}.",
    )


class RerankArguments(_Arguments):
    """The arguments of the tool `rerank`."""

    query: str = Field(
        min_length=1,
        description="What you look for: a question or a description, as one full sentence.",
    )
    documents: list[str | DocumentArgument] = Field(
        max_length=MOST_DOCUMENTS,
        description="All candidates, in any order: strings, or objects with text and/or image. "
        "If a text is longer than the context of the model, only its start is ranked: pass its "
        "parts instead.",
    )
    model: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Slug of the rerank model. Omit it to use the default of this server. "
        "list_rerank_models returns the slugs.",
    )
    top_n: int | None = Field(
        default=None,
        ge=1,
        description="How many of the best documents to return. Omit it to return all of them.",
    )
    return_documents: bool = Field(
        default=False,
        description="If true, each result contains the text of its document; at most "
        f"{MOST_RETURNED:,} characters in all. If false, find the document by its index.",
    )


class ListRerankModelsArguments(_Arguments):
    """The tool `list_rerank_models` has no arguments."""


class RankedResult(BaseModel):
    """The score of one document."""

    index: int = Field(description="Position in your list of documents, beginning with 0.")
    relevance_score: float = Field(
        description="Higher is more relevant; from 0 to 1 with most models. Compare it only with "
        "scores of the same model."
    )
    text: str | None = Field(
        default=None,
        description="The text that you passed. Absent if return_documents is false, and for "
        "documents that are only an image.",
    )


class RerankResult(BaseModel):
    """The ranking of the documents, best first."""

    results: list[RankedResult] = Field(description="The documents, best first.")
    model: str = Field(description="Slug of the model that ranked the documents.")
    served_model: str | None = Field(default=None, description="The provider's name of the model.")
    provider: str | None = Field(default=None, description="The provider that served the request.")
    cost: float | None = Field(
        default=None, description="Cost in US dollars. Absent if the service did not report it."
    )


class ModelResult(BaseModel):
    """One rerank model."""

    slug: str = Field(description="What to pass as model.")
    context_length: int | None = Field(
        default=None, description="Tokens of the query and one document. Longer texts are cut."
    )
    takes_images: bool = Field(description="True if documents may be images.")
    price: str | None = Field(
        default=None, description="Price in US dollars, as text. Absent if it is not known."
    )


class ListRerankModelsResult(BaseModel):
    """The rerank models."""

    models: list[ModelResult]
    default_model: str = Field(description="The model that rerank uses if you pass none.")
    is_live: bool = Field(
        description="True if OpenRouter sent this list now, false if it is built into the server."
    )
    problem: str | None = Field(
        default=None, description="Why there is no live list. Absent if there is one."
    )


def tools(default_model: str) -> list[types.Tool]:
    """
    Return the definitions of both tools.

    Args:
        default_model: The slug that `rerank` uses if a call names no model.
    """
    return [
        types.Tool(
            name=RERANK,
            title="Rerank documents",
            description=(
                "Sort documents by how well they answer a query, best first. Use it before you "
                "read or quote many search results, passages, tickets or images: it finds the few "
                "that matter, also if they share no words with the query. It does not search: "
                "pass all candidates in one call, because a call for each document costs more. "
                f"At most {MOST_DOCUMENTS:,} documents. Results have the index of the document "
                "and its score. The content of documents is only ranked, never followed as "
                f"instructions. Default model: {default_model}. A call sends the documents to "
                "OpenRouter and costs a fraction of a cent; the result has the cost."
            ),
            input_schema=_schema(RerankArguments, "validation"),
            output_schema=_schema(RerankResult, "serialization"),
            annotations=_annotations("Rerank documents"),
        ),
        types.Tool(
            name=LIST_RERANK_MODELS,
            title="List rerank models",
            description=(
                "List the models that rerank can use, with their context length, whether they "
                "take images, and their price. Use it to choose a model for images, for long "
                "documents or by price, or if rerank says that a model does not exist. It is free."
            ),
            input_schema=_schema(ListRerankModelsArguments, "validation"),
            output_schema=_schema(ListRerankModelsResult, "serialization"),
            annotations=_annotations("List rerank models"),
        ),
    ]


def _annotations(title: str) -> types.ToolAnnotations:
    # Both tools change nothing. They ask a service on the internet.
    return types.ToolAnnotations(
        title=title,
        read_only_hint=True,
        destructive_hint=False,
        idempotent_hint=True,
        open_world_hint=True,
    )


def _schema(model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, object]:
    schema: dict[str, object] = model.model_json_schema(mode=mode)
    definitions = schema.pop("$defs", {})
    inlined = _inlined(schema, definitions if _is_object(definitions) else {})
    return inlined if _is_object(inlined) else schema


def _inlined(value: object, definitions: dict[str, object]) -> object:
    """Return a part of a schema with definitions instead of references, and without titles."""
    if _is_list(value):
        return [_inlined(item, definitions) for item in value]
    if not _is_object(value):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str):
        return _inlined(definitions[reference.rpartition("/")[2]], definitions)
    return {
        key: _inlined(item, definitions)
        for key, item in value.items()
        if key != "title" or not isinstance(item, str)
    }


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
