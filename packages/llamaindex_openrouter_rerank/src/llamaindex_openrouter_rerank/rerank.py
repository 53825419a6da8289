"""The node postprocessor: its options, and how LlamaIndex calls, writes, compares and copies it."""

import asyncio
import inspect
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar, Unpack

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher
from openrouter_rerank.reranker import CallOptions, Reranker
from pydantic import Field, PlainSerializer, field_serializer, model_validator
from pydantic.json_schema import SkipJsonSchema

if TYPE_CHECKING:
    from openrouter_rerank.ranking import Ranking

    from ._calls import NodeRules
    from .keywords import DocumentFunction, NodeKeywords
else:
    # Pydantic only checks that it can be called. The full type would import what calls need.
    DocumentFunction = Callable

dispatcher = get_dispatcher("llamaindex_openrouter_rerank")

_Method = TypeVar("_Method", bound=Callable[..., object])


def _with_signature(method: _Method) -> _Method:
    # A span reads the method's signature in each call. Computing it takes half the time of a span.
    vars(method)["__signature__"] = inspect.signature(method)
    return method


class OpenRouterRerank(Reranker, BaseNodePostprocessor):  # noqa: PLW1641 - Mutable, so not hashable
    """
    Rerank retrieved nodes, texts and images in one list, with a rerank model on OpenRouter.

    ```python
    from llamaindex_openrouter_rerank import OpenRouterRerank

    reranker = OpenRouterRerank(model="cohere/rerank-v3.5", top_n=5)
    ```

    A call returns new `NodeWithScore` objects around the nodes that were passed in, best first. It
    changes neither the nodes nor their list. Nodes with nothing to rank follow with the score
    `None`, unless `unscorable` is set otherwise.

    `rerank` also accepts texts and mappings, and returns only the scores. Each of its calls can
    have other options, such as `model`, `top_n`, `timeout` or `user`.

    The spans and events of a call are sent to LlamaIndex's dispatcher
    `llamaindex_openrouter_rerank`, and from there to its root.
    """

    metadata_mode: Annotated[
        MetadataMode, PlainSerializer(lambda mode: mode.value, return_type=str)
    ] = Field(
        default=MetadataMode.EMBED,
        description="Metadata ranked with the text. Default: the metadata that embeddings see. "
        "`MetadataMode.NONE` sends no metadata, such as file paths.",
    )
    document_fn: SkipJsonSchema[DocumentFunction | None] = Field(
        default=None,
        description="Function that returns what of a node is ranked, instead of its text, metadata "
        "and image: a text, a mapping with `text` and/or `image`, a `RerankDocument`, or `None` "
        "for nothing.",
        exclude=True,
        repr=False,
    )
    keep_retrieval_score: bool = Field(
        default=False,
        description="Return copies of the nodes, with the retriever's score as `retrieval_score` "
        "in their metadata. Prompts and embeddings do not see it.",
    )

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[NodeKeywords]) -> None:
            """
            Create a reranker. All options are optional.

            An editor shows what an option means at its name, and `help(OpenRouterRerank)` lists
            all of them.
            """

    @model_validator(mode="after")
    def _import_calls(self) -> Self:
        # Importing it takes longer than importing the class, and many programs import the class
        # without using it. The first call would be too late, because it may be in an event loop.
        import_module(f"{__package__}._calls")
        return self

    @field_serializer("image_root")
    def _path_as_text(self, path: Path | None) -> str | None:
        # `to_json` passes a dump with Python's own values to `json`, which cannot write a `Path`.
        return None if path is None else str(path)

    @classmethod
    def class_name(cls) -> str:
        """Return the name of this class in LlamaIndex's dumps and traces."""
        return "OpenRouterRerank"

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """Create a reranker from a dump. Its key may be missing until the first call."""
        # LlamaIndex's method would remove the class name, which marks a dump.
        return cls(**{**data, **kwargs, "class_name": cls.class_name()})

    @dispatcher.span
    @_with_signature
    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | str | None = None
    ) -> list[NodeWithScore]:
        from ._calls import postprocess

        return postprocess(self, _rules(self), nodes, query_bundle, self.callback_manager)

    # LlamaIndex itself adds spans only to abstract methods, and this method is not abstract there.
    @dispatcher.span
    @_with_signature
    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | str | None = None
    ) -> list[NodeWithScore]:
        from ._calls import apostprocess

        if type(self) is not OpenRouterRerank:
            from openrouter_rerank.reranker.overrides import sync_override

            names = ("_postprocess_nodes", "_apostprocess_nodes")
            if override := sync_override(type(self), OpenRouterRerank, *names):
                return await asyncio.to_thread(override, self, nodes, query_bundle)
        return await apostprocess(self, _rules(self), nodes, query_bundle, self.callback_manager)

    def rerank(
        self, documents: Iterable[object], query: QueryBundle | str, **options: Unpack[CallOptions]
    ) -> "Ranking":
        """
        Rank `documents` by their relevance to `query`, best first, and return only the scores.

        Each result names its document by index. Documents with nothing to rank are left out, or
        are an error if `unscorable` is `"raise"`. Failures are raised with every value of
        `on_error`, because there is no ranking without scores.

        Args:
            documents: Nodes, with or without a score, strings, mappings with `text` and/or `image`,
                and `RerankDocument`s. One list can mix them.
            query: The question; it must not be blank.
            **options: `model`, `fallback_models`, `top_n`, `score_threshold`, `provider`,
                `session_id`, `user`, `trace`, `extra_body`, `max_documents_per_request`,
                `long_documents`, `passage_tokens`, `max_passages`, `timeout`, `max_retries`,
                `app_url`, `app_title`, `app_categories` and `extra_headers` of this call: see
                `CallOptions`.

        Raises:
            TypeError: If a call has no such option.
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        # The span is that of another method, because a span has all arguments of its method, and
        # `extra_headers` may be secret.
        reranker = self.for_call(options, raises=True)
        return reranker._rerank(documents, query)  # noqa: SLF001 - of a copy

    async def arerank(
        self, documents: Iterable[object], query: QueryBundle | str, **options: Unpack[CallOptions]
    ) -> "Ranking":
        """
        Rank `documents` by their relevance to `query`, as `rerank` does, without a thread.

        Raises:
            TypeError: If a call has no such option.
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        reranker = self.for_call(options, raises=True)
        return await reranker._arerank(documents, query)  # noqa: SLF001 - of a copy

    @dispatcher.span
    @_with_signature
    def _rerank(self, documents: Iterable[object], query: QueryBundle | str) -> "Ranking":
        from ._calls import rank

        return rank(self, _rules(self), documents, query, self.callback_manager)

    @dispatcher.span
    @_with_signature
    async def _arerank(self, documents: Iterable[object], query: QueryBundle | str) -> "Ranking":
        from ._calls import arank

        return await arank(self, _rules(self), documents, query, self.callback_manager)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OpenRouterRerank):
            return NotImplemented
        return self._compared_fields() == other._compared_fields()

    def _compared_fields(self) -> dict[str, object]:
        # A restored reranker has other callback handlers, and its own budget with the same limit.
        limit = None if self.budget is None else self.budget.limit
        return {**dict(self), "callback_manager": None, "budget": limit}

    def __getstate__(self) -> dict[Any, Any]:
        # LlamaIndex deletes what cannot be pickled from the object itself, so it gets a copy.
        # Callback handlers belong to a process: a restored reranker takes those of `Settings`.
        copy = self.model_copy()
        del vars(copy)["callback_manager"]
        # LlamaIndex would drop a function that cannot be pickled, and the restored reranker would
        # send other texts. Added afterwards, such a function makes pickling fail.
        document_fn = vars(copy).pop("document_fn")
        state: dict[Any, Any] = super(OpenRouterRerank, copy).__getstate__()
        state["__dict__"]["document_fn"] = document_fn
        return state

    def __setstate__(self, state: dict[Any, Any]) -> None:
        # LlamaIndex calls `__init__`. The class name marks the options of a dump.
        state["__dict__"]["class_name"] = self.class_name()
        super().__setstate__(state)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # The copy shares both. Nothing would read the events that a copied handler collects.
        memo = {} if memo is None else memo
        for shared in (self.callback_manager, self.document_fn):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)


def _rules(reranker: OpenRouterRerank) -> "NodeRules":
    from ._calls import NodeRules

    return NodeRules(reranker.metadata_mode, reranker.document_fn, reranker.keep_retrieval_score)
