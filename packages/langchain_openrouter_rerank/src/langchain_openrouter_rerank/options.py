"""The options that only LangChain's documents need."""

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self, TypeAlias

from openrouter_rerank.reranker import Reranker
from pydantic import Field, field_validator
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

# Seconds. No rerank takes ten minutes; in milliseconds, as ChatOpenRouter counts, many do.
_LONGEST_TIMEOUT = 600.0

if TYPE_CHECKING:
    from langchain_core.documents import Document
    from openrouter_rerank.documents import RerankDocument

    DocumentConverter: TypeAlias = Callable[
        [Document], str | Mapping[str, object] | RerankDocument | None
    ]
    """Tells what of a document is ranked; `None` if nothing."""
else:
    # Pydantic asks no more than whether it can be called.
    DocumentConverter = Callable


class CallOptions(TypedDict, total=False):
    """The options that a call may have of its own."""

    model: str
    top_n: int | None
    score_threshold: float | None


class DocumentOptions(Reranker):
    """Configures what of a document is ranked, and where its score goes."""

    image_key: str | tuple[str, ...] | None = None
    """The metadata fields whose image is ranked together with the text of its document."""
    rank_fields: tuple[str, ...] = ()
    """The metadata fields put before the text, a line each, such as `title: Annual report`."""
    score_key: str = Field(default="relevance_score", min_length=1)
    """The metadata field that the score is written to."""
    document_converter: SkipJsonSchema[DocumentConverter | None] = Field(
        default=None, exclude=True, repr=False
    )
    """
    Tells what of a document is ranked, instead of the rules for texts, fields and images.

    It returns a text, a mapping with `text` and/or `image`, or `None` when there is nothing to
    rank. Asynchronous calls run it in a thread.
    """

    @field_validator("timeout")
    @classmethod
    def _warn_of_milliseconds(cls, timeout: float) -> float:
        if timeout > _LONGEST_TIMEOUT:
            message = (
                f"timeout={timeout:g} means {timeout / 60:.0f} minutes: it is in seconds, unlike "
                "that of ChatOpenRouter, which is in milliseconds"
            )
            warnings.warn(message, stacklevel=5)
        return timeout

    def _changed(self, options: Mapping[str, object]) -> Self:
        """Return the reranker for one call; copies share their clients, and so connections."""
        if not options:
            return self
        if unknown := options.keys() - CallOptions.__annotations__.keys():
            raise TypeError(f"a call has no option {min(unknown)!r:.50}")
        changed = self.model_copy()
        for name, value in options.items():
            setattr(changed, name, value)
        return changed
