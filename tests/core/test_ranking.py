"""The metadata and the usage of a ranking, and the sequence that it is."""

import copy
import pickle
from collections.abc import Sequence

import pytest
from openrouter_rerank.ranking import AnsweredRequest, RankedDocument, Ranking, Usage
from pydantic import BaseModel


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


BEST, SECOND = RankedDocument(2, 0.93), RankedDocument(0, 1e-7)
TWO = Ranking(
    results=(BEST, SECOND), model="a/b", requests=(request_served_by("a", cost=0.001),), attempts=1
)
NONE = Ranking(results=(), model="a/b", requests=())


def test_a_ranking_is_a_sequence_of_its_results():
    """A ranking has the length, the items, the slices and the methods of a sequence."""
    assert isinstance(TWO, Sequence)
    assert (len(TWO), [*TWO], [*reversed(TWO)]) == (2, [BEST, SECOND], [SECOND, BEST])
    assert (TWO[0], TWO[-1], TWO[:1], TWO[5:]) == (BEST, SECOND, (BEST,), ())
    assert (BEST in TWO, BEST in NONE, TWO.index(SECOND), TWO.count(BEST)) == (True, False, 1, 1)
    assert (bool(TWO), bool(NONE), len(NONE)) == (True, False, 0)
    with pytest.raises(IndexError):
        NONE[0]


@pytest.mark.parametrize(
    ("ranking", "text"),
    [
        (TWO, "Ranking(2 results, model='a/b', best=2 (score 0.93), cost=$0.001)"),
        (NONE, "Ranking(0 results, model='a/b')"),
        (
            Ranking(results=(SECOND,), model="a/b", requests=()),
            "Ranking(1 result, model='a/b', best=0 (score 1e-07))",
        ),
    ],
)
def test_the_repr_of_a_ranking_is_short(ranking, text):
    """The `repr` has the number of results, the model, the best result and the cost."""
    assert repr(ranking) == str(ranking) == text


def test_a_ranking_is_a_value():
    """Equal rankings have equal hashes. A ranking is pickled, copied and part of a model."""

    class Report(BaseModel):
        ranking: Ranking

    report = Report(ranking=TWO)

    assert pickle.loads(pickle.dumps(TWO)) == copy.deepcopy(TWO) == TWO  # noqa: S301 - pickled here
    assert len({TWO, copy.copy(TWO), NONE}) == 2
    assert TWO != (BEST, SECOND)
    assert Report.model_validate_json(report.model_dump_json()) == report
    with pytest.raises(AttributeError):
        TWO.model = "c/d"
