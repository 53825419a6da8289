"""`OpenRouterRerank.rerank`: scores of items of any type, and the options of a call."""

import base64

import pytest
from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from openrouter_rerank import Ranking
from openrouter_rerank.errors import (
    ConfigurationError,
    InvalidRequestError,
    ServiceUnavailableError,
)
from openrouter_rerank.local.stage import error

TEXTS = ["Bread is baked.", "Paris is the capital of France.", "Rome is a capital."]
VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PNG_URI = "data:image/png;base64," + base64.b64encode(PNG).decode()
URL = "https://example.com/paris.png"


def indexes(ranking):
    """Return the indexes of the results, best first."""
    return [result.index for result in ranking.results]


async def test_strings_are_ranked(reranker, rerank):
    """The result is a `Ranking` with indexes, scores, model and cost."""
    ranking = await rerank(reranker, TEXTS)

    assert isinstance(ranking, Ranking)
    assert indexes(ranking) == [1, 2, 0]
    assert [result.relevance_score for result in ranking.results] == [1.0, pytest.approx(1 / 3), 0]
    assert (ranking.model, ranking.usage.cost) == ("cohere/rerank-v3.5", 0.001)


async def test_items_of_all_types_are_ranked(reranker, rerank, local_openrouter):
    """Strings, documents, mappings, content blocks and images are ranked in one request."""
    reranker.model = VISION_MODEL
    reranker.image_key = "photo"

    ranking = await rerank(
        reranker,
        [
            "A text",
            Document("A document", metadata={"photo": URL}),
            {"text": "A mapping", "image": PNG},
            {"type": "image", "url": URL},
            Blob.from_data(PNG),
            PNG_URI,
        ],
    )

    # Two items are the same image. It is sent once, and both items get its score.
    assert len(ranking.results) == 6
    assert local_openrouter.requests[0].documents == [
        "A text",
        {"text": "A document", "image": URL},
        {"text": "A mapping", "image": PNG_URI},
        {"image": URL},
        {"image": PNG_URI},
    ]


async def test_items_are_not_changed(reranker, rerank):
    """`rerank` changes neither the list nor its items."""
    documents = [Document(text, metadata={"relevance_score": 9.0}) for text in TEXTS]
    mapping = {"text": "Paris"}
    items = [*documents, mapping]

    await rerank(reranker, items)

    assert items == [*documents, mapping]
    assert [document.metadata for document in documents] == [{"relevance_score": 9.0}] * 3
    assert mapping == {"text": "Paris"}


async def test_items_without_content_are_not_in_the_results(reranker, rerank):
    """Items with nothing to rank are left out, or are an error with `unscorable="raise"`."""
    items = ["", *TEXTS, Document(" "), {"type": "audio", "base64": "AAAA"}]

    for policy in ("keep", "drop"):
        reranker.unscorable = policy
        assert indexes(await rerank(reranker, items)) == [2, 3, 1]

    reranker.unscorable = "raise"
    with pytest.raises(InvalidRequestError, match="document 0 has nothing to rank"):
        await rerank(reranker, items)


@pytest.mark.parametrize("items", [[], [""], [Document(" ")]])
async def test_without_content_the_ranking_is_empty(reranker, rerank, local_openrouter, items):
    """If no item has anything to rank, no request is sent, and the ranking is empty."""
    ranking = await rerank(reranker, items, model="a/model")

    assert (ranking.results, ranking.model, ranking.requests) == ((), "a/model", ())
    assert local_openrouter.requests == []


async def test_a_blank_query_is_refused(reranker, rerank, local_openrouter):
    """A blank query is an error, because an empty ranking would lose every item."""
    with pytest.raises(InvalidRequestError, match="query is blank"):
        await rerank(reranker, TEXTS, " ")
    assert local_openrouter.requests == []


@pytest.mark.parametrize("documents", ["a text", b"bytes", {"text": "a"}, None, 17])
async def test_an_argument_that_is_not_a_list_is_refused(reranker, rerank, documents):
    """An argument that is not a list is an error with its type."""
    with pytest.raises(InvalidRequestError, match=r"documents is of type \w+: pass a list"):
        await rerank(reranker, documents)


async def test_failures_are_always_raised(reranker, rerank, local_openrouter):
    """`rerank` raises with `on_error="passthrough"` too, because there are no scores to return."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.max_retries = "passthrough", 0

    with pytest.raises(ServiceUnavailableError):
        await rerank(reranker, TEXTS)
    assert reranker.on_error == "passthrough"


async def test_a_call_can_override_options(reranker, rerank, local_openrouter):
    """A call can override `top_n`, `model` and `score_threshold` for itself."""
    reranker.top_n = 2

    assert indexes(await rerank(reranker, TEXTS)) == [1, 2]
    assert indexes(await rerank(reranker, TEXTS, top_n=1)) == [1]
    assert indexes(await rerank(reranker, TEXTS, top_n=None)) == [1, 2, 0]
    assert indexes(await rerank(reranker, TEXTS, top_n=None, score_threshold=0.2)) == [1, 2]
    assert (await rerank(reranker, TEXTS, model="a/model")).model == "a/model"
    assert indexes(await rerank(reranker, TEXTS)) == [1, 2]
    assert [request.top_n for request in local_openrouter.requests] == [2, 1, None, None, 2, 2]


async def test_compress_documents_can_override_options(reranker, compress):
    """`compress_documents` accepts the options of a call too."""
    results = await compress(reranker, [Document(text) for text in TEXTS], top_n=1)

    assert [document.page_content for document in results] == [TEXTS[1]]


async def test_options_of_a_call_are_checked(reranker, rerank):
    """An invalid value, or an option that a call does not have, is an error with its name."""
    with pytest.raises(ConfigurationError, match="top_n"):
        await rerank(reranker, TEXTS, top_n=0)
    with pytest.raises(TypeError, match="'topn'"):
        await rerank(reranker, TEXTS, topn=1)
    with pytest.raises(TypeError, match="'max_concurrency'"):
        await rerank(reranker, TEXTS, max_concurrency=1)


async def test_calls_with_options_share_a_connection(reranker, rerank, local_openrouter):
    """Calls that override options use the connection of the reranker."""
    for top_n in (1, 2, 3):
        await rerank(reranker, TEXTS, top_n=top_n)

    assert local_openrouter.connections == 1


async def test_the_converter_gets_only_documents(reranker, rerank, local_openrouter):
    """`document_converter` converts documents. A string is ranked as it is."""
    reranker.document_converter = lambda document: document.metadata["title"]

    await rerank(reranker, [Document("A text", metadata={"title": "A title"}), "A string"])

    assert local_openrouter.requests[0].documents == ["A title", "A string"]


async def test_callback_handlers_get_texts_and_scores(reranker, rerank, runs):
    """Callback handlers get the ranked items as documents without images."""
    reranker.model = VISION_MODEL

    await rerank(reranker, ["capital", {"text": "France", "image": PNG}, PNG, ""], callbacks=[runs])

    assert runs.ended == ["OpenRouterRerank"]
    documents = runs.reranking.documents
    assert sorted(
        (document.metadata["index"], document.page_content) for document in documents
    ) == [
        (0, "capital"),
        (1, "France"),
        (2, ""),
    ]
    assert documents[0].metadata["relevance_score"] == pytest.approx(1 / 3)
