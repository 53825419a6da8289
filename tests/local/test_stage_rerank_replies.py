import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank import MODELS
from openrouter_rerank.local.stage import (
    results,
    scores,
    word_overlap,
)

from tests.rerank_requests import recorded_request


def content(reply_function, request):
    """Return the decoded body of a function's reply to a request."""
    return json.loads(reply_function(request).content)


def test_scores_make_a_complete_response():
    """The response has sorted scores, documents, an id and usage, as OpenRouter's has."""
    ranking = content(scores(0.1, 0.9, 0.5), recorded_request(documents=["a", {"text": "b"}, "c"]))

    assert ranking == {
        "id": "gen-rerank-0000000001-stage",
        "model": "rerank-v3.5",
        "results": [
            {"index": 1, "relevance_score": 0.9, "document": {"text": "b"}},
            {"index": 2, "relevance_score": 0.5, "document": {"text": "c"}},
            {"index": 0, "relevance_score": 0.1, "document": {"text": "a"}},
        ],
        "usage": {"search_units": 1, "cost": 0.001},
        "provider": "Stage",
    }


def test_scores_are_cut_to_top_n():
    """Only the best `top_n` results are returned; equal scores keep the documents' order."""
    ranking = content(scores(0.5, 0.5, 0.9), recorded_request(top_n=2))

    assert [item["index"] for item in ranking["results"]] == [2, 0]


def test_another_number_of_scores_is_an_error():
    """If the number of scores and documents differ, the reply is an error that says so."""
    reply = scores(0.1)(recorded_request())

    assert reply.status == 500
    assert "1 scores were scripted for 3 documents" in reply.content.decode()


@pytest.mark.parametrize(("documents", "units"), [(1, 1), (100, 1), (101, 2)])
def test_cost_follows_the_search_units(documents, units):
    """A response counts one search unit for each started hundred of documents."""
    usage = content(word_overlap, recorded_request(documents=["x"] * documents))["usage"]

    assert usage == {"search_units": units, "cost": pytest.approx(units * 0.001)}


def test_the_cost_can_be_given():
    """A test can set the cost of a response."""
    assert content(scores(1, 2, 3, cost=0.25), recorded_request())["usage"]["cost"] == 0.25
    assert content(results(cost=0.5), recorded_request())["usage"]["cost"] == 0.5


def test_results_are_sent_as_given():
    """A test can script wrong results: repeated, out of range, or without a finite score."""
    pairs = [(1, 0.5), (1, 0.9), (-1, None), (99, "high"), (None, 0.1)]

    ranking = content(results(*pairs), recorded_request())

    assert [(item["index"], item["relevance_score"]) for item in ranking["results"]] == pairs


@given(
    query=st.text(min_size=1),
    documents=st.lists(st.text() | st.fixed_dictionaries({"text": st.text()}), min_size=1),
    top_n=st.none() | st.integers(1, 9),
)
def test_every_default_response_is_a_valid_ranking(query, documents, top_n):
    """For any request the indices are unique, and the scores are sorted and in [0, 1]."""
    ranking = content(word_overlap, recorded_request(query=query, documents=documents, top_n=top_n))

    indices = [item["index"] for item in ranking["results"]]
    found = [item["relevance_score"] for item in ranking["results"]]
    assert len(indices) == min(top_n or len(documents), len(documents))
    assert len(set(indices)) == len(indices)
    assert set(indices) <= set(range(len(documents)))
    assert all(better >= worse for better, worse in pairwise(found))
    assert all(0 <= score <= 1 for score in found)


def test_the_default_lists_the_models():
    """The default replies to a request for the list of models with the built-in models."""
    path = "/api/v1/models?output_modalities=rerank"
    listed = content(word_overlap, recorded_request(method="GET", path=path, headers={}, body=b""))

    assert [model["id"] for model in listed["data"]] == [*MODELS]


def test_the_default_reports_a_key_without_limits():
    """The default replies to a request for the details of its key, if it has one."""
    asked = {"method": "GET", "path": "/api/v1/key", "body": b""}
    found = content(word_overlap, recorded_request(**asked))

    assert found["data"]["limit_remaining"] is None
    assert word_overlap(recorded_request(**asked, headers={})).status == 401


def test_lone_surrogates_are_returned():
    """A document that is not valid Unicode is returned as it was sent."""
    ranking = content(word_overlap, recorded_request(documents=["\ud800"]))

    assert ranking["results"][0]["document"] == {"text": "\ud800"}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (recorded_request(path="/api/v1/models"), 404),
        (recorded_request(method="GET"), 405),
        (recorded_request(method="GET", path="/api/v1/other"), 404),
        (recorded_request(headers={}), 401),
        (recorded_request(headers={"authorization": "Bearer "}), 401),
        (recorded_request(body=b"{"), 400),
        (recorded_request(body=b"[]"), 400),
        (recorded_request(body=b"\xff"), 400),
        (recorded_request(documents=[]), 400),
        (recorded_request(query=""), 400),
        (recorded_request(model=None), 400),
        (recorded_request(path="/api/v1/rerank?x=y"), 200),
    ],
)
def test_invalid_requests_get_the_statuses_of_openrouter(request_, status):
    """The default and `scores` reject what OpenRouter rejects, with the same statuses."""
    assert word_overlap(request_).status == status
    assert scores(1, 2, 3)(request_).status == status
