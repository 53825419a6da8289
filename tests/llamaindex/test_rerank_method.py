"""`OpenRouterRerank.rerank`: scores of items of any type, and what LlamaIndex's handlers get."""

import asyncio
import base64

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.schema import ImageNode, MetadataMode, NodeWithScore, QueryBundle, TextNode
from openrouter_rerank import Ranking, RerankDocument
from openrouter_rerank.errors import InvalidRequestError, PaymentRequiredError
from openrouter_rerank.local.stage import error
from pydantic import Field

from tests.passages import scored_nodes

TEXTS = ["Bread is baked.", "Paris is the capital of France.", "Rome is a capital."]
QUERY = "capital of France"
VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PNG_URI = "data:image/png;base64," + base64.b64encode(PNG).decode()
URL = "https://example.com/paris.png"


@pytest.fixture
def rerank(mode):
    """Return a function that calls `rerank` or `arerank`."""

    async def rerank(reranker, items=TEXTS, query=QUERY, **options):
        if mode == "sync":
            return reranker.rerank(items, query, **options)
        return await reranker.arerank(items, query, **options)

    return rerank


async def test_items_of_all_types_are_ranked(make_reranker, rerank, local_openrouter):
    """Strings, nodes, mappings, documents and images are ranked in one request."""
    reranker = make_reranker(model=VISION_MODEL)
    node = TextNode(text="A node", metadata={"page": 1})

    ranking = await rerank(
        reranker,
        [
            "A text",
            node,
            NodeWithScore(node=TextNode(text="A scored node"), score=0.5),
            ImageNode(image_url=URL, text="An image node"),
            {"text": "A mapping", "image": PNG},
            {"image": URL},
            RerankDocument(text="A document", image=PNG_URI),
        ],
        QueryBundle(QUERY),
    )

    assert isinstance(ranking, Ranking)
    assert sorted(each.index for each in ranking) == [*range(7)]
    assert local_openrouter.requests[0].documents == [
        "A text",
        "page: 1\n\nA node",
        "A scored node",
        {"text": "An image node", "image": URL},
        {"text": "A mapping", "image": PNG_URI},
        {"image": URL},
        {"text": "A document", "image": PNG_URI},
    ]
    assert node.metadata == {"page": 1}


async def test_the_rules_for_nodes_hold(make_reranker, rerank, local_openrouter):
    """`metadata_mode` and `document_fn` apply to the nodes in a list, and not to texts."""
    node = TextNode(text="text", metadata={"title": "Paris"})

    await rerank(make_reranker(metadata_mode=MetadataMode.NONE), [node, "a text"])
    await rerank(make_reranker(document_fn=lambda item: item.metadata["title"]), [node, "a text"])

    assert [request.documents for request in local_openrouter.requests] == [
        ["text", "a text"],
        ["Paris", "a text"],
    ]


async def test_items_without_content_are_not_in_the_results(make_reranker, rerank):
    """Items with nothing to rank are left out, or are an error with `unscorable="raise"`."""
    items = ["", *TEXTS, TextNode(text=" "), {"text": None}, {"image": "no image"}, {"image": b"x"}]

    for policy in ("keep", "drop"):
        ranking = await rerank(make_reranker(unscorable=policy), items)
        assert [each.index for each in ranking] == [2, 3, 1]
    with pytest.raises(InvalidRequestError, match="document 0 has nothing to rank"):
        await rerank(make_reranker(unscorable="raise"), items)


@pytest.mark.parametrize("items", [[], [""], [TextNode(text=" ")]])
async def test_without_content_the_ranking_is_empty(make_reranker, rerank, local_openrouter, items):
    """If no item has anything to rank, no request is sent, and the ranking is empty."""
    ranking = await rerank(make_reranker(), items, model="a/model")

    assert (len(ranking), ranking.model, ranking.requests) == (0, "a/model", ())
    assert local_openrouter.requests == []


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (
            [TEXTS[0], 5],
            (
                "documents[1] is of type int: pass a string, a node, a NodeWithScore, a mapping "
                "with text and/or image, or a RerankDocument"
            ),
        ),
        ([{"content": "a"}], "documents[0] has the unknown key 'content': use text and/or image"),
        ([{"text": 5}], "text of documents[0] is of type int: pass a string"),
        (
            [{"image": 5}],
            (
                "image of documents[0] is of type int: pass an http(s) URL, a data URI, base64 or "
                "bytes"
            ),
        ),
        (
            [RerankDocument(text=["a"])],
            "text of documents[0] is of type list: pass a string",
        ),
        ("text", "documents is of type str: pass a list, with one item for each node"),
        (None, "documents is of type NoneType: pass a list, with one item for each node"),
    ],
    ids=["number", "key", "text", "image", "document", "one", "none"],
)
async def test_items_that_cannot_be_ranked_are_refused(
    make_reranker, rerank, local_openrouter, items, text
):
    """The error names the position of the item and says what to pass instead."""
    with pytest.raises(InvalidRequestError) as caught:
        await rerank(make_reranker(), items)

    assert str(caught.value) == text
    assert local_openrouter.requests == []


@pytest.mark.parametrize("query", [None, 5, ["a"], QueryBundle(None)], ids=repr)
async def test_a_query_that_is_no_text_is_refused(make_reranker, rerank, query):
    """A query of another type is an error that says what to pass."""
    with pytest.raises(InvalidRequestError, match="pass"):
        await rerank(make_reranker(), TEXTS, query)


class RecordingHandler(BaseEventHandler):
    """An event handler that records all events."""

    recorded: list = Field(default_factory=list)

    def handle(self, event, **_):
        """Record an event."""
        self.recorded.append(event)


@pytest.fixture
def handlers():
    """Attach a handler for events and one for spans to LlamaIndex's root dispatcher."""
    root, events, spans = get_dispatcher(), RecordingHandler(), SimpleSpanHandler()
    root.add_event_handler(events)
    root.add_span_handler(spans)
    yield events.recorded, spans
    root.event_handlers.remove(events)
    root.span_handlers.remove(spans)


def shown(nodes):
    """Return the texts and scores of nodes."""
    return [(item.node.get_content(), item.score) for item in nodes]


async def test_a_call_has_a_span_and_events(make_reranker, rerank, mode, handlers):
    """Handlers get the items as nodes, the results with their scores, and a span."""
    events, spans = handlers
    debug = LlamaDebugHandler(print_trace_on_end=False)
    reranker = make_reranker(callback_manager=CallbackManager([debug]))
    node = NodeWithScore(node=TextNode(text=TEXTS[1]), score=0.5)
    items = [TEXTS[0], node, {"text": TEXTS[2]}, {"image": URL}, ""]

    await rerank(reranker, items, top_n=2, extra_headers={"X-Tenant": "secret-1"})

    start, end = (each for each in events if isinstance(each, ReRankStartEvent | ReRankEndEvent))
    (span,) = spans.completed_spans
    assert span.id_.startswith(f"OpenRouterRerank.{'_rerank' if mode == 'sync' else '_arerank'}-")
    assert "secret-1" not in repr(vars(span))
    assert start.span_id == end.span_id == span.id_
    assert (start.query.query_str, start.top_n) == (QUERY, 2)
    assert shown(start.nodes) == [
        (TEXTS[0], None),
        (TEXTS[1], 0.5),
        (TEXTS[2], None),
        ("", None),
        ("", None),
    ]
    assert shown(end.nodes) == [(TEXTS[1], 1.0), (TEXTS[2], pytest.approx(1 / 3))]
    assert end.tags["openrouter.usage.cost"] == 0.001
    assert node.score == 0.5
    ((first, last),) = debug.get_event_pairs(CBEventType.RERANKING)
    assert len(first.payload[EventPayload.NODES]) == 5
    assert shown(last.payload[EventPayload.NODES]) == shown(end.nodes)


async def test_a_failed_call_has_an_end_event(make_reranker, rerank, local_openrouter, handlers):
    """A call that fails has an end event without nodes, and its span is dropped."""
    events, spans = handlers
    local_openrouter.always(error(402, "no credits"))

    with pytest.raises(PaymentRequiredError):
        await rerank(make_reranker(on_error="passthrough"))

    (end,) = (each for each in events if isinstance(each, ReRankEndEvent))
    assert end.nodes == []
    assert len(spans.dropped_spans) == 1


async def test_a_caller_may_change_its_list(make_reranker, local_openrouter):
    """A list that changes during an async call does not change what is ranked."""
    items = [*TEXTS, scored_nodes("Oslo")[0]]

    call = asyncio.create_task(make_reranker().arerank(items, QUERY))
    await asyncio.sleep(0)
    items.clear()
    ranking = await call

    assert len(ranking) == 4
    assert len(local_openrouter.requests[0].documents) == 4
