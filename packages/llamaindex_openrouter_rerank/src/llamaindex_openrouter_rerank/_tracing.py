"""What LlamaIndex's handlers are told of a reranking: events, callbacks, and what it has cost."""

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from typing import TypeAlias

from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.callbacks.base import EventContext
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.span import active_span_id
from openrouter_rerank.reranker import Placement
from openrouter_rerank.telemetry import span_attributes

from .listeners import is_heard

dispatcher = get_dispatcher(__name__)

Conclude: TypeAlias = Callable[[Placement, list[NodeWithScore]], list[NodeWithScore]]
"""Notes how a reranking ended and the nodes that are returned, and returns them."""


@contextmanager
def reported(
    nodes: Sequence[NodeWithScore],
    query: QueryBundle,
    *,
    model: str,
    top_n: int | None,
    callback_manager: CallbackManager,
) -> Generator[Conclude]:
    """
    Tell LlamaIndex's handlers of the start of a reranking and, whatever happens, of its end.

    Args:
        nodes: What is reranked.
        query: What it is reranked for.
        model: The slug of the model that is asked.
        top_n: How many nodes are to be returned; all if it is `None`. Handlers get a number.
        callback_manager: The older handlers.
    """
    given = list(nodes)
    most = len(given) if top_n is None else min(top_n, len(given))
    payload: dict[str, object] = {
        EventPayload.NODES: given,
        EventPayload.MODEL_NAME: model,
        EventPayload.QUERY_STR: query.query_str,
        EventPayload.TOP_K: most,
    }
    ended: list[NodeWithScore] = []
    placements: list[Placement] = []
    if is_heard(dispatcher):
        start = ReRankStartEvent(query=query, nodes=given, top_n=most, model_name=model)
        dispatcher.event(start)
    try:
        with _callback(callback_manager, payload) as event:

            def conclude(
                placement: Placement, returned: list[NodeWithScore]
            ) -> list[NodeWithScore]:
                ended.extend(returned)
                placements.append(placement)
                _note_on_span(placement)
                if event is not None:
                    event.on_end(
                        {
                            EventPayload.NODES: ended,
                            EventPayload.ADDITIONAL_KWARGS: _told(placement),
                        }
                    )
                return returned

            yield conclude
    finally:
        if is_heard(dispatcher):
            tags = _attributes(placements[0]) if placements else {}
            dispatcher.event(ReRankEndEvent(nodes=ended, tags=tags))


def _callback(
    manager: CallbackManager, payload: dict[str, object]
) -> AbstractContextManager[EventContext | None]:
    # A manager of a class of the user's may listen itself.
    if type(manager) is CallbackManager and not manager.handlers:
        return nullcontext()
    return manager.event(CBEventType.RERANKING, payload=payload)


def _told(placement: Placement) -> dict[str, object]:
    if placement.error is not None:
        return {"passed_through": _failure(placement)}
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
    """Tell the same, flat and by the names that the client's own spans use."""
    if placement.error is not None:
        return {"openrouter.passed_through": _failure(placement)}
    return {} if placement.ranking is None else span_attributes(placement.ranking)


def _failure(placement: Placement) -> str:
    error = placement.error
    return "" if error is None else f"{type(error).__name__}: {error.message}"


def _note_on_span(placement: Placement) -> None:
    # Where nobody has loaded OpenTelemetry, there is no span to note anything on.
    if sys.modules.get("opentelemetry.trace") is None:
        return
    from opentelemetry import trace

    span = trace.get_current_span()
    # OpenInference and LlamaIndex's own exporter name spans so. Any other is the caller's.
    if getattr(span, "name", None) != (active_span_id.get() or "").partition("-")[0]:
        return
    client_has_span = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    # The client's span is below this one, and a cost must not be in a trace twice.
    if placement.ranking is None or not client_has_span:
        span.set_attributes(_attributes(placement))
