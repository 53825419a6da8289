"""What LlamaIndex's handlers are told: spans, events and callbacks, through real handlers."""

import asyncio
from contextlib import contextmanager

import pytest
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.instrumentation.events.span import SpanDropEvent
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index_instrumentation.dispatcher import instrument_tags
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.errors import InvalidRequestError, PaymentRequiredError
from openrouter_rerank.local.stage import Fault, error, scores
from pydantic import Field


class Events(BaseEventHandler):
    """Keeps the events that it is told of."""

    seen: list = Field(default_factory=list)

    def handle(self, event, **_):
        """Keep an event."""
        self.seen.append(event)


class Traced:
    """Rerankers of one mode, and all that they tell LlamaIndex's handlers."""

    def __init__(self, mode, stage):
        self.mode = mode
        self.stage = stage
        self.event_handler = Events()
        self.span_handler = SimpleSpanHandler()
        self.debug_handler = LlamaDebugHandler(print_trace_on_end=False)

    def reranker(self, reranker_class=OpenRouterRerank, **options):
        """Make a reranker that calls the stage."""
        return reranker_class(
            api_key=self.stage.api_key,
            base_url=self.stage.base_url,
            callback_manager=CallbackManager([self.debug_handler]),
            **options,
        )

    async def rerank(self, reranker, nodes, query="rome"):
        """Postprocess as code of this mode does."""
        bundle = None if query is None else QueryBundle(query)
        if self.mode == "sync":
            return reranker.postprocess_nodes(nodes, bundle)
        return await reranker.apostprocess_nodes(nodes, bundle)

    @property
    def events(self):
        """Reranking's own events, and those of spans that ended with an error."""
        kinds = ReRankStartEvent | ReRankEndEvent | SpanDropEvent
        return [event for event in self.event_handler.seen if isinstance(event, kinds)]

    @property
    def kinds(self):
        """The classes of the events, in their order."""
        return [type(event) for event in self.events]

    @property
    def callback(self):
        """The start and the end of the only reranking that callbacks were told of."""
        (pair,) = self.debug_handler.get_event_pairs(CBEventType.RERANKING)
        return pair

    def spans(self, name="OpenRouterRerank", *, dropped=False):
        """Tell the spans of the reranking method which have ended, well or with an error."""
        spans = self.span_handler.dropped_spans if dropped else self.span_handler.completed_spans
        method = "_postprocess_nodes" if self.mode == "sync" else "_apostprocess_nodes"
        return [span for span in spans if span.id_.startswith(f"{name}.{method}-")]


@contextmanager
def listening(traced):
    """Attach the handlers to all of LlamaIndex."""
    root = get_dispatcher()
    root.add_event_handler(traced.event_handler)
    root.add_span_handler(traced.span_handler)
    yield traced
    root.event_handlers.remove(traced.event_handler)
    root.span_handlers.remove(traced.span_handler)


@pytest.fixture(params=["sync", "async"])
def traced(request, local_openrouter):
    """Rerankers of each mode, listened to for one test."""
    with listening(Traced(request.param, local_openrouter)) as traced:
        yield traced


def nodes_of(*texts):
    """Make a node with a score of each text."""
    return [NodeWithScore(node=TextNode(text=text), score=0.5) for text in texts]


async def test_a_reranking_has_a_span_with_a_start_and_an_end(traced):
    """Tracers see one span of the method, with both events on it and all that they ask for."""
    nodes = nodes_of("Paris", "Rome", "Oslo")

    result = await traced.rerank(traced.reranker(top_n=2), nodes, "\nrome")

    start, end = traced.events
    (span,) = traced.spans()
    assert (type(start), type(end)) == (ReRankStartEvent, ReRankEndEvent)
    assert start.span_id == end.span_id == span.id_
    assert (start.query, start.model_name) == (QueryBundle("\nrome"), "cohere/rerank-v3.5")
    assert all(said is given for said, given in zip(start.nodes, nodes, strict=True))
    assert all(said is given for said, given in zip(end.nodes, result, strict=True))


@pytest.mark.parametrize(
    ("top_n", "size", "told"), [(None, 3, 3), (2, 3, 2), (9, 3, 3), (None, 0, 0), (2, 0, 0)]
)
async def test_the_start_tells_how_many_will_be_returned(traced, top_n, size, told):
    """Handlers require a number, so without `top_n` it is that of the nodes."""
    await traced.rerank(traced.reranker(top_n=top_n), nodes_of(*["rome"] * size))

    assert type(traced.events[0].top_n) is int
    assert traced.events[0].top_n == told
    assert len(traced.events[1].nodes) == told


@pytest.mark.parametrize(("texts", "query"), [((), "rome"), (("a", "b"), " "), (("", " "), "rome")])
async def test_an_end_follows_where_nothing_is_asked(traced, texts, query):
    """No nodes, a blank query or blank nodes: no request, and yet a whole span."""
    await traced.rerank(traced.reranker(), nodes_of(*texts), query)

    assert traced.kinds == [ReRankStartEvent, ReRankEndEvent]
    assert [item.score for item in traced.events[1].nodes] == [0.5] * len(texts)
    _, end = traced.callback
    assert end.payload[EventPayload.ADDITIONAL_KWARGS] == {}
    assert traced.stage.requests == []


async def test_an_error_ends_the_span(traced):
    """The pair of events is whole, and the span and the callback end with the error."""
    traced.stage.script(error(402, "Insufficient credits"))

    with pytest.raises(PaymentRequiredError) as raised:
        await traced.rerank(traced.reranker(), nodes_of("Rome"))

    start, end, drop = traced.events
    (span,) = traced.spans(dropped=True)
    assert traced.kinds == [ReRankStartEvent, ReRankEndEvent, SpanDropEvent]
    assert start.span_id == end.span_id == drop.span_id == span.id_
    assert end.nodes == []
    assert drop.err_str == str(raised.value)
    _, ended = traced.callback
    assert ended.payload == {EventPayload.EXCEPTION: raised.value}


async def test_a_cancelled_span_ends_too(local_openrouter):
    """Cancelling the task ends the events, the callback and the span."""
    with listening(Traced("async", local_openrouter)) as traced:
        await cancelled(traced)

    assert traced.kinds == [ReRankStartEvent, ReRankEndEvent, SpanDropEvent]
    assert len(traced.callback) == 2
    assert len(traced.spans(dropped=True)) == 1


async def cancelled(traced):
    """Start a reranking and cancel it when the request is on its way."""
    traced.stage.script(Fault.hang())

    task = asyncio.create_task(
        traced.reranker().apostprocess_nodes(nodes_of("Rome"), query_str="rome")
    )
    await asyncio.to_thread(traced.stage.wait_until, lambda: traced.stage.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("nodes", "query", "kind"),
    [(nodes_of("Rome"), None, InvalidRequestError), ([TextNode(text="Rome")], "rome", TypeError)],
)
async def test_a_mistake_is_a_span_without_events(traced, nodes, query, kind):
    """What cannot be described as a reranking is an error of its span alone."""
    with pytest.raises(kind):
        await traced.rerank(traced.reranker(), nodes, query)

    assert traced.kinds == [SpanDropEvent]
    assert len(traced.spans(dropped=True)) == 1


async def test_callbacks_are_told_what_was_asked_and_what_it_cost(traced):
    """The older handlers get nodes, model, query and number, then the nodes, id and usage."""
    traced.stage.script(scores(0.1, 0.9, cost=0.002))
    nodes = nodes_of("Paris", "Rome")

    result = await traced.rerank(traced.reranker(top_n=1), nodes)

    start, end = traced.callback
    assert start.payload == {
        EventPayload.NODES: nodes,
        EventPayload.MODEL_NAME: "cohere/rerank-v3.5",
        EventPayload.QUERY_STR: "rome",
        EventPayload.TOP_K: 1,
    }
    assert end.payload == {
        EventPayload.NODES: result,
        EventPayload.ADDITIONAL_KWARGS: {
            "id": "gen-rerank-0000000001-stage",
            "provider": "Stage",
            "model": "cohere/rerank-v3.5",
            "usage": {"cost": 0.002, "search_units": 1, "total_tokens": None},
        },
    }


async def test_the_end_event_is_tagged_with_what_was_spent(traced):
    """Event handlers read cost, provider and attempts off the end's tags, as numbers and names."""
    traced.stage.script(error(503, "busy", retry_after=0), scores(0.1, 0.9, cost=0.002))

    await traced.rerank(traced.reranker(), nodes_of("Paris", "Rome"))

    assert traced.events[1].tags == {
        "gen_ai.response.id": "gen-rerank-0000000002-stage",
        "gen_ai.response.model": "rerank-v3.5",
        "openrouter.model": "cohere/rerank-v3.5",
        "openrouter.provider": "Stage",
        "openrouter.rerank.attempts": 2,
        "openrouter.usage.cost": 0.002,
        "openrouter.usage.search_units": 1,
    }


async def test_tags_of_the_user_are_kept(traced):
    """What `instrument_tags` adds stands beside them."""
    with instrument_tags({"tenant": "a"}):
        await traced.rerank(traced.reranker(), nodes_of("Rome"))

    assert [event.tags.get("tenant") for event in traced.events] == ["a", "a"]
    assert "openrouter.usage.cost" in traced.events[1].tags


async def test_the_end_is_dated_at_the_end(traced):
    """Between the two events lies the time that the service took."""
    traced.stage.script(Fault.late_head(0.1))

    await traced.rerank(traced.reranker(), nodes_of("Rome"))

    start, end = traced.events
    assert (end.timestamp - start.timestamp).total_seconds() >= 0.1


async def test_a_failure_that_was_passed_through_is_visible(traced, caplog):
    """The span is whole, the nodes keep their scores, and callbacks and log tell the failure."""
    traced.stage.script(error(503, "No provider"))

    result = await traced.rerank(
        traced.reranker(on_error="passthrough", max_retries=0), nodes_of("Paris", "Rome")
    )

    assert [item.score for item in result] == [0.5, 0.5]
    assert traced.kinds == [ReRankStartEvent, ReRankEndEvent]
    _, end = traced.callback
    failure = end.payload[EventPayload.ADDITIONAL_KWARGS]["passed_through"]
    assert failure.startswith("ServiceUnavailableError: No provider")
    assert traced.events[1].tags == {"openrouter.passed_through": failure}
    assert "the order of the retriever is kept" in caplog.text


async def test_an_engine_keeps_its_own_span(traced):
    """In a query engine the reranking is a span below the engine's, with its events on it."""
    index = VectorStoreIndex(
        nodes=[TextNode(text="Paris"), TextNode(text="Rome")],
        embed_model=MockEmbedding(embed_dim=2),
    )
    engine = RetrieverQueryEngine.from_args(
        index.as_retriever(), llm=MockLLM(), node_postprocessors=[traced.reranker()]
    )

    await engine.aquery("rome") if traced.mode == "async" else engine.query("rome")

    (span,) = traced.spans()
    engine_spans = [
        other.id_
        for other in traced.span_handler.completed_spans
        if other.id_.startswith("RetrieverQueryEngine")
    ]
    assert span.parent_id in engine_spans
    assert {event.span_id for event in traced.events} == {span.id_}


async def test_derived_classes_keep_the_span(traced):
    """A user's override of either method has a span of its own without asking for it."""

    class Derived(OpenRouterRerank):
        def _postprocess_nodes(self, nodes, query_bundle=None):
            return super()._postprocess_nodes(nodes, query_bundle)

        async def _apostprocess_nodes(self, nodes, query_bundle=None):
            return await super()._apostprocess_nodes(nodes, query_bundle)

    await traced.rerank(traced.reranker(Derived), nodes_of("Rome"))

    assert traced.kinds == [ReRankStartEvent, ReRankEndEvent]
    assert len(traced.spans("Derived")) >= 1
