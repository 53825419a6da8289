"""The node postprocessor: LlamaIndex's calls around the shared reranker."""

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher
from pydantic import field_serializer, model_validator

from .options import NodeOptions

if TYPE_CHECKING:
    from .keywords import NodeKeywords

dispatcher = get_dispatcher(__name__)

_Method = TypeVar("_Method", bound=Callable[..., object])


def _signed(method: _Method) -> _Method:
    # A span asks for the signature in every call; to make it anew takes half the time of a span.
    vars(method)["__signature__"] = inspect.signature(method)
    return method


class OpenRouterRerank(NodeOptions, BaseNodePostprocessor):  # noqa: PLW1641 - Options may change.
    """
    Reranks retrieved nodes, texts and images alike, with a model on OpenRouter.

    ```python
    from llamaindex_openrouter_rerank import OpenRouterRerank

    reranker = OpenRouterRerank(model="cohere/rerank-v3.5", top_n=5)
    ```

    The nodes passed in stay as they are: what comes back are new `NodeWithScore`s around the same
    nodes, best first. Nodes that cannot be ranked follow with the score `None`.
    """

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[NodeKeywords]) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _drop_class_name(cls, values: dict[str, object] | Self) -> dict[str, object] | Self:
        # Every dump has it, and no field may take it: unknown names are refused.
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if name != "class_name"}
        return values

    @model_validator(mode="after")
    def _import_calls(self) -> Self:
        # With the first reranker that is made: not with the class, which many import without making
        # one, nor with the first call, which may be in an event loop.
        import_module(f"{__package__}._calls")
        return self

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
        from ._calls import postprocessed

        return postprocessed(self, nodes, query_bundle, self.callback_manager)

    # LlamaIndex gives a span only to what it declares abstract, and this it does not.
    @dispatcher.span
    @_signed
    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | str | None = None
    ) -> list[NodeWithScore]:
        from ._calls import apostprocessed

        return await apostprocessed(self, nodes, query_bundle, self.callback_manager)

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
