"""Responses with a valid ranking: how its results, usage and metadata are read."""

import json

import pytest
from openrouter_rerank.errors import APIStatusError, TooManyRequestsError
from openrouter_rerank.ranking import Usage

from tests.wire.decoded_response import ROWS, decoded, pairs


@pytest.mark.parametrize(
    ("rows", "ranked"),
    [
        pytest.param([(0, 0.1), (1, 0.9)], [(1, 0.9), (0, 0.1)], id="unsorted"),
        pytest.param([(1, 0.5), (0, 0.5)], [(0, 0.5), (1, 0.5)], id="tie"),
        pytest.param([(1, -3), (0, 4)], [(0, 4.0), (1, -3.0)], id="whole numbers, logits"),
        pytest.param([(1, 0.0), (0, -0.0)], [(0, 0.0), (1, 0.0)], id="zeros of both signs"),
        pytest.param([(0, 5e-324), (1, 1e308)], [(1, 1e308), (0, 5e-324)], id="extremes"),
    ],
)
def test_results_are_sorted_by_score_and_then_by_position(rows, ranked):
    """Results are sorted by score, and equal scores by position, in any order of the response."""
    results = [{"index": index, "relevance_score": score} for index, score in rows]

    assert pairs(decoded({"results": results})) == ranked


def test_results_beyond_top_n_are_removed():
    """If a server returns more than `top_n` results, the best `top_n` are kept."""
    results = [{"index": index, "relevance_score": index / 10} for index in range(4)]

    assert pairs(decoded({"results": results}, documents=4, results=2)) == [(3, 0.3), (2, 0.2)]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"text": "another text"}, id="invented"),
        pytest.param({}, id="empty"),
        pytest.param(None, id="null"),
        pytest.param(7, id="number"),
        pytest.param("text", id="string"),
        pytest.param({"text": {"text": []}, "image": 1}, id="wrong types"),
        pytest.param({"text": "half \ud83d a pair"}, id="escaped lone surrogate"),
    ],
)
def test_the_echoed_document_is_ignored(document):
    """The echoed document is ignored, even if it is not valid."""
    body = {"results": [row | {"document": document} for row in ROWS]}

    assert pairs(decoded(body)) == [(1, 0.5), (0, 0.25)]


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        pytest.param({}, Usage(), id="absent"),
        pytest.param({"usage": None}, Usage(), id="null"),
        pytest.param({"usage": "free"}, Usage(), id="string"),
        pytest.param({"usage": {"cost": "0.1"}}, Usage(), id="nested string"),
        pytest.param({"usage": {"cost": True, "total_tokens": False}}, Usage(), id="booleans"),
        pytest.param({"usage": {"cost": -1, "search_units": -1}}, Usage(), id="negative"),
        pytest.param({"usage": {"cost": 10**400}}, Usage(), id="cost too large for a float"),
        pytest.param({"usage": {"total_tokens": 10**400}}, Usage(), id="too many tokens"),
        pytest.param(
            {"usage": {"cost": 0, "search_units": 2.0, "total_tokens": 3}},
            Usage(cost=0.0, search_units=2, total_tokens=3),
            id="unusual but valid",
        ),
    ],
)
def test_invalid_usage_does_not_invalidate_a_ranking(fields, usage):
    """Invalid fields of `usage` become `None`, and the ranking is returned."""
    ranking = decoded({"results": ROWS} | fields)

    assert pairs(ranking) == [(1, 0.5), (0, 0.25)]
    assert ranking.usage == usage


def test_a_cost_that_is_not_finite_is_ignored():
    """A cost of `NaN` or `Infinity`, which Python servers can write, becomes `None`."""
    results = json.dumps(ROWS).encode()

    for cost in (b"NaN", b"Infinity", b"1e999"):
        ranking = decoded(b'{"results":' + results + b',"usage":{"cost":' + cost + b"}}")
        assert ranking.usage.cost is None


@pytest.mark.parametrize("value", [None, 1, [], {}, True])
def test_invalid_metadata_does_not_invalidate_a_ranking(value):
    """An id, model or provider that is not a string becomes `None`."""
    ranking = decoded({"results": ROWS, "id": value, "model": value, "provider": value})

    assert (ranking.id, ranking.served_model, ranking.provider) == (None, None, None)


def test_metadata_is_escaped_and_shortened():
    """Ids and names are escaped, and have at most 300 characters."""
    ranking = decoded({"results": ROWS, "id": "a\nb", "provider": "x" * 1000})

    assert ranking.id == "a\\nb"
    assert len(ranking.provider) == 300


def test_results_with_a_null_error_are_a_ranking():
    """A response with results and `error: null` is a ranking."""
    assert pairs(decoded({"results": ROWS, "error": None})) == [(1, 0.5), (0, 0.25)]


@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        pytest.param({"code": 429, "message": "slow down"}, TooManyRequestsError, id="object"),
        pytest.param("upstream went away", APIStatusError, id="string"),
    ],
)
def test_an_error_next_to_results_is_an_error(error, error_class):
    """If a response has both results and an error, the results are not used."""
    assert type(decoded({"results": ROWS, "error": error})) is error_class


@pytest.mark.parametrize("encoding", ["identity", "Identity"])
def test_content_encoding_identity_is_accepted(encoding):
    """A response with `Content-Encoding: identity` is read."""
    assert pairs(decoded({"results": ROWS}, headers={"content-encoding": encoding}))
