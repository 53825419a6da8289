"""The node postprocessor: LlamaIndex's calls, spans and events around the shared reranker."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

from llama_index.core.callbacks import CBEventType, EventPayload
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher
from openrouter_rerank.documents import Content
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.placement import Placement
from openrouter_rerank.reranker import Reranker
from pydantic import PlainSerializer, field_serializer, model_validator

from .convert import contents, ranked

dispatcher = get_dispatcher(__name__)

_Conclude: TypeAlias = Callable[[Placement], list[NodeWithScore]]


class OpenRouterRerank(Reranker, BaseNodePostprocessor):
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
    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | str | None = None
    ) -> list[NodeWithScore]:
        given, query = _checked(nodes, query_bundle)
        with self._reported(given, query) as conclude:
            return conclude(self.place(query.query_str.strip(), self._contents(given)))

    # LlamaIndex gives a span only to what it declares abstract, and this it does not.
    @dispatcher.span
    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | str | None = None
    ) -> list[NodeWithScore]:
        given, query = _checked(nodes, query_bundle)
        with self._reported(given, query) as conclude:
            return conclude(await self.aplace(query.query_str.strip(), self._contents(given)))

    def _contents(self, nodes: Sequence[NodeWithScore]) -> list[Content]:
        return contents(nodes, metadata_mode=self.metadata_mode)

    @contextmanager
    def _reported(
        self, nodes: list[NodeWithScore], query: QueryBundle
    ) -> Generator[_Conclude, None, None]:
        """Tell LlamaIndex's handlers of the start and, whatever happens, of the end."""
        top_n = len(nodes) if self.top_n is None else min(self.top_n, len(nodes))
        returned: list[NodeWithScore] = []
        started = ReRankStartEvent(query=query, nodes=nodes, top_n=top_n, model_name=self.model)
        dispatcher.event(started)
        payload: dict[str, object] = {
            EventPayload.NODES: nodes,
            EventPayload.MODEL_NAME: self.model,
            EventPayload.QUERY_STR: query.query_str,
            EventPayload.TOP_K: top_n,
        }
        try:
            with self.callback_manager.event(CBEventType.RERANKING, payload=payload) as event:

                def conclude(placement: Placement) -> list[NodeWithScore]:
                    returned.extend(ranked(nodes, placement))
                    details = _details(placement)
                    event.on_end(
                        {EventPayload.NODES: returned, EventPayload.ADDITIONAL_KWARGS: details}
                    )
                    return returned

                yield conclude
        finally:
            dispatcher.event(ReRankEndEvent(nodes=returned))

    def __getstate__(self) -> dict[Any, Any]:
        # Of a copy, for LlamaIndex deletes what cannot be pickled from the very object it is in.
        # Handlers belong to a process: where this is restored, it takes those of `Settings`.
        copy = self.model_copy()
        del vars(copy)["callback_manager"]
        return super(OpenRouterRerank, copy).__getstate__()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # Shared, not copied: nobody would see what the copy of a handler is told.
        memo = {} if memo is None else memo
        memo[id(self.callback_manager)] = self.callback_manager
        return super().__deepcopy__(memo)


def _checked(
    nodes: Sequence[object], query: QueryBundle | str | None
) -> tuple[list[NodeWithScore], QueryBundle]:
    # A list of our own: the caller's may change while an answer is awaited.
    given: list[NodeWithScore] = []
    for at, item in enumerate(nodes):
        if not isinstance(item, NodeWithScore):
            message = (
                f"nodes[{at}] is of type {type(item).__name__}: "
                "wrap it, NodeWithScore(node=...), or pass what a retriever returns"
            )
            raise TypeError(message)
        given.append(item)
    if query is None:
        raise InvalidRequestError("there is no query to rank for: pass query_str or query_bundle")
    return given, QueryBundle(query) if isinstance(query, str) else query


def _details(placement: Placement) -> dict[str, object]:
    if placement.error is not None:
        error = placement.error
        return {"passed_through": f"{type(error).__name__}: {error.message}"}
    if placement.ranking is None:
        return {}
    ranking = placement.ranking
    return {
        "id": ranking.id,
        "provider": ranking.provider,
        "model": ranking.model,
        "usage": asdict(ranking.usage),
    }
