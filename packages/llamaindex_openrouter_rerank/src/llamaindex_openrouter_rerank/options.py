"""The options that only LlamaIndex's nodes need."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeAlias

from llama_index.core.schema import MetadataMode
from openrouter_rerank.reranker import Reranker
from pydantic import Field, PlainSerializer
from pydantic.json_schema import SkipJsonSchema

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore
    from openrouter_rerank.documents import Document

    DocumentFunction: TypeAlias = Callable[[NodeWithScore], Document | None]
    """Tells what of a node is ranked; `None` if nothing."""
else:
    # Pydantic asks no more than whether it can be called.
    DocumentFunction = Callable


class NodeOptions(Reranker):
    """Configures what of a node is ranked, and what becomes of its former score."""

    metadata_mode: Annotated[
        MetadataMode, PlainSerializer(lambda mode: mode.value, return_type=str)
    ] = MetadataMode.EMBED
    """Which metadata are ranked beside the text; `NONE` keeps file paths from being sent."""
    document_fn: SkipJsonSchema[DocumentFunction | None] = Field(
        default=None, exclude=True, repr=False
    )
    """Tells what is ranked of each node, instead of its text and image; `None` for nothing."""
    keep_retrieval_score: bool = False
    """Return copies of the nodes, with the score they came with as `retrieval_score` in their
    metadata, where neither prompts nor embeddings see it."""
