"""The attributes of a span for a ranking."""

from openrouter_rerank.ranking import AnsweredRequest, Ranking, Usage
from openrouter_rerank.telemetry import span_attributes


def test_reported_values_are_attributes():
    """The values of a ranking become attributes of its span."""
    request = AnsweredRequest(
        id="gen-1",
        served_model="rerank-v3.5",
        provider="Cohere",
        usage=Usage(cost=0.001, search_units=1, total_tokens=7),
    )
    ranking = Ranking(results=(), model="cohere/rerank-v3.5", requests=(request,), attempts=2)

    assert span_attributes(ranking) == {
        "gen_ai.response.id": "gen-1",
        "gen_ai.response.model": "rerank-v3.5",
        "gen_ai.usage.input_tokens": 7,
        "openrouter.model": "cohere/rerank-v3.5",
        "openrouter.provider": "Cohere",
        "openrouter.rerank.attempts": 2,
        "gen_ai.usage.cost": 0.001,
        "openrouter.usage.cost": 0.001,
        "openrouter.usage.search_units": 1,
    }


def test_values_that_were_not_reported_are_left_out():
    """Values that the service did not report have no attribute."""
    ranking = Ranking(results=(), model="a/b", requests=())

    assert span_attributes(ranking) == {"openrouter.model": "a/b", "openrouter.rerank.attempts": 0}
