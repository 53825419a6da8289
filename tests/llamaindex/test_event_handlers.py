"""Every handler of LlamaIndex gets its reports. Without a handler, no report is made."""

import pytest
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index_instrumentation.dispatcher import Dispatcher, Manager
from llama_index_instrumentation.event_handlers import NullEventHandler
from llamaindex_openrouter_rerank import OpenRouterRerank
from llamaindex_openrouter_rerank._tracing import has_event_handlers
from pydantic import Field


class Events(BaseEventHandler):
    """An event handler that records the events of rerankings."""

    seen: list = Field(default_factory=list)

    def handle(self, event, **_):
        """Record an event of a reranking."""
        if isinstance(event, ReRankStartEvent | ReRankEndEvent):
            self.seen.append(type(event))


class DerivedFromNull(NullEventHandler):
    """A recording handler that is derived from LlamaIndex's handler that does nothing."""

    seen: list = Field(default_factory=list)

    def handle(self, event, **_):
        """Record an event of a reranking."""
        if isinstance(event, ReRankStartEvent | ReRankEndEvent):
            self.seen.append(type(event))


class RecordingManager(CallbackManager):
    """A callback manager that records events itself, without a handler."""

    def __init__(self):
        """Start without any event."""
        super().__init__()
        self.seen = []

    def on_event_start(self, event_type, *args, **kwargs):
        """Record the start of an event."""
        self.seen.append(event_type)
        return super().on_event_start(event_type, *args, **kwargs)

    def on_event_end(self, event_type, *args, **kwargs):
        """Record the end of an event."""
        self.seen.append(event_type)
        super().on_event_end(event_type, *args, **kwargs)


@pytest.fixture(params=["sync", "async"])
def rerank(request):
    """Return a function that reranks one node, synchronously or asynchronously."""

    async def call(reranker):
        nodes = [NodeWithScore(node=TextNode(text="Rome"))]
        if request.param == "sync":
            return reranker.postprocess_nodes(nodes, query_str="rome")
        return await reranker.apostprocess_nodes(nodes, query_str="rome")

    return call


@pytest.fixture
def reranker(local_openrouter):
    """Return a function that makes a reranker which calls the stage."""

    def make(**options):
        stage = local_openrouter
        return OpenRouterRerank(api_key=stage.api_key, base_url=stage.base_url, **options)

    return make


@pytest.mark.parametrize("name", ["root", "llamaindex_openrouter_rerank"])
@pytest.mark.parametrize("handler_class", [Events, DerivedFromNull])
@pytest.mark.parametrize("way", ["added", "alone"])
async def test_an_event_handler_gets_both_events(rerank, reranker, name, handler_class, way):
    """A handler on the root or on our dispatcher, with other handlers or alone, gets both."""
    dispatcher, handler = get_dispatcher(name), handler_class()
    before = dispatcher.event_handlers
    dispatcher.event_handlers = [handler] if way == "alone" else [*before, handler]
    try:
        await rerank(reranker())
    finally:
        dispatcher.event_handlers = before

    assert handler.seen == [ReRankStartEvent, ReRankEndEvent]


async def test_without_propagation_only_own_handlers_get_the_events(rerank, reranker):
    """If our dispatcher does not propagate, the handlers of the root get no events."""
    root, own = get_dispatcher(), get_dispatcher("llamaindex_openrouter_rerank")
    on_root, on_own = Events(), Events()
    root.add_event_handler(on_root)
    own.add_event_handler(on_own)
    own.propagate = False
    try:
        await rerank(reranker())
    finally:
        own.propagate = True
        own.event_handlers.remove(on_own)
        root.event_handlers.remove(on_root)

    assert (on_root.seen, on_own.seen) == ([], [ReRankStartEvent, ReRankEndEvent])


async def test_spans_are_sent_on_the_dispatcher_of_the_events(rerank, reranker):
    """A span handler on our dispatcher gets one span for each call, whatever module made it."""
    own, handler = get_dispatcher("llamaindex_openrouter_rerank"), SimpleSpanHandler()
    own.add_span_handler(handler)
    try:
        await rerank(reranker())
    finally:
        own.span_handlers.remove(handler)

    (span,) = handler.completed_spans
    assert span.id_.startswith("OpenRouterRerank.")


@pytest.mark.parametrize(
    ("on_root", "on_own", "propagates", "made"),
    [
        ([NullEventHandler()], [], True, False),
        ([], [], True, False),
        ([NullEventHandler(), NullEventHandler()], [NullEventHandler()], True, False),
        ([NullEventHandler(), Events()], [], True, True),
        ([DerivedFromNull()], [], True, True),
        ([Events()], [], False, False),
        ([], [Events()], False, True),
        ([], [NullEventHandler(), Events()], True, True),
    ],
)
def test_events_are_made_only_for_handlers(on_root, on_own, propagates, made):
    """A handler counts if events reach it, except LlamaIndex's handler that does nothing."""
    root = Dispatcher(name="root", event_handlers=on_root, propagate=False)
    manager = Manager(root)
    own = Dispatcher(
        name="own",
        event_handlers=on_own,
        parent_name="root",
        manager=manager,
        propagate=propagates,
    )

    assert has_event_handlers(own) is made


def without_handlers():
    """Make a manager without handlers. A new manager shares the list of LlamaIndex's settings."""
    manager = CallbackManager()
    manager.set_handlers([])
    return manager


def given_at_construction(make, handler):
    """Pass a manager with the handler."""
    return make(callback_manager=CallbackManager([handler]))


def added_later(make, handler):
    """Add the handler to the reranker's manager."""
    reranker = make(callback_manager=without_handlers())
    reranker.callback_manager.add_handler(handler)
    return reranker


def set_later(make, handler):
    """Set the handlers of the reranker's manager."""
    reranker = make(callback_manager=without_handlers())
    reranker.callback_manager.set_handlers([handler])
    return reranker


def assigned(make, handler):
    """Assign another manager to the reranker, as query engines do."""
    reranker = make()
    reranker.callback_manager = CallbackManager([handler])
    return reranker


def of_the_settings(make, handler):
    """Set the handler in LlamaIndex's settings before the reranker is made."""
    before = Settings.callback_manager
    Settings.callback_manager = CallbackManager([handler])
    try:
        return make()
    finally:
        Settings.callback_manager = before


@pytest.mark.parametrize(
    "way", [given_at_construction, added_later, set_later, assigned, of_the_settings]
)
async def test_a_callback_handler_gets_start_and_end(rerank, reranker, way):
    """A handler that was set in any of these ways gets the start, and the end with the nodes."""
    handler = LlamaDebugHandler(print_trace_on_end=False)

    result = await rerank(way(reranker, handler))

    ((start, end),) = handler.get_event_pairs(CBEventType.RERANKING)
    assert start.payload[EventPayload.QUERY_STR] == "rome"
    assert end.payload[EventPayload.NODES] == result


async def test_a_manager_of_a_derived_class_gets_start_and_end(rerank, reranker):
    """A callback manager of the user's own class needs no handler."""
    manager = RecordingManager()

    await rerank(reranker(callback_manager=manager))

    assert manager.seen == [CBEventType.RERANKING] * 2


async def test_without_callback_handlers_the_manager_records_nothing(rerank, reranker):
    """In a long-running process, no list of events grows that no handler reads."""
    manager = without_handlers()

    await rerank(reranker(callback_manager=manager))

    assert manager.trace_map == {}
