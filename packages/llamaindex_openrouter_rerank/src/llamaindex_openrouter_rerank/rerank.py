"""The node postprocessor: LlamaIndex's calls around the shared reranker."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar, Unpack

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher
from openrouter_rerank.documents import Content, Document
from openrouter_rerank.placement import Placement
from openrouter_rerank.reranker import Reranker
from pydantic import Field, PlainSerializer, field_serializer, model_validator
from pydantic.json_schema import SkipJsonSchema

from .arguments import asked, checked
from .convert import chosen, contents, holds_image, ranked
from .report import Conclude, reported

if TYPE_CHECKING:
    from .keywords import NodeKeywords

dispatcher = get_dispatcher(__name__)

_Method = TypeVar("_Method", bound=Callable[..., object])


def _signed(method: _Method) -> _Method:
    # A span asks for the signature in every call; to make it anew takes half the time of a span.
    vars(method)["__signature__"] = inspect.signature(method)
    return method


class OpenRouterRerank(Reranker, BaseNodePostprocessor):  # noqa: PLW1641 - Options may change.
    """
    Reranks retrieved nodes, texts and images alike, with a model on OpenRouter.

    ```python
    from llamaindex_openrouter_rerank import OpenRouterRerank

    reranker = OpenRouterRerank(model="cohere/rerank-v3.5", top_n=5)
    ```

    The nodes passed in stay as they are: what comes back are new `NodeWithScore`s around the same
    nodes, best first. Nodes that cannot be ranked follow with the score `None`.
    """

    metadata_mode: Annotated[
        MetadataMode, PlainSerializer(lambda mode: mode.value, return_type=str)
    ] = MetadataMode.EMBED
    """Which metadata are ranked beside the text; `NONE` keeps file paths from being sent."""
    document_fn: SkipJsonSchema[Callable[[NodeWithScore], Document | None] | None] = Field(
        default=None, exclude=True, repr=False
    )
    """Tells what is ranked of each node, instead of its text and image; `None` for nothing."""
    keep_retrieval_score: bool = False
    """Return copies of the nodes, with the score they came with as `retrieval_score` in their
    metadata, where neither prompts nor embeddings see it."""

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[NodeKeywords]) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _drop_class_name(cls, values: dict[str, object] | Self) -> dict[str, object] | Self:
        # Every dump has it, and no field may take it: unknown names are refused.
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if name != "class_name"}
        return values

    @field_serializer("image_root")
    def _plain_path(self, path: Path | None) -> str | None:
        # `to_json` writes what a dump to Python's own values gives.
        return None if path is None else str(path)

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which LlamaIndex writes and traces this class."""
        return "OpenRouterRerank"

    @dispatcher.span
    @_signed
    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | str | None = None
    ) -> list[NodeWithScore]:
        given, query = checked(nodes), asked(query_bundle)
        with self._reported(given, query) as conclude:
            placement = self.place(query.query_str.strip(), self._contents(given))
            return conclude(placement, self._ranked(given, placement))

    # LlamaIndex gives a span only to what it declares abstract, and this it does not.
    @dispatcher.span
    @_signed
    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | str | None = None
    ) -> list[NodeWithScore]:
        given, query = checked(nodes), asked(query_bundle)
        with self._reported(given, query) as conclude:
            placement = await self.aplace(query.query_str.strip(), await self._acontents(given))
            return conclude(placement, self._ranked(given, placement))

    def _contents(self, nodes: Sequence[NodeWithScore]) -> list[Content]:
        if self.document_fn is not None:
            return chosen(nodes, self.document_fn)
        return contents(nodes, metadata_mode=self.metadata_mode)

    async def _acontents(self, nodes: Sequence[NodeWithScore]) -> list[Content]:
        if self.document_fn is None and any(holds_image(item.node) for item in nodes):
            # Checking the base64 of twenty photographs would hold the event loop up for long.
            return await asyncio.to_thread(self._contents, nodes)
        return self._contents(nodes)

    def _ranked(self, nodes: Sequence[NodeWithScore], placement: Placement) -> list[NodeWithScore]:
        return ranked(nodes, placement, keep_retrieval_score=self.keep_retrieval_score)

    def _reported(
        self, nodes: Sequence[NodeWithScore], query: QueryBundle
    ) -> AbstractContextManager[Conclude]:
        return reported(
            nodes,
            query,
            model=self.model,
            top_n=self.top_n,
            callback_manager=self.callback_manager,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OpenRouterRerank):
            return NotImplemented
        return self._compared() == other._compared()

    def _compared(self) -> dict[str, object]:
        # A restored reranker has handlers of its own, and a budget of its own with the same limit.
        limit = None if self.budget is None else self.budget.limit
        return {**dict(self), "callback_manager": None, "budget": limit}

    def __getstate__(self) -> dict[Any, Any]:
        # Of a copy, for LlamaIndex deletes what cannot be pickled from the very object it is in.
        # Handlers belong to a process: where this is restored, it takes those of `Settings`.
        copy = self.model_copy()
        del vars(copy)["callback_manager"]
        # Past LlamaIndex, which would drop a function that cannot be pickled: without it, other
        # words would be sent. So pickling fails.
        document_fn = vars(copy).pop("document_fn")
        state: dict[Any, Any] = super(OpenRouterRerank, copy).__getstate__()
        state["__dict__"]["document_fn"] = document_fn
        return state

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # Shared, not copied: nobody would see what the copy of a handler is told.
        memo = {} if memo is None else memo
        for shared in (self.callback_manager, self.document_fn):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)
