"""Whoever listens is told of a reranking, in whichever way; for nobody, nothing is made."""

import pytest
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index_instrumentation.dispatcher import Dispatcher, Manager
from llama_index_instrumentation.event_handlers import NullEventHandler
from llamaindex_openrouter_rerank import OpenRouterRerank
from llamaindex_openrouter_rerank.listeners import is_heard
from pydantic import Field


class Events(BaseEventHandler):
    """Keeps the events that it is told of."""

    seen: list = Field(default_factory=list)

    def handle(self, event, **_):
        """Keep an event of a reranking."""
        if isinstance(event, ReRankStartEvent | ReRankEndEvent):
            self.seen.append(type(event))


class NullButNot(NullEventHandler):
    """A handler of somebody who began with the class of the one that does nothing."""

    seen: list = Field(default_factory=list)

    def handle(self, event, **_):
        """Keep an event of a reranking."""
        if isinstance(event, ReRankStartEvent | ReRankEndEvent):
            self.seen.append(type(event))


class Witness(CallbackManager):
    """A manager which listens itself, without a handler."""

    def __init__(self):
        """Listen."""
        super().__init__()
        self.seen = []

    def on_event_start(self, event_type, *args, **kwargs):
        """Keep the start of an event."""
        self.seen.append(event_type)
        return super().on_event_start(event_type, *args, **kwargs)

    def on_event_end(self, event_type, *args, **kwargs):
        """Keep the end of an event."""
        self.seen.append(event_type)
        super().on_event_end(event_type, *args, **kwargs)


@pytest.fixture(params=["sync", "async"])
def rerank(request):
    """Postprocess one node as code of either colour does."""

    async def call(reranker):
        nodes = [NodeWithScore(node=TextNode(text="Rome"))]
        if request.param == "sync":
            return reranker.postprocess_nodes(nodes, query_str="rome")
        return await reranker.apostprocess_nodes(nodes, query_str="rome")

    return call


@pytest.fixture
def reranker(local_openrouter):
    """Make rerankers that call the stage."""

    def make(**options):
        stage = local_openrouter
        return OpenRouterRerank(api_key=stage.api_key, base_url=stage.base_url, **options)

    return make


@pytest.mark.parametrize("name", ["root", "llamaindex_openrouter_rerank._tracing"])
@pytest.mark.parametrize("handler_class", [Events, NullButNot])
@pytest.mark.parametrize("way", ["added", "alone"])
async def test_event_handlers_are_told(rerank, reranker, name, handler_class, way):
    """On LlamaIndex's root or on ours, beside others or in their place, they get both events."""
    dispatcher, handler = get_dispatcher(name), handler_class()
    before = dispatcher.event_handlers
    dispatcher.event_handlers = [handler] if way == "alone" else [*before, handler]
    try:
        await rerank(reranker())
    finally:
        dispatcher.event_handlers = before

    assert handler.seen == [ReRankStartEvent, ReRankEndEvent]


async def test_what_does_not_propagate_is_heard_by_its_own_handlers_alone(rerank, reranker):
    """A dispatcher cut off from the root tells its own handlers, and not the root's."""
    root, own = get_dispatcher(), get_dispatcher("llamaindex_openrouter_rerank._tracing")
    above, beside = Events(), Events()
    root.add_event_handler(above)
    own.add_event_handler(beside)
    own.propagate = False
    try:
        await rerank(reranker())
    finally:
        own.propagate = True
        own.event_handlers.remove(beside)
        root.event_handlers.remove(above)

    assert (above.seen, beside.seen) == ([], [ReRankStartEvent, ReRankEndEvent])


@pytest.mark.parametrize(
    ("on_root", "on_own", "propagates", "heard"),
    [
        ([NullEventHandler()], [], True, False),
        ([], [], True, False),
        ([NullEventHandler(), NullEventHandler()], [NullEventHandler()], True, False),
        ([NullEventHandler(), Events()], [], True, True),
        ([NullButNot()], [], True, True),
        ([Events()], [], False, False),
        ([], [Events()], False, True),
        ([], [NullEventHandler(), Events()], True, True),
    ],
)
def test_events_are_made_only_where_they_are_heard(on_root, on_own, propagates, heard):
    """A handler counts unless it is LlamaIndex's own that does nothing, or out of reach."""
    root = Dispatcher(name="root", event_handlers=on_root, propagate=False)
    manager = Manager(root)
    own = Dispatcher(
        name="own",
        event_handlers=on_own,
        parent_name="root",
        manager=manager,
        propagate=propagates,
    )

    assert is_heard(own) is heard


def silent():
    """Make a manager without handlers: a new one shares the list of LlamaIndex's settings."""
    manager = CallbackManager()
    manager.set_handlers([])
    return manager


def given_at_construction(make, handler):
    """Pass a manager that has the handler."""
    return make(callback_manager=CallbackManager([handler]))


def added_later(make, handler):
    """Add the handler to the manager that the reranker has."""
    reranker = make(callback_manager=silent())
    reranker.callback_manager.add_handler(handler)
    return reranker


def set_later(make, handler):
    """Set the handlers of the manager that the reranker has."""
    reranker = make(callback_manager=silent())
    reranker.callback_manager.set_handlers([handler])
    return reranker


def assigned(make, handler):
    """Give the reranker another manager, as query engines do."""
    reranker = make()
    reranker.callback_manager = CallbackManager([handler])
    return reranker


def of_the_settings(make, handler):
    """Take the handlers of LlamaIndex's settings."""
    before = Settings.callback_manager
    Settings.callback_manager = CallbackManager([handler])
    try:
        return make()
    finally:
        Settings.callback_manager = before


@pytest.mark.parametrize(
    "way", [given_at_construction, added_later, set_later, assigned, of_the_settings]
)
async def test_callback_handlers_are_told(rerank, reranker, way):
    """However a handler came to the manager, it gets the start, and the end with the nodes."""
    handler = LlamaDebugHandler(print_trace_on_end=False)

    result = await rerank(way(reranker, handler))

    ((start, end),) = handler.get_event_pairs(CBEventType.RERANKING)
    assert start.payload[EventPayload.QUERY_STR] == "rome"
    assert end.payload[EventPayload.NODES] == result


async def test_a_manager_that_listens_itself_is_told(rerank, reranker):
    """A manager of a class of the user's needs no handler."""
    witness = Witness()

    await rerank(reranker(callback_manager=witness))

    assert witness.seen == [CBEventType.RERANKING] * 2


async def test_without_callback_handlers_nothing_is_left_in_their_manager(rerank, reranker):
    """A reranker that serves for months fills no list of events that nobody reads."""
    manager = silent()

    await rerank(reranker(callback_manager=manager))

    assert manager.trace_map == {}
