"""Calls whose response does not rank all documents."""

import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank.errors import InvalidResponseError
from openrouter_rerank.local.stage import results, scores
from openrouter_rerank.reranker import Placed, Reranker

from tests.clients import OWN_CONNECTIONS


@OWN_CONNECTIONS
@pytest.mark.parametrize("pairs", [[], [(0, 0.5)], [(1, 0.9), (0, 0.5)]])
def test_an_incomplete_ranking_is_paid_for_once(make_client, stage, pairs):
    """A response without all documents is refused after one attempt."""
    stage.always(results(*pairs))

    with pytest.raises(InvalidResponseError) as caught:
        make_client(max_retries=2).rerank("q", ["a", "b", "c"])

    assert caught.value.is_incomplete
    assert (caught.value.attempts, len(stage.requests)) == (1, 1)


@OWN_CONNECTIONS
def test_a_fallback_model_may_rank_all_documents(make_client, stage):
    """After an incomplete ranking, the next model is asked."""
    stage.script(results((0, 0.5)), scores(0.1, 0.9))

    ranking = make_client().rerank("q", ["a", "b"], model="a/a", fallback_models=["b/b"])

    assert (ranking.model, ranking.results[0].index, len(stage.requests)) == ("b/b", 1, 2)


@OWN_CONNECTIONS
def test_an_incomplete_part_of_a_call_is_refused(make_client, stage):
    """If one of several requests is incomplete, the call fails, and no request is repeated."""
    stage.always(lambda request: (results() if "c" in request.documents else scores(1))(request))

    with pytest.raises(InvalidResponseError):
        make_client().rerank("q", ["a", "b", "c"], max_documents_per_request=1)

    assert sorted(request.documents for request in stage.requests) == [["a"], ["b"], ["c"]]


@OWN_CONNECTIONS
def test_an_incomplete_ranking_stores_no_score(make_client, stage):
    """With a score store, an incomplete ranking stores nothing, so that a later call is whole."""
    stage.script(results((0, 0.5)), scores(0.1, 0.9))
    client = make_client(score_store=InMemoryByteStore())

    with pytest.raises(InvalidResponseError):
        client.rerank("q", ["a", "b"])
    ranking = client.rerank("q", ["a", "b"])

    assert [result.index for result in ranking.results] == [1, 0]
    assert [request.documents for request in stage.requests] == [["a", "b"], ["a", "b"]]


async def test_an_incomplete_ranking_passes_through(stage):
    """With `passthrough`, an incomplete ranking keeps the order of the input."""
    stage.always(results((1, 0.5)))
    reranker = Reranker(base_url=stage.base_url, api_key=stage.api_key, on_error="passthrough")

    for placement in (reranker.place("q", ["a", "b"]), await reranker.aplace("q", ["a", "b"])):
        assert placement.order == (Placed(0, None), Placed(1, None))
        assert placement.error.is_incomplete
    assert len(stage.requests) == 2
