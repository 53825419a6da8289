"""`OpenRouterRerank.rerank`: scores of anything that can be ranked, and options of one call."""

import base64

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank import Ranking
from openrouter_rerank.errors import InvalidRequestError, ServiceUnavailableError
from openrouter_rerank.local.stage import error
from pydantic import ValidationError

QUERY = "capital of France"
TEXTS = ["Bread is baked.", "Paris is the capital of France.", "Rome is a capital."]
VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PNG_URI = "data:image/png;base64," + base64.b64encode(PNG).decode()
URL = "https://example.com/paris.png"


@pytest.fixture
def reranker(local_openrouter):
    """A reranker that calls the local service."""
    return OpenRouterRerank(api_key=local_openrouter.api_key, base_url=local_openrouter.base_url)


@pytest.fixture
def rerank(mode):
    """Ask for scores in each mode of code."""

    async def rerank(reranker, documents, query=QUERY, **options):
        if mode == "sync":
            return reranker.rerank(documents, query, **options)
        return await reranker.arerank(documents, query, **options)

    return rerank


def indexes(ranking):
    """Tell the order of a ranking."""
    return [result.index for result in ranking.results]


async def test_scores_of_strings(reranker, rerank):
    """The result is a `Ranking`: indexes into the list, scores, model, provider and cost."""
    ranking = await rerank(reranker, TEXTS)

    assert isinstance(ranking, Ranking)
    assert indexes(ranking) == [1, 2, 0]
    assert [result.relevance_score for result in ranking.results] == [1.0, pytest.approx(1 / 3), 0]
    assert (ranking.model, ranking.usage.cost) == ("cohere/rerank-v3.5", 0.001)


async def test_scores_of_all_sorts(reranker, rerank, local_openrouter):
    """Documents, mappings, content blocks and images are ranked together in one request."""
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

    # The service gets once what two items have in common, and both have its score.
    assert len(ranking.results) == 6
    assert local_openrouter.requests[0].documents == [
        "A text",
        {"text": "A document", "image": URL},
        {"text": "A mapping", "image": PNG_URI},
        {"image": URL},
        {"image": PNG_URI},
    ]


async def test_nothing_is_changed(reranker, rerank):
    """Neither the list nor a document of it is changed."""
    documents = [Document(text, metadata={"relevance_score": 9.0}) for text in TEXTS]
    mapping = {"text": "Paris"}
    items = [*documents, mapping]

    await rerank(reranker, items)

    assert items == [*documents, mapping]
    assert [document.metadata for document in documents] == [{"relevance_score": 9.0}] * 3
    assert mapping == {"text": "Paris"}


async def test_what_has_nothing_to_rank_is_not_among_the_results(reranker, rerank):
    """A blank item has no score, so a ranking has no place for it; indexes do not shift."""
    items = ["", *TEXTS, Document(" "), {"type": "audio", "base64": "AAAA"}]

    for policy in ("keep", "drop"):
        reranker.unscorable = policy
        assert indexes(await rerank(reranker, items)) == [2, 3, 1]

    reranker.unscorable = "raise"
    with pytest.raises(InvalidRequestError, match="document 0 has nothing to rank"):
        await rerank(reranker, items)


@pytest.mark.parametrize("items", [[], [""], [Document(" ")]])
async def test_nothing_to_rank_is_an_empty_ranking(reranker, rerank, local_openrouter, items):
    """Without anything to rank nothing is sent, and the ranking is empty."""
    ranking = await rerank(reranker, items, model="a/model")

    assert (ranking.results, ranking.model, ranking.requests) == ((), "a/model", ())
    assert local_openrouter.requests == []


async def test_a_blank_query_is_a_mistake(reranker, rerank, local_openrouter):
    """Without a question there are no scores, and an empty ranking would lose every item."""
    with pytest.raises(InvalidRequestError, match="query is blank"):
        await rerank(reranker, TEXTS, " ")
    assert local_openrouter.requests == []


@pytest.mark.parametrize("documents", ["a text", b"bytes", {"text": "a"}, None, 17])
async def test_a_list_is_wanted(reranker, rerank, documents):
    """One item in place of a list of them is an error that says so."""
    with pytest.raises(InvalidRequestError, match=r"documents is of type \w+: pass a list"):
        await rerank(reranker, documents)


async def test_failures_are_raised(reranker, rerank, local_openrouter):
    """`passthrough` keeps an order, of which a ranking without scores would have none."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.max_retries = "passthrough", 0

    with pytest.raises(ServiceUnavailableError):
        await rerank(reranker, TEXTS)
    assert reranker.on_error == "passthrough"


async def test_options_of_one_call(reranker, rerank, local_openrouter):
    """`top_n`, `model` and `score_threshold` hold for the call that they are passed to."""
    reranker.top_n = 2

    assert indexes(await rerank(reranker, TEXTS)) == [1, 2]
    assert indexes(await rerank(reranker, TEXTS, top_n=1)) == [1]
    assert indexes(await rerank(reranker, TEXTS, top_n=None)) == [1, 2, 0]
    assert indexes(await rerank(reranker, TEXTS, top_n=None, score_threshold=0.2)) == [1, 2]
    assert (await rerank(reranker, TEXTS, model="a/model")).model == "a/model"
    assert indexes(await rerank(reranker, TEXTS)) == [1, 2]
    assert [request.top_n for request in local_openrouter.requests] == [2, 1, None, None, 2, 2]


async def test_compression_takes_the_options_of_one_call_too(reranker, mode):
    """`compress_documents` takes the same options."""
    documents = [Document(text) for text in TEXTS]

    if mode == "sync":
        found = reranker.compress_documents(documents, QUERY, top_n=1)
    else:
        found = await reranker.acompress_documents(documents, QUERY, top_n=1)

    assert [document.page_content for document in found] == [TEXTS[1]]


async def test_options_of_one_call_are_checked(reranker, rerank):
    """An impossible value, or an option that no call has, is an error that names it."""
    with pytest.raises(ValidationError, match="top_n"):
        await rerank(reranker, TEXTS, top_n=0)
    with pytest.raises(TypeError, match="'topn'"):
        await rerank(reranker, TEXTS, topn=1)
    with pytest.raises(TypeError, match="'timeout'"):
        await rerank(reranker, TEXTS, timeout=1)


async def test_calls_with_options_share_their_connection(reranker, rerank, local_openrouter):
    """An option of one call costs no connection."""
    for top_n in (1, 2, 3):
        await rerank(reranker, TEXTS, top_n=top_n)

    assert local_openrouter.connections == 1


async def test_the_documents_of_a_list_are_converted(reranker, rerank, local_openrouter):
    """`document_converter` is for documents; what is written out is ranked as written."""
    reranker.document_converter = lambda document: document.metadata["title"]

    await rerank(reranker, [Document("A text", metadata={"title": "A title"}), "A string"])

    assert local_openrouter.requests[0].documents == ["A title", "A string"]


class Handler(BaseCallbackHandler):
    """Notes what a run has found."""

    def __init__(self):
        self.found = []

    def on_retriever_end(self, documents, **_):
        """Note it."""
        self.found.append(documents)


async def test_traces_show_texts_and_scores(reranker, rerank):
    """Handlers get the ranked items as documents, images left out."""
    reranker.model = VISION_MODEL
    handler = Handler()

    await rerank(
        reranker, ["capital", {"text": "France", "image": PNG}, PNG, ""], callbacks=[handler]
    )

    [documents] = handler.found
    assert sorted((each.metadata["index"], each.page_content) for each in documents) == [
        (0, "capital"),
        (1, "France"),
        (2, ""),
    ]
    assert documents[0].metadata["relevance_score"] == pytest.approx(1 / 3)
