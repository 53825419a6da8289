import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.local.stage import (
    results,
    scores,
    word_overlap,
)

from tests.local.asking import asked


def answer(replier, request):
    """What a function answers to a request, as its client would read it."""
    return json.loads(replier(request).content)


def test_scores_make_a_whole_answer():
    """Given scores come back sorted, echoed, numbered and billed as OpenRouter does it."""
    ranking = answer(scores(0.1, 0.9, 0.5), asked(documents=["a", {"text": "b"}, "c"]))

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
    """Only the best `top_n` come back, ties in the order of the documents."""
    ranking = answer(scores(0.5, 0.5, 0.9), asked(top_n=2))

    assert [item["index"] for item in ranking["results"]] == [2, 0]


def test_another_number_of_scores_is_an_error():
    """Scores for another number of documents are answered with an error that says so."""
    reply = scores(0.1)(asked())

    assert reply.status == 500
    assert "1 scores were scripted for 3 documents" in reply.content.decode()


@pytest.mark.parametrize(("documents", "units"), [(1, 1), (100, 1), (101, 2)])
def test_cost_follows_the_search_units(documents, units):
    """An answer bills one search unit for each hundred documents begun."""
    usage = answer(word_overlap, asked(documents=["x"] * documents))["usage"]

    assert usage == {"search_units": units, "cost": pytest.approx(units * 0.001)}


def test_cost_can_be_given():
    """A test can say what an answer costs."""
    assert answer(scores(1, 2, 3, cost=0.25), asked())["usage"]["cost"] == 0.25
    assert answer(results(cost=0.5), asked())["usage"]["cost"] == 0.5


def test_results_are_sent_as_given():
    """Wrong results can be scripted: repeated, out of range, without a finite score."""
    pairs = [(1, 0.5), (1, 0.9), (-1, None), (99, "high"), (None, 0.1)]

    ranking = answer(results(*pairs), asked())

    assert [(item["index"], item["relevance_score"]) for item in ranking["results"]] == pairs


@given(
    query=st.text(min_size=1),
    documents=st.lists(st.text() | st.fixed_dictionaries({"text": st.text()}), min_size=1),
    top_n=st.none() | st.integers(1, 9),
)
def test_every_default_answer_is_a_valid_ranking(query, documents, top_n):
    """Whatever is asked, the default's indices are unique and its scores sorted in [0, 1]."""
    ranking = answer(word_overlap, asked(query=query, documents=documents, top_n=top_n))

    indices = [item["index"] for item in ranking["results"]]
    found = [item["relevance_score"] for item in ranking["results"]]
    assert len(indices) == min(top_n or len(documents), len(documents))
    assert len(set(indices)) == len(indices)
    assert set(indices) <= set(range(len(documents)))
    assert all(better >= worse for better, worse in pairwise(found))
    assert all(0 <= score <= 1 for score in found)


def test_lone_surrogates_are_echoed():
    """A document that is no valid Unicode comes back as it was sent."""
    ranking = answer(word_overlap, asked(documents=["\ud800"]))

    assert ranking["results"][0]["document"] == {"text": "\ud800"}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (asked(path="/api/v1/models"), 404),
        (asked(method="GET"), 405),
        (asked(headers={}), 401),
        (asked(headers={"authorization": "Bearer "}), 401),
        (asked(body=b"{"), 400),
        (asked(body=b"[]"), 400),
        (asked(body=b"\xff"), 400),
        (asked(documents=[]), 400),
        (asked(query=""), 400),
        (asked(model=None), 400),
        (asked(path="/api/v1/rerank?x=y"), 200),
    ],
)
def test_bad_requests_are_refused_as_openrouter_does(request_, status):
    """The default and given scores refuse what OpenRouter refuses, with its statuses."""
    assert word_overlap(request_).status == status
    assert scores(1, 2, 3)(request_).status == status
