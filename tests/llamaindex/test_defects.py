"""
Defects that rerankers in LlamaIndex pipelines have had, each excluded by a test.

| behaviour                                                      | tests                          |
|----------------------------------------------------------------|--------------------------------|
| async calls use no thread and can be cancelled                 | test_loops, test_rerank        |
| a call has a `RERANKER` span; its parent span keeps its kind   | test_openinference             |
| one reranker works in many loops and threads, without leaks    | test_loops                     |
| a sync call in a running event loop ends at its deadline       | test_loops                     |
| texts and images of every form are ranked in one request       | test_convert_nodes,            |
|                                                                | test_multimodal                |
| no URL is fetched, and no path from metadata is read           | test_convert_without_io        |
| an empty or unsupported node does not fail the other nodes     | test_rerank                    |
| a blank query costs nothing                                    | test_same_promises             |
| lists, items, nodes, metadata and hashes are not changed       | test_rerank                    |
| the result has the node objects that were passed in            | test_rerank                    |
| `top_n` may be unset, or larger than the number of nodes       | test_events                    |
| no dump, error, log or trace contains the key                  | test_serialization,            |
|                                                                | test_openinference             |
| dumps, pickles and copies restore an equal reranker            | test_serialization             |
| unknown options are refused, and each option has an effect     | test_serialization,            |
|                                                                | test_every_option              |
| the key is read from the environment; an error names it        | test_same_promises             |
| every response is a ranking or raises a typed error            | here                           |
| an invalid index or score is an error, never another node      | here                           |
| only one layer retries, and it honours `Retry-After`           | here                           |
| a start event has an end event, and an error ends the span     | test_events                    |
| hooks, callbacks, events and spans have cost and usage         | test_events,                   |
|                                                                | test_openinference             |
| scores are Python floats, and results can be written as JSON   | here                           |
| nodes with the same id are all returned                        | here                           |
| the payloads of callbacks are complete                         | test_events                    |
| the examples run                                               | test_examples, tests/docs      |
"""

import json

import pytest
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank import OpenRouterRerankError
from openrouter_rerank.errors import (
    BadGatewayError,
    DeadlineExceededError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
)
from openrouter_rerank.local.stage import Fault, Reply, error, results, scores

from tests.passages import QUERY, TEXTS, scored_nodes


@pytest.fixture
def rerank(make_reranker, postprocess):
    """Return a coroutine function that makes a reranker and ranks nodes, by default of `TEXTS`."""

    async def rerank(nodes=None, **options):
        if nodes is None:
            nodes = scored_nodes(*TEXTS)
        return await postprocess(make_reranker(**options), nodes, query_str=QUERY)

    return rerank


@pytest.mark.parametrize(
    ("reply", "error_class", "message"),
    [
        (error(401, "No auth credentials found"), UnauthorizedError, "No auth credentials"),
        (error(404, "No endpoints found for a/b"), NotFoundError, "No endpoints found"),
        (Reply(status=401, body={"detail": "Unauthorized"}), UnauthorizedError, "401"),
        (Reply(status=502, body="<html>Bad gateway</html>"), BadGatewayError, "502"),
        (Reply(status=500, body=b""), InternalServerError, "500"),
        (error(429, "Slow down", status=200), TooManyRequestsError, "Slow down"),
        (Reply(body="<html>Welcome</html>"), InvalidResponseError, "is a web page"),
        (Reply(body={}), InvalidResponseError, "not a ranking"),
        (Reply(body={"results": None}), InvalidResponseError, "not a ranking"),
        (Reply(body=[]), InvalidResponseError, "not a ranking"),
        (Reply(body=b"\xff\xfe"), InvalidResponseError, "not a ranking"),
    ],
    ids=[
        "401",
        "404",
        "401 with another body",
        "502 with HTML",
        "500 without a body",
        "429 in a 200 response",
        "200 with HTML",
        "200 with an empty object",
        "200 without results",
        "200 with a list",
        "200 with invalid UTF-8",
    ],
)
async def test_a_failure_of_the_service_is_a_typed_error(
    rerank, local_openrouter, reply, error_class, message
):
    """Every failed response raises a typed error with a short message, without key and texts."""
    local_openrouter.always(reply)

    with pytest.raises(error_class, match=message) as raised:
        await rerank(max_retries=0)

    assert isinstance(raised.value, OpenRouterRerankError)
    assert len(str(raised.value)) < 400
    assert local_openrouter.api_key not in str(raised.value)
    assert TEXTS[0] not in str(raised.value)


@pytest.mark.parametrize(
    "pairs",
    [
        [(-1, 0.9), (0, 0.5), (1, 0.1)],
        [(9, 0.9), (0, 0.5), (1, 0.1)],
        [(0, 0.9), (0, 0.5), (1, 0.1)],
        [("0", 0.9), (1, 0.5), (2, 0.1)],
        [(True, 0.9), (0, 0.5), (2, 0.1)],
        [(0.0, 0.9), (1, 0.5), (2, 0.1)],
        [(0, None), (1, 0.5), (2, 0.1)],
        [(0, "0.9"), (1, 0.5), (2, 0.1)],
        [(0, float("nan")), (1, 0.5), (2, 0.1)],
        [(0, float("inf")), (1, 0.5), (2, 0.1)],
    ],
    ids=[
        "negative index",
        "index too large",
        "index twice",
        "index as text",
        "index as boolean",
        "index as float",
        "no score",
        "score as text",
        "score NaN",
        "infinite score",
    ],
)
async def test_an_invalid_index_or_score_is_an_error(rerank, local_openrouter, pairs):
    """A response with an invalid index or score raises an error, so no node gets a wrong score."""
    local_openrouter.always(results(*pairs))

    with pytest.raises(InvalidResponseError):
        await rerank(max_retries=0)


async def test_unsorted_results_are_sorted(rerank, local_openrouter):
    """Nodes are returned in the order of their scores, for each order of the response."""
    local_openrouter.script(results((0, 0.1), (2, 0.9), (1, 0.5)))

    result = await rerank()

    assert [item.node.text for item in result] == [TEXTS[2], TEXTS[1], TEXTS[0]]
    assert [item.score for item in result] == [0.9, 0.5, 0.1]


async def test_a_score_belongs_to_the_node_at_its_index(rerank, local_openrouter):
    """A score belongs to the node at its index, even if the response repeats another text."""
    rows = [
        {"index": 1, "relevance_score": 0.9, "document": {"text": TEXTS[0]}},
        {"index": 0, "relevance_score": 0.1, "document": {"text": TEXTS[1]}},
        {"index": 2, "relevance_score": 0.0, "document": {"text": "another text"}},
    ]
    local_openrouter.script(Reply(body={"results": rows}))

    assert [item.node.text for item in await rerank()] == [TEXTS[1], TEXTS[0], TEXTS[2]]


async def test_only_one_layer_retries(rerank, local_openrouter):
    """In an outage, a call makes 1 + `max_retries` attempts, because only the client retries."""
    local_openrouter.always(error(503, "down", retry_after=0))

    with pytest.raises(OpenRouterRerankError) as raised:
        await rerank(max_retries=2)

    assert len(local_openrouter.requests) == raised.value.attempts == 3


async def test_a_retry_after_beyond_the_deadline_ends_the_call(rerank, local_openrouter):
    """A `Retry-After` beyond the deadline ends the call immediately with an error that has it."""
    local_openrouter.always(error(429, "Slow down", retry_after=3600))

    with pytest.raises(TooManyRequestsError) as raised:
        await rerank(timeout=5)

    assert raised.value.retry_after == 3600
    assert len(local_openrouter.requests) == 1


async def test_a_call_without_a_response_ends_at_its_deadline(rerank, local_openrouter):
    """A call fails `timeout` seconds after its start if the server does not respond."""
    local_openrouter.always(Fault.hang())

    with pytest.raises(DeadlineExceededError):
        await rerank(timeout=0.2)


async def test_results_can_be_written_as_json(rerank):
    """Scores are Python floats, so LlamaIndex's `to_json` can write the results."""
    result = await rerank()

    assert [json.loads(item.to_json())["score"] for item in result] == [
        1.0,
        pytest.approx(1 / 3),
        0.0,
    ]


async def test_nodes_with_the_same_id_are_all_returned(rerank, local_openrouter):
    """Nodes that share an id, as damaged stores return them, are all returned, best first."""
    nodes = [NodeWithScore(node=TextNode(id_="same", text=text)) for text in "abc"]
    local_openrouter.script(scores(0.1, 0.9, 0.5))

    result = await rerank(nodes)

    assert [item.node for item in result] == [nodes[position].node for position in (1, 2, 0)]


def test_an_option_that_is_not_set_has_the_default_of_its_field():
    """An option that is not set has the default of its field, which is the documented one."""
    reranker = OpenRouterRerank()

    for name, field in OpenRouterRerank.model_fields.items():
        if name != "callback_manager":
            assert getattr(reranker, name) == field.get_default(call_default_factory=True)
