"""LlamaIndex's handlers get the events of a call, and no event is made without a handler."""

import pytest
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index_instrumentation.dispatcher import Dispatcher, Manager
from llama_index_instrumentation.event_handlers import NullEventHandler
from llamaindex_openrouter_rerank._tracing import has_event_handlers
from pydantic import Field

from tests.passages import scored_nodes


class RecordingHandler(BaseEventHandler):
    """An event handler that records the classes of the rerank events."""

    recorded: list = Field(default_factory=list)

    def handle(self, event, **_):
        """Record the class of a rerank event."""
        if isinstance(event, ReRankStartEvent | ReRankEndEvent):
            self.recorded.append(type(event))


class DerivedFromNull(NullEventHandler):
    """A recording handler that is derived from LlamaIndex's handler that does nothing."""

    recorded: list = Field(default_factory=list)

    def handle(self, event, **_):
        """Record the class of a rerank event."""
        if isinstance(event, ReRankStartEvent | ReRankEndEvent):
            self.recorded.append(type(event))


class RecordingManager(CallbackManager):
    """A callback manager that records events itself, without a handler."""

    def __init__(self):
        """Start without any event."""
        super().__init__()
        self.recorded = []

    def on_event_start(self, event_type, *args, **kwargs):
        """Record the start of an event."""
        self.recorded.append(event_type)
        return super().on_event_start(event_type, *args, **kwargs)

    def on_event_end(self, event_type, *args, **kwargs):
        """Record the end of an event."""
        self.recorded.append(event_type)
        super().on_event_end(event_type, *args, **kwargs)


@pytest.fixture
def rerank(postprocess):
    """Return a coroutine function that reranks one node with a reranker."""

    async def rerank(reranker):
        return await postprocess(reranker, scored_nodes("Rome"), query_str="rome")

    return rerank


@pytest.mark.parametrize("name", ["root", "llamaindex_openrouter_rerank"])
@pytest.mark.parametrize("handler_class", [RecordingHandler, DerivedFromNull])
@pytest.mark.parametrize("is_only", [False, True], ids=["added", "only handler"])
async def test_an_event_handler_gets_both_events(
    rerank, make_reranker, name, handler_class, is_only
):
    """A handler on the root or the package's dispatcher gets the start event and the end event."""
    dispatcher, handler = get_dispatcher(name), handler_class()
    before = dispatcher.event_handlers
    dispatcher.event_handlers = [handler] if is_only else [*before, handler]
    try:
        await rerank(make_reranker())
    finally:
        dispatcher.event_handlers = before

    assert handler.recorded == [ReRankStartEvent, ReRankEndEvent]


async def test_without_propagation_only_own_handlers_get_the_events(rerank, make_reranker):
    """If the package's dispatcher does not propagate, the handlers of the root get no events."""
    root, own = get_dispatcher(), get_dispatcher("llamaindex_openrouter_rerank")
    on_root, on_own = RecordingHandler(), RecordingHandler()
    root.add_event_handler(on_root)
    own.add_event_handler(on_own)
    own.propagate = False
    try:
        await rerank(make_reranker())
    finally:
        own.propagate = True
        own.event_handlers.remove(on_own)
        root.event_handlers.remove(on_root)

    assert (on_root.recorded, on_own.recorded) == ([], [ReRankStartEvent, ReRankEndEvent])


async def test_spans_are_sent_on_the_dispatcher_of_the_events(rerank, make_reranker):
    """A span handler on the package's dispatcher gets one span for each call."""
    own, handler = get_dispatcher("llamaindex_openrouter_rerank"), SimpleSpanHandler()
    own.add_span_handler(handler)
    try:
        await rerank(make_reranker())
    finally:
        own.span_handlers.remove(handler)

    (span,) = handler.completed_spans
    assert span.id_.startswith("OpenRouterRerank.")


@pytest.mark.parametrize(
    ("on_root", "on_own", "propagates", "expected"),
    [
        ([NullEventHandler()], [], True, False),
        ([], [], True, False),
        ([NullEventHandler(), NullEventHandler()], [NullEventHandler()], True, False),
        ([NullEventHandler(), RecordingHandler()], [], True, True),
        ([DerivedFromNull()], [], True, True),
        ([RecordingHandler()], [], False, False),
        ([], [RecordingHandler()], False, True),
        ([], [NullEventHandler(), RecordingHandler()], True, True),
    ],
    ids=[
        "null handler on root",
        "no handlers",
        "only null handlers",
        "handler after null handler on root",
        "handler derived from null handler",
        "handler on root without propagation",
        "own handler without propagation",
        "own handler after null handler",
    ],
)
def test_events_are_made_only_for_handlers(on_root, on_own, propagates, expected):
    """Events are made if they reach a handler other than LlamaIndex's handler that does nothing."""
    root = Dispatcher(name="root", event_handlers=on_root, propagate=False)
    manager = Manager(root)
    own = Dispatcher(
        name="own",
        event_handlers=on_own,
        parent_name="root",
        manager=manager,
        propagate=propagates,
    )

    assert has_event_handlers(own) is expected


def manager_without_handlers():
    """Return a manager without handlers; a new one shares the list of LlamaIndex's settings."""
    manager = CallbackManager()
    manager.set_handlers([])
    return manager


def passed_to_constructor(make_reranker, handler):
    """Return a reranker that was made with a manager of the handler."""
    return make_reranker(callback_manager=CallbackManager([handler]))


def added_to_manager(make_reranker, handler):
    """Return a reranker to whose manager the handler was added."""
    reranker = make_reranker(callback_manager=manager_without_handlers())
    reranker.callback_manager.add_handler(handler)
    return reranker


def set_in_manager(make_reranker, handler):
    """Return a reranker in whose manager the handler was set."""
    reranker = make_reranker(callback_manager=manager_without_handlers())
    reranker.callback_manager.set_handlers([handler])
    return reranker


def assigned_with_manager(make_reranker, handler):
    """Return a reranker that was assigned another manager, as query engines do."""
    reranker = make_reranker()
    reranker.callback_manager = CallbackManager([handler])
    return reranker


def set_in_settings(make_reranker, handler):
    """Return a reranker that was made while LlamaIndex's settings had the handler."""
    before = Settings.callback_manager
    Settings.callback_manager = CallbackManager([handler])
    try:
        return make_reranker()
    finally:
        Settings.callback_manager = before


@pytest.mark.parametrize(
    "make_with_handler",
    [
        passed_to_constructor,
        added_to_manager,
        set_in_manager,
        assigned_with_manager,
        set_in_settings,
    ],
)
async def test_a_callback_handler_gets_start_and_end(rerank, make_reranker, make_with_handler):
    """A callback handler gets the start with the query, and the end with the ranked nodes."""
    handler = LlamaDebugHandler(print_trace_on_end=False)

    result = await rerank(make_with_handler(make_reranker, handler))

    ((start, end),) = handler.get_event_pairs(CBEventType.RERANKING)
    assert start.payload[EventPayload.QUERY_STR] == "rome"
    assert end.payload[EventPayload.NODES] == result


async def test_a_manager_of_a_derived_class_gets_start_and_end(rerank, make_reranker):
    """A callback manager of a user's own class gets start and end, even without handlers."""
    manager = RecordingManager()

    await rerank(make_reranker(callback_manager=manager))

    assert manager.recorded == [CBEventType.RERANKING] * 2


async def test_without_callback_handlers_the_manager_records_nothing(rerank, make_reranker):
    """A manager without handlers records no event, so its memory does not grow with each call."""
    manager = manager_without_handlers()

    await rerank(make_reranker(callback_manager=manager))

    assert manager.trace_map == {}
