"""
Reports of a call to LlamaIndex's handlers: what was ranked, how it ended, and what it cost.

LlamaIndex has two kinds of handlers. Event handlers of the instrumentation's `dispatcher` get a
`ReRankStartEvent` and a `ReRankEndEvent`. The older handlers of a callback manager get an event of
the type `CBEventType.RERANKING`. The usage and cost are in both, and on the OpenTelemetry span of
the call if the client makes no span. The span of the method itself is made in `rerank`.
"""

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass

from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.callbacks.base import EventContext
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import Dispatcher
from llama_index_instrumentation.event_handlers import NullEventHandler
from llama_index_instrumentation.span import active_span_id
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.reranker import Placement
from openrouter_rerank.telemetry import span_attributes

dispatcher = get_dispatcher("llamaindex_openrouter_rerank")

_NOTHING = Placement(order=())


@dataclass(slots=True)
class Outcome:
    """The result of a call, for the handlers; it stays empty if the call fails."""

    placement: Placement = _NOTHING
    nodes: Callable[[], Sequence[NodeWithScore]] = tuple

    def record(self, placement: Placement, nodes: Callable[[], Sequence[NodeWithScore]]) -> None:
        """Record the result of the call: the placement, and what returns the resulting nodes."""
        self.placement, self.nodes = placement, nodes


@contextmanager
def traced(
    nodes: Callable[[], Sequence[NodeWithScore]],
    query: QueryBundle,
    callback_manager: CallbackManager,
    *,
    size: int,
    model: str,
    top_n: int | None,
) -> Generator[Outcome]:
    """
    Report the start of a call to LlamaIndex's handlers, and its end whether or not it fails.

    Args:
        nodes: Returns the nodes to rank. Called only if a handler gets them.
        query: The query to rank them for.
        callback_manager: The manager of the older handlers.
        size: The number of nodes.
        model: The model that ranks the nodes.
        top_n: The maximum number of nodes to return; `None` returns all.
    """
    outcome = Outcome()
    # Handlers require a number.
    top_n = size if top_n is None else min(top_n, size)
    if has_event_handlers(dispatcher):
        dispatcher.event(
            ReRankStartEvent(query=query, nodes=list(nodes()), top_n=top_n, model_name=model)
        )
    try:
        with _callback_event(callback_manager, nodes, query, model, top_n) as event:
            yield outcome
            _set_span_attributes(outcome.placement)
            if event is not None:
                event.on_end(
                    {
                        EventPayload.NODES: list(outcome.nodes()),
                        EventPayload.ADDITIONAL_KWARGS: _summary(outcome.placement),
                    }
                )
    finally:
        if has_event_handlers(dispatcher):
            dispatcher.event(
                ReRankEndEvent(nodes=list(outcome.nodes()), tags=_attributes(outcome.placement))
            )


def has_event_handlers(dispatcher: Dispatcher) -> bool:
    """Return `True` if an event of `dispatcher` reaches a handler, its own or that of a parent."""
    # LlamaIndex puts a handler that does nothing on its root.
    while all(type(handler) is NullEventHandler for handler in dispatcher.event_handlers):
        if not dispatcher.propagate:
            return False
        dispatcher = dispatcher.parent
    return True


def _callback_event(
    manager: CallbackManager,
    nodes: Callable[[], Sequence[NodeWithScore]],
    query: QueryBundle,
    model: str,
    top_n: int,
) -> AbstractContextManager[EventContext | None]:
    # A user's subclass of the manager may act on events itself, without a handler.
    if type(manager) is CallbackManager and not manager.handlers:
        return nullcontext()
    payload: dict[str, object] = {
        EventPayload.NODES: list(nodes()),
        EventPayload.MODEL_NAME: model,
        EventPayload.QUERY_STR: query.query_str,
        EventPayload.TOP_K: top_n,
    }
    return manager.event(CBEventType.RERANKING, payload=payload)


def _summary(placement: Placement) -> dict[str, object]:
    if placement.error is not None:
        return {"passed_through": _described(placement.error)}
    if placement.ranking is None:
        return {}
    ranking = placement.ranking
    return {
        "id": ranking.id,
        "provider": ranking.provider,
        "model": ranking.model,
        "usage": asdict(ranking.usage),
    }


def _attributes(placement: Placement) -> dict[str, str | int | float]:
    """Return the summary without nesting, under the names that the client's own spans use."""
    if placement.error is not None:
        return {"openrouter.passed_through": _described(placement.error)}
    return {} if placement.ranking is None else span_attributes(placement.ranking)


def _described(error: OpenRouterRerankError) -> str:
    return f"{type(error).__name__}: {error.message}"


def _set_span_attributes(placement: Placement) -> None:
    # A process that has not imported OpenTelemetry has no spans.
    if sys.modules.get("opentelemetry.trace") is None:
        return
    from opentelemetry import trace

    span = trace.get_current_span()
    # OpenInference and LlamaIndex's own exporter name the span of a method like this. A span with
    # another name belongs to the caller.
    if getattr(span, "name", None) != (active_span_id.get() or "").partition("-")[0]:
        return
    client_has_span = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    # The client's span is a child of this one, and a trace must not contain a cost twice.
    if placement.ranking is None or not client_has_span:
        span.set_attributes(_attributes(placement))
