"""The metadata and the usage of a ranking."""

import pytest
from openrouter_rerank.ranking import AnsweredRequest, RankedDocument, Ranking, Usage


def request_served_by(name, **usage):
    """Return a request that the provider `name` served."""
    return AnsweredRequest(
        id=f"id-{name}", served_model=f"model-{name}", provider=name, usage=Usage(**usage)
    )


def test_metadata_is_from_the_first_request_and_usage_from_all():
    """Id, model and provider are from the first request; usage is the sum over all requests."""
    requests = (
        request_served_by("a", cost=0.25, search_units=1),
        request_served_by("b", cost=0.5, search_units=2, total_tokens=9),
        request_served_by("c"),
    )

    ranking = Ranking(results=(RankedDocument(0, 1.0),), model="m", requests=requests)

    assert (ranking.id, ranking.served_model, ranking.provider) == ("id-a", "model-a", "a")
    assert ranking.usage == Usage(cost=0.75, search_units=3, total_tokens=9)


def test_a_ranking_without_requests():
    """Without a request there is no id, and all fields of usage are `None`."""
    ranking = Ranking(results=(), model="m", requests=())

    assert (ranking.id, ranking.served_model, ranking.provider) == (None, None, None)
    assert ranking.usage == Usage()


@pytest.mark.parametrize(
    ("costs", "total"),
    [
        ([], None),
        ([None], None),
        ([None, 0.0], 0.0),
        ([0.25, None, 0.5], 0.75),
    ],
)
def test_usage_that_was_not_reported_is_none(costs, total):
    """The total is the sum of the reported values, or `None` if no value was reported."""
    assert Usage.total(Usage(cost=cost) for cost in costs).cost == total
    assert Usage.total(iter([])) == Usage()
