"""What a ranking tells beside its results."""

import pytest
from openrouter_rerank.ranking import AnsweredRequest, RankedDocument, Ranking, Usage


def answered(name, **usage):
    """A request answered under this name."""
    return AnsweredRequest(
        id=f"id-{name}", served_model=f"model-{name}", provider=name, usage=Usage(**usage)
    )


def test_a_ranking_speaks_for_its_first_request_and_adds_up_all():
    """Id, model and provider are those of the first answer; usage is the sum of all."""
    parts = (
        answered("a", cost=0.25, search_units=1),
        answered("b", cost=0.5, search_units=2, total_tokens=9),
        answered("c"),
    )

    ranking = Ranking(results=(RankedDocument(0, 1.0),), model="m", requests=parts)

    assert (ranking.id, ranking.served_model, ranking.provider) == ("id-a", "model-a", "a")
    assert ranking.usage == Usage(cost=0.75, search_units=3, total_tokens=9)


def test_a_ranking_of_nothing_has_used_nothing():
    """Without a request there is no id, and all usage is unknown."""
    ranking = Ranking(results=(), model="m", requests=())

    assert (ranking.id, ranking.served_model, ranking.provider) == (None, None, None)
    assert ranking.usage == Usage()


@pytest.mark.parametrize(
    ("parts", "total"),
    [
        ([], None),
        ([None], None),
        ([None, 0.0], 0.0),
        ([0.25, None, 0.5], 0.75),
    ],
)
def test_what_nobody_reported_is_unknown_and_not_zero(parts, total):
    """A sum is over what was reported, and `None` if nothing was."""
    assert Usage.total(Usage(cost=part) for part in parts).cost == total
    assert Usage.total(iter([])) == Usage()
