"""The spans, events and callbacks of a call, recorded by LlamaIndex's own handlers."""

import asyncio
import subprocess
import sys
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
from llama_index.core.schema import QueryBundle, TextNode
from llama_index_instrumentation.dispatcher import instrument_tags
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.errors import InvalidRequestError, PaymentRequiredError
from openrouter_rerank.local.stage import Fault, error, scores
from pydantic import Field

from tests.passages import scored_nodes


class RecordingHandler(BaseEventHandler):
    """An event handler that records all events."""

    recorded: list = Field(default_factory=list)

    def handle(self, event, **_):
        """Record an event."""
        self.recorded.append(event)


class Recorder:
    """Makes rerankers, and records what LlamaIndex's handlers get when they are called."""

    def __init__(self, mode, make_reranker):
        self.mode = mode
        self._make_reranker = make_reranker
        self.event_handler = RecordingHandler()
        self.span_handler = SimpleSpanHandler()
        self.debug_handler = LlamaDebugHandler(print_trace_on_end=False)

    def reranker(self, reranker_class=OpenRouterRerank, **options):
        """Return a reranker with a recording callback handler."""
        manager = CallbackManager([self.debug_handler])
        return self._make_reranker(reranker_class, callback_manager=manager, **options)

    async def rerank(self, reranker, nodes, query="rome"):
        """Rerank nodes with the method of this mode."""
        bundle = None if query is None else QueryBundle(query)
        if self.mode == "sync":
            return reranker.postprocess_nodes(nodes, bundle)
        return await reranker.apostprocess_nodes(nodes, bundle)

    @property
    def events(self):
        """The rerank events, and the events of spans that ended with an error."""
        classes = ReRankStartEvent | ReRankEndEvent | SpanDropEvent
        return [event for event in self.event_handler.recorded if isinstance(event, classes)]

    @property
    def event_classes(self):
        """The classes of the events, in their order."""
        return [type(event) for event in self.events]

    @property
    def callback_events(self):
        """The start and the end of the only call that the callback handler got."""
        (pair,) = self.debug_handler.get_event_pairs(CBEventType.RERANKING)
        return pair

    def spans(self, name="OpenRouterRerank", *, dropped=False):
        """Return the spans of the reranking method that completed, or that ended with an error."""
        spans = self.span_handler.dropped_spans if dropped else self.span_handler.completed_spans
        method = "_postprocess_nodes" if self.mode == "sync" else "_apostprocess_nodes"
        return [span for span in spans if span.id_.startswith(f"{name}.{method}-")]


@contextmanager
def attached(recorder):
    """Attach the recorder's handlers to LlamaIndex's root dispatcher."""
    root = get_dispatcher()
    root.add_event_handler(recorder.event_handler)
    root.add_span_handler(recorder.span_handler)
    try:
        yield recorder
    finally:
        root.event_handlers.remove(recorder.event_handler)
        root.span_handlers.remove(recorder.span_handler)


@pytest.fixture
def recorder(mode, make_reranker):
    """Return a recorder whose handlers are attached during one test."""
    with attached(Recorder(mode, make_reranker)) as recorder:
        yield recorder


async def test_a_call_has_a_span_with_a_start_and_an_end_event(recorder):
    """A call has one span with a start event and an end event, which contain its nodes."""
    nodes = scored_nodes("Paris", "Rome", "Oslo")

    result = await recorder.rerank(recorder.reranker(top_n=2), nodes, "\nrome")

    start, end = recorder.events
    (span,) = recorder.spans()
    assert (type(start), type(end)) == (ReRankStartEvent, ReRankEndEvent)
    assert start.span_id == end.span_id == span.id_
    assert (start.query, start.model_name) == (QueryBundle("\nrome"), "cohere/rerank-v3.5")
    assert all(item is passed for item, passed in zip(start.nodes, nodes, strict=True))
    assert all(item is returned for item, returned in zip(end.nodes, result, strict=True))


@pytest.mark.parametrize(
    ("top_n", "size", "expected"), [(None, 3, 3), (2, 3, 2), (9, 3, 3), (None, 0, 0), (2, 0, 0)]
)
async def test_the_start_event_has_the_number_of_results(recorder, top_n, size, expected):
    """The start event has the number of nodes to return, even if the option `top_n` is not set."""
    await recorder.rerank(recorder.reranker(top_n=top_n), scored_nodes(*["rome"] * size))

    assert type(recorder.events[0].top_n) is int
    assert recorder.events[0].top_n == expected
    assert len(recorder.events[1].nodes) == expected


@pytest.mark.parametrize(
    ("texts", "query"),
    [((), "rome"), (("a", "b"), " "), (("", " "), "rome")],
    ids=["no nodes", "blank query", "blank nodes"],
)
async def test_a_call_without_a_request_has_both_events(recorder, local_openrouter, texts, query):
    """A call that needs no request has a start event and an end event too."""
    await recorder.rerank(recorder.reranker(), scored_nodes(*texts), query)

    assert recorder.event_classes == [ReRankStartEvent, ReRankEndEvent]
    assert [item.score for item in recorder.events[1].nodes] == [0.5] * len(texts)
    _, end = recorder.callback_events
    assert end.payload[EventPayload.ADDITIONAL_KWARGS] == {}
    assert local_openrouter.requests == []


async def test_an_error_ends_the_span(recorder, local_openrouter):
    """If a call fails, it has both events, and its span and its callback end with the error."""
    local_openrouter.script(error(402, "Insufficient credits"))

    with pytest.raises(PaymentRequiredError) as raised:
        await recorder.rerank(recorder.reranker(), scored_nodes("Rome"))

    start, end, drop = recorder.events
    (span,) = recorder.spans(dropped=True)
    assert recorder.event_classes == [ReRankStartEvent, ReRankEndEvent, SpanDropEvent]
    assert start.span_id == end.span_id == drop.span_id == span.id_
    assert end.nodes == []
    assert drop.err_str == str(raised.value)
    _, callback_end = recorder.callback_events
    assert callback_end.payload == {EventPayload.EXCEPTION: raised.value}


async def test_a_cancelled_call_ends_its_span(make_reranker, local_openrouter):
    """If a call is cancelled, its events, its callback and its span end."""
    with attached(Recorder("async", make_reranker)) as recorder:
        await call_and_cancel(recorder, local_openrouter)

    assert recorder.event_classes == [ReRankStartEvent, ReRankEndEvent, SpanDropEvent]
    assert len(recorder.callback_events) == 2
    assert len(recorder.spans(dropped=True)) == 1


async def call_and_cancel(recorder, server):
    """Start a call, and cancel it when the server has received its request."""
    server.script(Fault.hang())

    task = asyncio.create_task(
        recorder.reranker().apostprocess_nodes(scored_nodes("Rome"), query_str="rome")
    )
    await asyncio.to_thread(server.wait_until, lambda: server.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("nodes", "query"),
    [(scored_nodes("Rome"), None), ([TextNode(text="Rome")], "rome")],
    ids=["no query", "node without score"],
)
async def test_invalid_arguments_end_the_span_without_events(recorder, nodes, query):
    """If the arguments are invalid, the span ends with the error and there are no rerank events."""
    with pytest.raises(InvalidRequestError):
        await recorder.rerank(recorder.reranker(), nodes, query)

    assert recorder.event_classes == [SpanDropEvent]
    assert len(recorder.spans(dropped=True)) == 1


async def test_callback_handlers_get_arguments_result_and_usage(recorder, local_openrouter):
    """Callback handlers get the arguments when a call starts, and result and usage when it ends."""
    local_openrouter.script(scores(0.1, 0.9, cost=0.002))
    nodes = scored_nodes("Paris", "Rome")

    result = await recorder.rerank(recorder.reranker(top_n=1), nodes)

    start, end = recorder.callback_events
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


async def test_the_end_event_has_tags_for_cost_provider_and_attempts(recorder, local_openrouter):
    """The tags of the end event are cost, provider, models, id and attempts of the call."""
    local_openrouter.script(error(503, "busy", retry_after=0), scores(0.1, 0.9, cost=0.002))

    await recorder.rerank(recorder.reranker(), scored_nodes("Paris", "Rome"))

    assert recorder.events[1].tags == {
        "gen_ai.response.id": "gen-rerank-0000000002-stage",
        "gen_ai.response.model": "rerank-v3.5",
        "openrouter.model": "cohere/rerank-v3.5",
        "openrouter.provider": "Stage",
        "openrouter.rerank.attempts": 2,
        "gen_ai.usage.cost": 0.002,
        "openrouter.usage.cost": 0.002,
        "openrouter.usage.search_units": 1,
    }


async def test_tags_of_the_user_are_kept(recorder):
    """The events have the user's tags from `instrument_tags` in addition to those of the call."""
    with instrument_tags({"tenant": "a"}):
        await recorder.rerank(recorder.reranker(), scored_nodes("Rome"))

    assert [event.tags.get("tenant") for event in recorder.events] == ["a", "a"]
    assert "openrouter.usage.cost" in recorder.events[1].tags


async def test_the_end_event_has_the_time_of_the_end(recorder, local_openrouter):
    """The timestamps of the two events differ by at least the time that the server took."""
    local_openrouter.script(Fault.late_head(0.1))

    await recorder.rerank(recorder.reranker(), scored_nodes("Rome"))

    start, end = recorder.events
    assert (end.timestamp - start.timestamp).total_seconds() >= 0.1


async def test_a_failure_that_was_passed_through_is_reported(recorder, local_openrouter, caplog):
    """A failure that was passed through is in the callback, the end event's tags and the log."""
    local_openrouter.script(error(503, "No provider"))

    result = await recorder.rerank(
        recorder.reranker(on_error="passthrough", max_retries=0), scored_nodes("Paris", "Rome")
    )

    assert [item.score for item in result] == [0.5, 0.5]
    assert recorder.event_classes == [ReRankStartEvent, ReRankEndEvent]
    _, end = recorder.callback_events
    failure = end.payload[EventPayload.ADDITIONAL_KWARGS]["passed_through"]
    assert failure.startswith("ServiceUnavailableError: No provider")
    assert recorder.events[1].tags == {"openrouter.passed_through": failure}
    assert "returning the retriever's order" in caplog.text


async def test_the_span_of_a_call_is_below_that_of_its_engine(recorder):
    """In a query engine, the span of a call is a child of the engine's span and has both events."""
    index = VectorStoreIndex(
        nodes=[TextNode(text="Paris"), TextNode(text="Rome")],
        embed_model=MockEmbedding(embed_dim=2),
    )
    engine = RetrieverQueryEngine.from_args(
        index.as_retriever(), llm=MockLLM(), node_postprocessors=[recorder.reranker()]
    )

    await engine.aquery("rome") if recorder.mode == "async" else engine.query("rome")

    (span,) = recorder.spans()
    engine_spans = [
        other.id_
        for other in recorder.span_handler.completed_spans
        if other.id_.startswith("RetrieverQueryEngine")
    ]
    assert span.parent_id in engine_spans
    assert {event.span_id for event in recorder.events} == {span.id_}


async def test_a_derived_class_has_spans(recorder):
    """A user's class that overrides both methods has spans without decorating them."""

    class Derived(OpenRouterRerank):
        def _postprocess_nodes(self, nodes, query_bundle=None):
            return super()._postprocess_nodes(nodes, query_bundle)

        async def _apostprocess_nodes(self, nodes, query_bundle=None):
            return await super()._apostprocess_nodes(nodes, query_bundle)

    await recorder.rerank(recorder.reranker(Derived), scored_nodes("Rome"))

    assert recorder.event_classes == [ReRankStartEvent, ReRankEndEvent]
    assert len(recorder.spans("Derived")) >= 1


def test_calls_work_without_opentelemetry():
    """If OpenTelemetry is not installed, calls work."""
    code = """
import sys
sys.modules["opentelemetry"] = None
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.local.stage import Stage
with Stage() as stage:
    reranker = OpenRouterRerank(base_url=stage.base_url, api_key="k")
    [node] = reranker.postprocess_nodes([NodeWithScore(node=TextNode(text="a"))], query_str="a")
    print(node.score)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout) == (0, "1.0\n"), run.stderr
