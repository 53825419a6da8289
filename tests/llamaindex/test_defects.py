"""
What goes wrong with rerankers in LlamaIndex pipelines, and does not here.

| what users are promised                                        | where it is proven             |
|----------------------------------------------------------------|--------------------------------|
| asynchronous calls are native, can be cancelled, use no thread | frameworks/…/test_loops        |
| a `RERANKER` span of its own, the parent keeps its kind        | frameworks/…/test_openinference|
| one instance over many loops and threads, nothing leaks        | frameworks/…/test_loops        |
| synchronous calls inside a running loop end by their deadline  | frameworks/…/test_loops        |
| images in all forms, beside text, in one request               | test_llamaindex_convert,       |
|                                                                | frameworks/…/test_multimodal   |
| nothing is fetched, no path of the metadata is read            | test_llamaindex_convert        |
| an empty or unsupported node fails nobody else's ranking       | test_llamaindex                |
| a blank query costs nothing                                    | test_same_promises             |
| list, items, nodes, metadata and hashes stay as they were      | test_llamaindex                |
| the very nodes come back                                       | test_llamaindex                |
| `top_n` of none, one, and more than there are                  | test_llamaindex_events         |
| the key is in no dump, error, log or trace                     | test_llamaindex_serialization, |
|                                                                | frameworks/…/test_openinference|
| what was written is read back; pickles and copies work         | test_llamaindex_serialization  |
| unknown options are refused, and each option has an effect     | test_llamaindex_serialization, |
|                                                                | test_every_option              |
| a missing key is named, and found in the environment           | test_same_promises             |
| whatever the service answers: a ranking or a typed error       | here                           |
| a wrong index or score is an error, never a wrong node         | here                           |
| one layer of retries, which honours `Retry-After`              | here                           |
| a start always has its end, an error ends the span             | test_llamaindex_events         |
| cost and usage can be had: hook, callback, event, span         | test_llamaindex_events,        |
|                                                                | frameworks/…/test_openinference|
| scores are Python's floats, and results are JSON               | here                           |
| nodes with the same id stay apart                              | here                           |
| callback payloads are complete                                 | test_llamaindex_events         |
| the examples run                                               | test_llamaindex_examples, docs |
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

TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")
QUERY = "capital of France"


@pytest.fixture(params=["sync", "async"])
def rerank(request, local_openrouter):
    """Return a coroutine function that makes a reranker and uses it, in each mode."""

    async def run(nodes=None, **options):
        reranker = OpenRouterRerank(
            api_key=local_openrouter.api_key, base_url=local_openrouter.base_url, **options
        )
        if nodes is None:
            nodes = [NodeWithScore(node=TextNode(text=text), score=0.5) for text in TEXTS]
        if request.param == "async":
            return await reranker.apostprocess_nodes(nodes, query_str=QUERY)
        return reranker.postprocess_nodes(nodes, query_str=QUERY)

    return run


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (error(401, "No auth credentials found"), UnauthorizedError, "No auth credentials"),
        (error(404, "No endpoints found for a/b"), NotFoundError, "No endpoints found"),
        (Reply(status=401, body={"detail": "Unauthorized"}), UnauthorizedError, "401"),
        (Reply(status=502, body="<html>Bad gateway</html>"), BadGatewayError, "502"),
        (Reply(status=500, body=b""), InternalServerError, "500"),
        (error(429, "Slow down", status=200), TooManyRequestsError, "Slow down"),
        (Reply(body="<html>Welcome</html>"), InvalidResponseError, "no ranking"),
        (Reply(body={}), InvalidResponseError, "no ranking"),
        (Reply(body={"results": None}), InvalidResponseError, "no ranking"),
        (Reply(body=[]), InvalidResponseError, "no ranking"),
        (Reply(body=b"\xff\xfe"), InvalidResponseError, "no ranking"),
    ],
)
async def test_a_failure_of_the_service_is_a_typed_error(
    rerank, local_openrouter, reply, kind, words
):
    """JSON, HTML, nothing, or an error inside a success: one tree of errors, in few words."""
    local_openrouter.always(reply)

    with pytest.raises(kind, match=words) as raised:
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
)
async def test_a_wrong_index_or_score_is_an_error(rerank, local_openrouter, pairs):
    """Negative, too large, twice, of another type, missing or no number: no node is mistaken."""
    local_openrouter.always(results(*pairs))

    with pytest.raises(InvalidResponseError):
        await rerank(max_retries=0)


async def test_an_unsorted_answer_is_sorted(rerank, local_openrouter):
    """The order is that of the scores, whatever the order of the answer."""
    local_openrouter.script(results((0, 0.1), (2, 0.9), (1, 0.5)))

    result = await rerank()

    assert [item.node.text for item in result] == [TEXTS[2], TEXTS[1], TEXTS[0]]
    assert [item.score for item in result] == [0.9, 0.5, 0.1]


async def test_a_score_belongs_to_its_index(rerank, local_openrouter):
    """The echoed text is not what nodes are found by."""
    echo = [
        {"index": 1, "relevance_score": 0.9, "document": {"text": TEXTS[0]}},
        {"index": 0, "relevance_score": 0.1, "document": {"text": TEXTS[1]}},
        {"index": 2, "relevance_score": 0.0, "document": {"text": "of nobody"}},
    ]
    local_openrouter.script(Reply(body={"results": echo}))

    assert [item.node.text for item in await rerank()] == [TEXTS[1], TEXTS[0], TEXTS[2]]


async def test_retries_are_made_in_one_place(rerank, local_openrouter):
    """An outage costs one attempt and `max_retries` more, and not their product with another."""
    local_openrouter.always(error(503, "down", retry_after=0))

    with pytest.raises(OpenRouterRerankError) as raised:
        await rerank(max_retries=2)

    assert len(local_openrouter.requests) == raised.value.attempts == 3


async def test_a_service_that_asks_to_wait_too_long_is_not_waited_for(rerank, local_openrouter):
    """A `Retry-After` beyond the deadline ends the call at once, and the error tells it."""
    local_openrouter.always(error(429, "Slow down", retry_after=3600))

    with pytest.raises(TooManyRequestsError) as raised:
        await rerank(timeout=5)

    assert raised.value.retry_after == 3600
    assert len(local_openrouter.requests) == 1


async def test_a_silent_service_is_given_up(rerank, local_openrouter):
    """`timeout` is for the whole call."""
    local_openrouter.always(Fault.hang())

    with pytest.raises(DeadlineExceededError):
        await rerank(timeout=0.2)


async def test_results_can_be_written_as_json(rerank):
    """Scores are Python's own numbers, as LlamaIndex's `to_json` asks for."""
    result = await rerank()

    assert [json.loads(item.to_json())["score"] for item in result] == [
        1.0,
        pytest.approx(1 / 3),
        0.0,
    ]


async def test_nodes_of_one_id_stay_apart(rerank, local_openrouter):
    """Chunks that share an id, as damaged stores return them, all come back."""
    nodes = [NodeWithScore(node=TextNode(id_="same", text=text)) for text in "abc"]
    local_openrouter.script(scores(0.1, 0.9, 0.5))

    result = await rerank(nodes)

    assert [item.node for item in result] == [nodes[at].node for at in (1, 2, 0)]


def test_an_option_left_out_has_the_default_that_is_documented():
    """No constructor stands between a field and its value."""
    reranker = OpenRouterRerank()

    for name, field in OpenRouterRerank.model_fields.items():
        if name != "callback_manager":
            assert getattr(reranker, name) == field.get_default(call_default_factory=True)
