"""`keep_retrieval_score`: the score of the retriever, or of an earlier reranker, is kept."""

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.local.stage import error

QUERY = "capital of France"


def documents():
    """Return documents with the scores of a retriever."""
    return [
        Document("Rome is a capital.", metadata={"relevance_score": 0.8, "_id": "1"}),
        Document("Paris is the capital of France.", metadata={"relevance_score": 0.7}),
        Document("Bread is baked.", metadata={}),
        Document(" ", metadata={"relevance_score": 0.6}),
    ]


async def test_the_earlier_score_is_kept(make_reranker, compress):
    """The earlier score is kept as `retrieval_score`, and other metadata are not changed."""
    given = documents()

    found = await compress(make_reranker(keep_retrieval_score=True), given, QUERY)

    assert [document.metadata for document in found] == [
        {"relevance_score": 1.0, "retrieval_score": 0.7},
        {"relevance_score": pytest.approx(1 / 3), "retrieval_score": 0.8, "_id": "1"},
        {"relevance_score": 0.0},
        {"retrieval_score": 0.6},
    ]
    assert given == documents()


async def test_the_earlier_score_is_replaced_by_default(make_reranker, compress):
    """Without the option, no further metadata are written."""
    found = await compress(make_reranker(), documents(), QUERY)

    assert all("retrieval_score" not in document.metadata for document in found)


async def test_scores_of_other_fields_are_kept_without_the_option(make_reranker, compress):
    """A retriever that writes its score to another field loses nothing."""
    given = [Document("a", metadata={"score": 0.2, "@search.score": 7})]

    found = await compress(make_reranker(), given, QUERY)

    assert found[0].metadata == {"relevance_score": 0.0, "score": 0.2, "@search.score": 7}


async def test_the_score_of_the_option_score_key_is_kept(make_reranker, compress):
    """With `score_key`, the score that stood in that field is kept."""
    given = [Document("capital", metadata={"score": 0.2, "relevance_score": 7})]
    reranker = make_reranker(keep_retrieval_score=True, score_key="score")

    found = await compress(reranker, given, "capital")

    assert found[0].metadata == {"score": 1.0, "retrieval_score": 0.2, "relevance_score": 7}


async def test_a_failure_that_passes_changes_no_metadata(make_reranker, compress, local_openrouter):
    """If reranking fails, the documents are returned with the scores where they were."""
    local_openrouter.always(error(402, "Insufficient credits"))
    reranker = make_reranker(keep_retrieval_score=True, on_error="passthrough_all")

    assert await compress(reranker, documents(), QUERY) == documents()


def test_one_field_cannot_have_both_scores(make_reranker):
    """The field of the kept score cannot be that of the new one."""
    message = (
        "keep_retrieval_score cannot be combined with score_key='retrieval_score': both scores "
        "would be written to one field. Choose another score_key"
    )

    with pytest.raises(ConfigurationError) as caught:
        OpenRouterRerank(keep_retrieval_score=True, score_key="retrieval_score")
    assert caught.value.message == message
    with pytest.raises(ConfigurationError, match="cannot be combined with"):
        make_reranker(score_key="retrieval_score").keep_retrieval_score = True


def test_the_field_of_the_passage_cannot_have_the_score(make_reranker):
    """`score_key` cannot be the field that has the passage of a long document."""
    message = (
        "score_key must not be 'relevance_passage': that field has the passage of a long "
        "document. Choose another score_key"
    )

    with pytest.raises(ConfigurationError) as caught:
        OpenRouterRerank(score_key="relevance_passage", long_documents="split")
    assert caught.value.message == message
    with pytest.raises(ConfigurationError, match="score_key must not be"):
        make_reranker().score_key = "relevance_passage"
